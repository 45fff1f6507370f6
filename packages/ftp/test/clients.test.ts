// The clients that people use, against a disk. One that is not installed is skipped with a word about it, except in CI.

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { Client } from 'basic-ftp';
import { eventually, lacks } from '@wellknown/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFtpServer, diskFileSystem } from '../src/index.ts';

const BIG = Buffer.alloc(20_000_000);
for (let at = 0; at < BIG.length; at += 4) BIG.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
const SMALL_FILES = 100;

let base = '';
let port = 0;
let server: ReturnType<typeof createFtpServer>;

beforeAll(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), 'ftp-clients-'));
  for (const directory of ['root/many', 'root/in', 'root/empty', 'local'])
    await mkdir(path.join(base, directory), { recursive: true });
  await writeFile(path.join(base, 'root/big'), BIG);
  await writeFile(path.join(base, 'root/ä name.txt'), 'hello\n');
  for (let index = 0; index < SMALL_FILES; index += 1)
    await writeFile(path.join(base, `root/many/f${index}`), `file ${index}\n`);
  server = createFtpServer({
    fileSystem: diskFileSystem(path.join(base, 'root')),
    accounts: [{ name: 'ann', password: 'secret', mayWrite: true }],
    anonymous: true,
    listen: 'tcp://127.0.0.1:0',
  });
  const [bound] = await server.listen();
  port = Number(new URL(bound?.url ?? '').port);
});

afterAll(async () => {
  await server.close({ graceMs: 0 });
  await rm(base, { recursive: true });
});

const served = (name: string): string => path.join(base, 'root', name);
const local = (name: string): string => path.join(base, 'local', name);

describe('basic-ftp', () => {
  const withClient = async (use: (client: Client) => Promise<void>): Promise<void> => {
    const client = new Client(5_000);
    try {
      await client.access({ host: '127.0.0.1', port, user: 'ann', password: 'secret' });
      await use(client);
    } finally {
      client.close();
    }
  };
  const collector = (): { readonly sink: Writable; readonly bytes: () => Buffer } => {
    const chunks: Buffer[] = [];
    return {
      sink: new Writable({
        write(chunk: Buffer, _encoding, done) {
          chunks.push(chunk);
          done();
        },
      }),
      bytes: () => Buffer.concat(chunks),
    };
  };

  test('lists, with sizes, dates and names that are not ASCII', () =>
    withClient(async (client) => {
      const entries = await client.list();
      expect(entries.map(({ name }) => name).sort()).toEqual(['big', 'empty', 'in', 'many', 'ä name.txt'].sort());
      expect(entries.find(({ name }) => name === 'big')).toMatchObject({ size: BIG.length, isFile: true });
      expect(entries.find(({ name }) => name === 'many')?.isDirectory).toBe(true);
      expect(
        Math.abs(
          (entries.find(({ name }) => name === 'big')?.modifiedAt?.getTime() ?? 0) -
            (await stat(served('big'))).mtimeMs,
        ),
      ).toBeLessThan(1_000);
    }));

  test('gets 20 MB, and resumes in their middle', () =>
    withClient(async (client) => {
      const whole = collector();
      await client.downloadTo(whole.sink, 'big');
      expect(whole.bytes().equals(BIG)).toBe(true);
      const rest = collector();
      await client.downloadTo(rest.sink, 'big', 12_345_678);
      expect(rest.bytes().equals(BIG.subarray(12_345_678))).toBe(true);
    }));

  test('puts 20 MB, appends, renames, and removes a directory with all in it', () =>
    withClient(async (client) => {
      await client.ensureDir('/in/deep/er');
      await client.uploadFrom(Readable.from([BIG]), 'up');
      await client.appendFrom(Readable.from([Buffer.from('tail')]), 'up');
      await client.rename('up', '/in/up');
      expect(await client.size('/in/up')).toBe(BIG.length + 4);
      expect((await readFile(served('in/up'))).equals(Buffer.concat([BIG, Buffer.from('tail')]))).toBe(true);
      await client.cd('/');
      await client.removeDir('/in/deep');
      expect(await readdir(served('in'))).toEqual(['up']);
      await client.remove('/in/up');
    }));

  test('moves 100 small files down and up', () =>
    withClient(async (client) => {
      await client.downloadToDir(local('down'), '/many');
      expect(await readdir(local('down'))).toHaveLength(SMALL_FILES);
      await client.uploadFromDir(local('down'), '/in/again');
      for (let index = 0; index < SMALL_FILES; index += 1)
        expect(await readFile(served(`in/again/f${index}`), 'utf8')).toBe(`file ${index}\n`);
    }));

  test('that goes away in the middle of an upload leaves neither a file nor a stuck server', async () => {
    await withClient(async (client) => {
      const endless = new PassThrough();
      endless.write(Buffer.alloc(100_000));
      const upload = client.uploadFrom(endless, 'never');
      await eventually(async () => (await readdir(served(''))).some((name) => name.endsWith('.part')));
      // The control connection goes first: the end of the data alone would be the end of the file (RFC 959 §3.4.1).
      client.ftp.socket.destroy();
      await expect(upload).rejects.toThrow();
      await eventually(async () => (await readdir(served(''))).every((name) => !name.endsWith('.part')));
    });
    expect(await readdir(served(''))).not.toContain('never');
    await withClient(async (client) => expect((await client.list('/many')).length).toBe(SMALL_FILES));
  });
});

