// Clients that people use, plain and over TLS, on a tree with odd names: what they bring home and what they leave on the
// server is compared by checksum. One that is not installed is skipped with a word about it, except in CI.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'basic-ftp';
import { lacks } from '@wellknown/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../../test/certificates.ts';
import { createFtpServer, diskFileSystem } from '../src/index.ts';
import { portOf } from './tls-session.ts';

const ODD_NAMES = [
  'plain.txt',
  'two words.txt',
  'quo"te.txt',
  "it's.txt",
  'ümläut ☃ 😀.txt',
  '-dash',
  '#hash%20.txt',
  '[br] {x} *.txt',
  '.hidden',
  'back\\slash',
  'sub dir/deeper/file & more;',
];
const BIG = Buffer.alloc(3_000_000);
for (let at = 0; at < BIG.length; at += 4) BIG.writeUInt32LE((at * 2_654_435_761) >>> 0, at);

let base = '';
let server: ReturnType<typeof createFtpServer>;
const ports = { clear: 0, implicit: 0 };
let expected = '';

beforeAll(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), 'ftp-more-'));
  for (const directory of ['root/tree/sub dir/deeper', 'root/in', 'local'])
    await mkdir(path.join(base, directory), { recursive: true });
  for (const name of ODD_NAMES) await writeFile(path.join(base, 'root/tree', name), `this is ${name}\n`);
  await writeFile(path.join(base, 'root/tree/empty.bin'), '');
  await writeFile(path.join(base, 'root/tree/sub dir/big.bin'), BIG);
  // More than the system takes for a client that reads nothing; it takes no room on the disk.
  await writeFile(path.join(base, 'root/huge'), '');
  await truncate(path.join(base, 'root/huge'), 256 * 1024 * 1024);
  server = createFtpServer({
    fileSystem: diskFileSystem(path.join(base, 'root')),
    accounts: [{ name: 'ann', password: 'secret', mayWrite: true }],
    listen: ['tcp://127.0.0.1:0', 'tls://127.0.0.1:0'],
    tls: makeCertificate('ftp.example'),
  });
  const bound = await server.listen();
  ports.clear = portOf(bound[0]?.url ?? '');
  ports.implicit = portOf(bound[1]?.url ?? '');
  expected = await sums(served('tree'));
});

afterAll(async () => {
  await server.close({ graceMs: 0 });
  await rm(base, { recursive: true });
});

const served = (name: string): string => path.join(base, 'root', name);
const local = (name: string): string => path.join(base, 'local', name);

/** Every file below a folder with its checksum, as one text. */
async function sums(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const hash = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    lines.push(`${path.relative(folder, file)} ${hash}`);
  }
  return lines.sort().join('\n');
}

/** Runs a program to its end; what it printed is part of the error where it fails. */
async function runClient(program: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, args, { cwd: path.join(base, 'local'), timeout: 60_000 });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (output += String(chunk)));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`${program} ended with ${String(status)}: ${output}`);
  return output;
}

describe.skipIf(lacks('lftp'))('lftp', () => {
  test.each([
    ['in clear', 'set ftp:ssl-allow no', 'ftp', 'clear'],
    ['over TLS', 'set ftp:ssl-force yes; set ftp:ssl-protect-data yes', 'ftp', 'clear'],
    ['over TLS from the start', 'set ftp:ssl-protect-data yes', 'ftps', 'implicit'],
  ] as const)('mirrors both ways %s', async (how, settings, scheme, listener) => {
    const name = `lftp ${how}`;
    await runClient('lftp', [
      '-c',
      `set net:max-retries 1; set net:timeout 10; set cmd:fail-exit yes; set ssl:verify-certificate no; ${settings};
       open ${scheme}://ann:secret@127.0.0.1:${ports[listener]}; mirror -P3 tree "${name}"; mirror -R "${name}" "in/${name}"`,
    ]);
    expect(await sums(local(name))).toBe(expected);
    expect(await sums(served(`in/${name}`))).toBe(expected);
  });

  test('gets a file in pieces over TLS, each connection cut short', async () => {
    await runClient('lftp', [
      '-c',
      `set ssl:verify-certificate no; set ftp:ssl-protect-data yes; open ftp://ann:secret@127.0.0.1:${ports.clear}; pget -n 3 "tree/sub dir/big.bin" -o pieces`,
    ]);
    expect((await readFile(local('pieces'))).equals(BIG)).toBe(true);
  });
});

describe.skipIf(lacks('rclone'))('rclone, which never reads on a connection that it uploads over', () => {
  test.each([
    ['in clear', '', 'clear'],
    ['over TLS', ',explicit_tls=true,no_check_certificate=true', 'clear'],
    ['over TLS from the start', ',tls=true,no_check_certificate=true', 'implicit'],
  ] as const)('copies a tree both ways %s', async (how, options, listener) => {
    const pass = spawnSync('rclone', ['obscure', 'secret']).stdout.toString().trim();
    const remote = `:ftp,host=127.0.0.1,port=${ports[listener]},user=ann,pass=${pass}${options}:`;
    const name = `rclone ${how}`;
    const flags = ['--config', '/dev/null', '--retries', '1', '--low-level-retries', '1'];
    await runClient('rclone', ['copy', ...flags, `${remote}tree`, local(name)]);
    await runClient('rclone', ['copy', ...flags, local(name), `${remote}in/${name}`]);
    expect(await sums(local(name))).toBe(expected);
    expect(await sums(served(`in/${name}`))).toBe(expected);
  });
});