/** Runs a client to its end. */
function run(
  program: string,
  parameters: readonly string[],
): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = spawn(program, parameters, {
    env: { ...process.env, HOME: base, LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), 25_000);
  return new Promise((resolve) =>
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ status: code ?? -1, stdout, stderr });
    }),
  );
}

describe.skipIf(lacks('curl'))('curl', () => {
  const url = (name: string, login = ''): string => `ftp://${login}127.0.0.1:${port}/${name}`;
  const curl = async (...parameters: string[]): Promise<string> => {
    const { status, stdout, stderr } = await run('curl', ['-sS', '--max-time', '20', ...parameters]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout;
  };

  test('lists, in Unix format and by name', async () => {
    expect(await curl(url('empty/'))).toBe('');
    expect(await curl(url('many/'))).toMatch(/^-rw-r--r-- {3}1 ftp {6}ftp {17}7 \w{3} \d\d [\d:]+ f\d+\r?$/m);
    expect((await curl('-l', url('many/'))).trim().split(/\r?\n/)).toHaveLength(SMALL_FILES);
  });

  test('gets 20 MB, in passive and in active mode', async () => {
    for (const mode of [
      ['--ftp-pasv'],
      ['--disable-epsv'],
      ['--ftp-port', '-'],
      ['--ftp-port', '-', '--disable-eprt'],
    ]) {
      await curl(...mode, '-o', local('big'), url('big'));
      expect((await readFile(local('big'))).equals(BIG), mode.join(' ')).toBe(true);
    }
  });

  test('gets a range and resumes', async () => {
    expect(await curl('-r', '2-3', url('%C3%A4%20name.txt'))).toBe('ll');
    await writeFile(local('part'), BIG.subarray(0, 7_000_001));
    await curl('-C', '-', '-o', local('part'), url('big'));
    expect((await readFile(local('part'))).equals(BIG)).toBe(true);
  });

  test('puts 20 MB, appends and resumes an upload', async () => {
    await writeFile(local('source'), BIG);
    await curl('-T', local('source'), url('in/curl', 'ann:secret@'));
    expect((await readFile(served('in/curl'))).equals(BIG)).toBe(true);
    await writeFile(served('in/half'), BIG.subarray(0, 5_000_000));
    await curl('-C', '-', '-T', local('source'), url('in/half', 'ann:secret@'));
    expect((await readFile(served('in/half'))).equals(BIG)).toBe(true);
  });

  test('gets text in TYPE A, and takes the CR of the network off again', async () => {
    expect(await curl('-B', url('%C3%A4%20name.txt'))).toBe('hello\n');
  });

  test('is told the reason by its exit status', async () => {
    expect((await run('curl', ['-sS', '-T', local('source'), url('nowrite')])).status).toBe(25);
    expect((await run('curl', ['-sS', url('none')])).status).toBe(78);
    expect((await run('curl', ['-sS', url('', 'ann:wrong@')])).status).toBe(67);
  });
});

describe.skipIf(lacks('lftp'))('lftp', () => {
  const lftp = async (script: string): Promise<string> => {
    const settings = 'set net:timeout 10; set net:max-retries 1; set cmd:fail-exit yes;';
    const { status, stdout, stderr } = await run('lftp', [
      '--norc',
      '-c',
      `${settings} open ftp://ann:secret@127.0.0.1:${port}; ${script}`,
    ]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout;
  };

  test('lists', async () => {
    expect(await lftp('cls -1')).toContain('ä name.txt');
    expect((await lftp('nlist many')).trim().split('\n')).toHaveLength(SMALL_FILES);
  });

  test('mirrors 100 small files down and up, with their times', async () => {
    await lftp(`mirror many ${local('mirror')}; mirror -R ${local('mirror')} in/mirror`);
    expect(await readdir(served('in/mirror'))).toHaveLength(SMALL_FILES);
    expect(await readFile(served('in/mirror/f42'), 'utf8')).toBe('file 42\n');
    expect(Math.floor((await stat(served('in/mirror/f42'))).mtimeMs / 60_000)).toBe(
      Math.floor((await stat(served('many/f42'))).mtimeMs / 60_000),
    );
  });

  test('gets 20 MB over several connections that it cuts short', async () => {
    await lftp(`pget -n 4 big -o ${local('pget')}`);
    expect((await readFile(local('pget'))).equals(BIG)).toBe(true);
  });

  test('puts, renames, changes the mode and removes', async () => {
    await writeFile(local('note'), 'note\n');
    await lftp(`cd in; put ${local('note')}; mv note "a note"; chmod 600 "a note"; cat "a note"`);
    expect((await stat(served('in/a note'))).mode & 0o777).toBe(0o600);
    await lftp('cd in; rm "a note"; mkdir d; rmdir d');
    expect(await readdir(served('in'))).not.toContain('a note');
  });
});