describe.skipIf(lacks('ncftpget', 'ncftpput'))('ncftp', () => {
  test('gets and puts a tree', async () => {
    await mkdir(local('ncftp'));
    const host = ['-V', '-R', '-u', 'ann', '-p', 'secret', '-P', String(ports.clear)];
    await runClient('ncftpget', [...host, '-T', '127.0.0.1', local('ncftp'), '/tree']);
    await runClient('ncftpput', [...host, '-m', '127.0.0.1', '/in/ncftp', local('ncftp/tree')]);
    expect(await sums(local('ncftp/tree'))).toBe(expected);
    expect(await sums(served('in/ncftp/tree'))).toBe(expected);
  });
});

describe.skipIf(lacks('wget'))('wget', () => {
  test.each([
    ['in clear', 'ftp', [], 'clear'],
    ['over TLS', 'ftps', [], 'clear'],
    ['over TLS from the start', 'ftps', ['--ftps-implicit'], 'implicit'],
  ] as const)(
    'fetches a tree %s, by the names that it gives to files of its own',
    async (how, scheme, flags, listener) => {
      const folder = local(`wget ${how}`);
      const url = `${scheme}://127.0.0.1:${ports[listener]}/tree/`;
      const login = ['--ftp-user=ann', '--ftp-password=secret', '--restrict-file-names=nocontrol'];
      const tls = scheme === 'ftps' ? ['--no-check-certificate', ...flags] : [];
      await runClient('wget', ['-q', '-r', '-l', '9', '-nH', '--cut-dirs=1', '-P', folder, ...tls, ...login, url]);
      // wget takes the percent sign in a name for an escape.
      expect((await sums(folder)).replace('#hash .txt', '#hash%20.txt')).toBe(expected);
    },
  );
});

describe.skipIf(lacks('tnftp'))('tnftp', () => {
  test('gets and puts', async () => {
    const commands = `user ann secret\nbinary\nget "tree/sub dir/big.bin" tnftp\nput tnftp in/tnftp\nput tnftp "in/two words"\nls in\nbye\n`;
    await runClient('tnftp', ['-n', '-v', '-P', String(ports.clear), '127.0.0.1'], commands);
    for (const file of [local('tnftp'), served('in/tnftp'), served('in/two words')])
      expect((await readFile(file)).equals(BIG)).toBe(true);
  });
});

describe.skipIf(lacks('inetutils-ftp'))('the ftp of inetutils', () => {
  test.each(['', 'passive\n'])('gets, puts and stores under a name of its own, by PORT or with %j', async (mode) => {
    const commands = `user ann secret\n${mode}binary\nget "tree/sub dir/big.bin" inetutils\nput inetutils in/inetutils\nls in\nbye\n`;
    await runClient('inetutils-ftp', ['-n', '-v', '127.0.0.1', String(ports.clear)], commands);
    for (const file of [local('inetutils'), served('in/inetutils')]) {
      expect((await readFile(file)).equals(BIG)).toBe(true);
      await rm(file);
    }
  });
});

describe.skipIf(lacks('python3'))("Python's ftplib", () => {
  const SCRIPT = `
import ftplib, io, ssl, sys
port, how = int(sys.argv[1]), sys.argv[2]
context = ssl._create_unverified_context()
ftp = ftplib.FTP() if how == 'clear' else ftplib.FTP_TLS(context=context)
ftp.connect('127.0.0.1', port); ftp.login('ann', 'secret')
if how != 'clear': ftp.prot_p()
data = io.BytesIO(); ftp.retrbinary('RETR tree/sub dir/big.bin', data.write)
if how == 'silent':
    # Sends, says that it has ended, and is gone, without ever having read.
    connection = ftp.transfercmd('STOR in/python-silent'); connection.sendall(data.getvalue())
    connection.setblocking(False)
    try: connection.unwrap()
    except ssl.SSLWantReadError: pass
    connection.close(); print(ftp.voidresp())
else:
    data.seek(0); print(ftp.storbinary('STOR in/python-' + how, data))
connection = ftp.transfercmd('RETR huge'); connection.recv(1000)
print(ftp.sendcmd('NOOP'))
ftp.abort()
connection.close()
print(ftp.voidresp()); print(ftp.quit())
`;
  test.each(['clear', 'tls', 'silent'])('gets and puts (%s), and aborts with urgent data', async (how) => {
    const said = await runClient('python3', ['-c', SCRIPT, String(ports.clear), how]);
    expect(said.match(/^\d{3}/gm)).toEqual(['226', '200', '226', '221']);
    expect((await readFile(served(`in/python-${how}`))).equals(BIG)).toBe(true);
  });
});

describe('basic-ftp', () => {
  test.each([
    ['in clear', false, 'clear'],
    ['after AUTH', true, 'clear'],
    ['from the start', 'implicit', 'implicit'],
  ] as const)('moves a tree down and up, %s', async (how, secure, listener) => {
    const client = new Client(10_000);
    try {
      await client.access({
        host: '127.0.0.1',
        port: ports[listener],
        user: 'ann',
        password: 'secret',
        secure,
        secureOptions: { rejectUnauthorized: false },
      });
      await client.downloadToDir(local(`basic ${how}`), 'tree');
      expect(await sums(local(`basic ${how}`))).toBe(expected);
      // It ends an empty upload before the handshake of the data connection, which then is none.
      await rm(local(`basic ${how}/empty.bin`));
      await client.uploadFromDir(local(`basic ${how}`), `in/basic ${how}`);
      expect(await sums(served(`in/basic ${how}`))).toBe(await sums(local(`basic ${how}`)));
    } finally {
      client.close();
    }
  });
});

describe.skipIf(lacks('python3'))("Python's ftplib on a tree", () => {
  const SCRIPT = `
import ftplib, io, ssl, sys
port, how = int(sys.argv[1]), sys.argv[2]
context = ssl._create_unverified_context()
ftp = ftplib.FTP() if how == 'clear' else ftplib.FTP_TLS(context=context)
ftp.encoding = 'utf-8'
ftp.connect('127.0.0.1', port); ftp.login('ann', 'secret')
if how != 'clear': ftp.prot_p()
def copy(source, target):
    ftp.mkd(target)
    for name, facts in list(ftp.mlsd(source, ['type', 'size'])):
        if facts['type'] == 'dir': copy(source + '/' + name, target + '/' + name)
        if facts['type'] != 'file': continue
        data = io.BytesIO()
        ftp.retrbinary('RETR ' + source + '/' + name, data.write)
        assert data.tell() == int(facts['size'])
        data.seek(0)
        ftp.storbinary('STOR ' + target + '/' + name, data)
copy('/tree', '/in/ftplib-' + how)
assert sorted(ftp.nlst('/tree')) == sorted('/tree/' + name for name, _ in ftp.mlsd('/tree', ['type']) if name not in '..')
ftp.quit()
`;
  test.each(['clear', 'tls'])('copies it file by file (%s)', async (how) => {
    await runClient('python3', ['-c', SCRIPT, String(ports.clear), how]);
    expect(await sums(served(`in/ftplib-${how}`))).toBe(expected);
  });
});

describe.skipIf(lacks('curl'))('curl on odd names', () => {
  test.each([
    ['in clear', 'ftp', [], 'clear'],
    ['over TLS', 'ftp', ['-k', '--ssl-reqd'], 'clear'],
    ['over TLS from the start', 'ftps', ['-k'], 'implicit'],
  ] as const)('gets and puts each %s', async (how, scheme, flags, listener) => {
    const url = (file: string): string =>
      `${scheme}://127.0.0.1:${ports[listener]}/${file.split('/').map(encodeURIComponent).join('/')}`;
    const names = [...ODD_NAMES, 'empty.bin', 'sub dir/big.bin'];
    const folder = `curl ${how}`;
    const common = ['-sS', '-g', '-u', 'ann:secret', '--ftp-create-dirs', '--create-dirs', ...flags];
    const each = (of: (name: string) => readonly string[]): string[] =>
      names.flatMap((name, index) => [...(index === 0 ? [] : ['--next']), ...common, ...of(name)]);
    await runClient(
      'curl',
      each((name) => ['-o', path.join(local(folder), name), url(`tree/${name}`)]),
    );
    expect(await sums(local(folder))).toBe(expected);
    await runClient(
      'curl',
      each((name) => ['-T', path.join(local(folder), name), url(`in/${folder}/${name}`)]),
    );
    expect(await sums(served(`in/${folder}`))).toBe(expected);
  });
});

describe.skipIf(lacks('curl'))('curl over TLS', () => {
  test.each([
    ['1.2', 'ftp', 'clear'],
    ['1.3', 'ftp', 'clear'],
    ['1.3', 'ftps', 'implicit'],
  ] as const)('gets and puts (TLS %s, %s)', async (version, scheme, listener) => {
    const url = `${scheme}://127.0.0.1:${ports[listener]}`;
    const flags = ['-sS', '-k', '--ssl-reqd', '--tls-max', version, '-u', 'ann:secret'];
    const name = `curl-${version}-${scheme}`;
    await runClient('curl', [...flags, '-o', local(name), `${url}/tree/sub%20dir/big.bin`]);
    await runClient('curl', [...flags, '-T', local(name), `${url}/in/${name}`]);
    expect((await readFile(served(`in/${name}`))).equals(BIG)).toBe(true);
  });
});
