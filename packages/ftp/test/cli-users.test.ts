// Users and storage by the command line.

import { spawnSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createServer, silentLog, type Protocol } from '@wellknown/core';
import { parseServerArguments } from '@wellknown/core/cli';
import { connectClient, eventually, startProgram } from '@wellknown/core/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { programArguments } from '../../../test/programs.ts';
import { ftpCommand } from '../src/index.ts';
import { newPartName } from '../src/storage/disk-parts.ts';
import { openSession, readAll, type FtpSession } from './ftp-session.ts';

let root = '';
let users = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'ftp-users-'));
  for (const name of ['ann', 'incoming', 'ann/in']) await mkdir(path.join(root, name));
  await writeFile(path.join(root, 'file'), 'file');
  users = path.join(root, 'users');
  const hash = spawnSync('openssl', ['passwd', '-6', 'pass:word'], { encoding: 'utf8' }).stdout.trim();
  await writeFile(users, `eve:${hash}\nann:${hash}:/ann:full\nlost:${hash}:/none\n`);
});
afterAll(() => rm(root, { recursive: true }));

async function build(...argv: string[]): Promise<Protocol | string> {
  const request = parseServerArguments(argv, ftpCommand);
  if (!request.ok || request.value.type !== 'serve') return request.ok ? request.value.type : request.error;
  const built = await ftpCommand.build(request.value.values, { log: silentLog, portOffset: 0, isServing: true });
  return built.ok ? built.value : built.error;
}

async function serve(argv: string[], use: (url: string) => Promise<void>): Promise<void> {
  const protocol = await build(root, ...argv);
  if (typeof protocol === 'string') throw new Error(protocol);
  await using server = createServer({ protocol, listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  await use(bound?.url ?? '');
  await server.close({ graceMs: 0 });
}

function setEnvironment(name: string, value: string): void {
  process.env[name] = value;
  onTestFinished(() => void Reflect.deleteProperty(process.env, name));
}

async function store(session: FtpSession, name: string, text: string): Promise<string> {
  const data = await session.openData();
  const opening = await session.say(`STOR ${name}`);
  data.end(text);
  data.resume();
  return opening.startsWith('150') ? session.hear() : opening;
}

describe('--account-env', () => {
  test('takes the password from the environment, colons and all', async () => {
    setEnvironment('FTP_TEST_PASSWORD', 'a:b:c');
    await serve(['--account-env', 'ann:FTP_TEST_PASSWORD:ann'], async (url) => {
      const data = await (await openSession(url, 'ann', 'a:b:c')).openData();
      data.destroy();
      await expect(openSession(url, 'ann', 'a')).rejects.toThrow('530');
    });
  });

  test('may stand beside --account, but not for the same user', async () => {
    setEnvironment('FTP_TEST_PASSWORD', 'x');
    expect(await build(root, '--account', 'ann:pw', '--account-env', 'ann:FTP_TEST_PASSWORD')).toContain('given twice');
    expect(await build(root, '--account', 'ann:pw', '--account-env', 'bob:FTP_TEST_PASSWORD')).toMatchObject({
      name: 'ftp',
    });
  });
});

describe('--users', () => {
  test('lets in whom the file names, with their homes and rights', () =>
    serve(['--users', users], async (url) => {
      const eve = await openSession(url, 'eve', 'pass:word');
      expect(await eve.say('SIZE file')).toBe('213 4\r\n');
      expect(await eve.say('MKD x')).toMatch(/^550 /);
      const ann = await openSession(url, 'ann', 'pass:word');
      expect(await ann.say('MKD x')).toMatch(/^257 /);
      expect(await readdir(path.join(root, 'ann'))).toContain('x');
      expect(await ann.say('RMD x')).toMatch(/^250 /);
      await expect(openSession(url, 'eve', 'wrong')).rejects.toThrow('530');
      await expect(openSession(url, 'lost', 'pass:word')).rejects.toThrow('530');
      await expect(openSession(url, 'anonymous')).rejects.toThrow('530');
    }));

  test('stands beside accounts and anonymous users', () =>
    serve(['--users', users, '--account', 'bob:pw', '--anonymous', '--write'], async (url) => {
      await openSession(url, 'bob', 'pw');
      await openSession(url, 'anonymous');
      expect(await (await openSession(url, 'eve', 'pass:word')).say('SIZE file')).toBe('213 4\r\n');
    }));
});

test('a home that is a link may be another directory at the next login', async () => {
  const folder = await mkdtemp(path.join(root, 'moved-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const at = (name: string): string => path.join(folder, name);
  for (const name of ['old', 'new']) await mkdir(at(`${name}/of-${name}`), { recursive: true });
  await symlink('old', at('home'));
  const hash = spawnSync('openssl', ['passwd', '-6', 'pw'], { encoding: 'utf8' }).stdout.trim();
  await writeFile(at('users'), `ann:${hash}:/${path.basename(folder)}/home\n`);
  await serve(['--users', at('users')], async (url) => {
    const before = await openSession(url, 'ann', 'pw');
    expect(await before.say('CWD of-old')).toMatch(/^250 /);
    await rm(at('home'));
    await symlink('new', at('home'));
    expect(await (await openSession(url, 'ann', 'pw')).say('CWD of-new')).toMatch(/^250 /);
    expect(await before.say('CWD /of-old')).toMatch(/^250 /);
  });
});

test('--rights hold by path: a drop box in a tree that is only read', () =>
  serve(['--account', 'bob:pw', '--rights', '/incoming:drop-box'], async (url) => {
    const bob = await openSession(url, 'bob', 'pw');
    expect(await bob.say('MKD x')).toMatch(/^550 /);
    expect(await store(bob, 'incoming/report', 'x')).toMatch(/^226 /);
    expect(await store(bob, 'incoming/report', 'x')).toMatch(/^553 /);
    expect(await store(bob, 'report', 'x')).toMatch(/^550 /);
    const data = await bob.openData();
    expect(await bob.say('NLST incoming')).toMatch(/^550 /);
    data.destroy();
    expect(await bob.say('SIZE incoming/report')).toMatch(/^550 /);
  }));

test('--umask and --uploads say how files are kept', () =>
  serve(['--account', 'bob:pw', '--write', '--umask', '007', '--uploads', 'in-place'], async (url) => {
    const bob = await openSession(url, 'bob', 'pw');
    expect(await store(bob, 'kept', 'x')).toMatch(/^226 /);
    expect(await bob.say('MKD kept-too')).toMatch(/^257 /);
    const modes = ['kept', 'kept-too'].map(async (name) =>
      ((await lstat(path.join(root, name))).mode & 0o777).toString(8),
    );
    expect(await Promise.all(modes)).toEqual(['660', '770']);
  }));

test('--quota is what a home may hold, over all of its sessions', async () => {
  for (const name of ['one', 'two']) await mkdir(path.join(root, 'quota', name), { recursive: true });
  onTestFinished(() => rm(path.join(root, 'quota'), { recursive: true }));
  await serve(
    ['--account', 'ann:pw:quota/one', '--account', 'bob:pw:quota/two', '--write', '--quota', '1k'],
    async (url) => {
      const [ann, again, bob] = await Promise.all(['ann', 'ann', 'bob'].map((user) => openSession(url, user, 'pw')));
      if (ann === undefined || again === undefined || bob === undefined) throw new Error('not all are there');
      expect(await store(ann, 'a', 'x'.repeat(1000))).toMatch(/^226 /);
      expect(await store(again, 'b', 'x'.repeat(25))).toMatch(/^552 /);
      expect(await again.say('AVBL')).toBe('213 24\r\n');
      expect(await store(again, 'b', 'x'.repeat(24))).toMatch(/^226 /);
      expect(await store(bob, 'c', 'x'.repeat(1024))).toMatch(/^226 /);
    },
  );
});

test('--quota counts what is there, also for users of a file, and holds for ROOT where there is no HOME', () =>
  serve(['--users', users, '--write', '--quota', '3'], async (url) => {
    const ann = await openSession(url, 'ann', 'pass:word');
    expect(await store(ann, 'of-a-file', '1234')).toMatch(/^552 /);
    const eve = await openSession(url, 'eve', 'pass:word');
    expect(await store(eve, 'below-root', '1')).toMatch(/^552 /);
    expect(await eve.say('AVBL')).toBe('213 0\r\n');
  }));

describe('--virtual-host', () => {
  const hosts = ['--virtual-host', 'Pub.example.org:ann', '--virtual-host', 'ftp.example.org'];
  const at = async (url: string, host: string, user: string) => {
    const client = await connectClient(url);
    await client.receive(/\r\n/);
    client.send(`HOST ${host}\r\nUSER ${user}\r\nPASS pw\r\nMLST in\r\n`);
    return client.receive(/(?:^250 |^5\d\d )[^\r]*\r\n$/m);
  };

  test('shows clients that name it its HOME, unless they have their own', () =>
    serve([...hosts, '--anonymous', '--account', 'bob:pw:incoming'], async (url) => {
      expect(await at(url, 'pub.EXAMPLE.org', 'anonymous')).toContain('type=dir;');
      expect(await at(url, 'ftp.example.org', 'anonymous')).toMatch(/^550 /m);
      expect(await at(url, 'pub.example.org', 'bob')).toMatch(/^550 /m);
    }));

  test('refuses other names, and serves who names none', () =>
    serve(hosts, async (url) => {
      const session = await openSession(url, 'anonymous');
      expect(await session.say('SIZE file')).toBe('213 4\r\n');
      const client = await connectClient(url);
      await client.receive(/\r\n/);
      client.send('HOST other.example.org\r\n');
      expect(await client.receive(/\r\n/)).toMatch(/^504 /);
    }));
});

test('names that are no UTF-8 come out as the bytes they are', () =>
  serve([], async (url) => {
    await writeFile(Buffer.concat([Buffer.from(`${root}/ann/in/`), Buffer.from([0x67, 0xfc])]), 'x');
    const session = await openSession(url, 'anonymous');
    const data = await session.openData();
    await session.say('NLST ann/in');
    expect((await readAll(data)).toString('latin1')).toBe('ann/in/g\u00fc\r\n');
  }));

test('a start sweeps the parts of a server that was killed', async () => {
  const [, , , system = ''] = newPartName().split('-');
  // Process 0 is nobody's.
  await writeFile(path.join(root, 'ann', `.wellknown-0-1-${system}-0123456789abcdef.part`), '');
  await serve([], () =>
    eventually(async () => expect((await readdir(path.join(root, 'ann'))).join()).not.toContain('.part')),
  );
});

test('an address that failed too often is turned away by every worker', async () => {
  const program = await startProgram([
    ...programArguments('packages/ftp/src/main.ts'),
    root,
    ...['--account', 'ann:pw', '--workers', '2', '--listen', 'tcp://127.0.0.1:0', '--ban-after', '4'],
  ]);
  onTestFinished(async () => {
    await program.stop();
  });
  const [url = ''] = program.endpoints.ftp ?? [];
  // At the same time, so that the delay after each is one for all.
  const failed = Array.from({ length: 4 }, () => expect(openSession(url, 'ann', 'wrong')).rejects.toThrow('530'));
  await Promise.all(failed);
  const refused = async (): Promise<boolean> => {
    const client = await connectClient(url);
    const heard = await client.receive(/\r\n/);
    client.reset();
    return heard.startsWith('421 Too many failed logins');
  };
  await eventually(async () => expect(await refused()).toBe(true));
  // Whichever worker it is.
  for (let time = 0; time < 8; time += 1) expect(await refused()).toBe(true);
});

test('a user has as many sessions as there may be over all workers, and may have another when one is over', async () => {
  const program = await startProgram([
    ...programArguments('packages/ftp/src/main.ts'),
    root,
    ...['--account', 'ann:pw', '--workers', '2', '--listen', 'tcp://127.0.0.1:0', '--max-sessions-per-user', '3'],
  ]);
  onTestFinished(async () => {
    await program.stop();
  });
  const [url = ''] = program.endpoints.ftp ?? [];
  const sessions = await Promise.all([1, 2, 3].map(() => openSession(url, 'ann', 'pw')));
  // Whichever worker it is.
  for (let time = 0; time < 6; time += 1)
    await expect(openSession(url, 'ann', 'pw')).rejects.toThrow('421 You have too many');
  sessions[0]?.client.reset();
  await eventually(async () => {
    const session = await openSession(url, 'ann', 'pw').catch(() => undefined);
    session?.client.reset();
    return session !== undefined;
  });
});

test('a time of a ban has a unit where it is given one', async () => {
  expect(await build(root, '--ban-time', '10m', '--ban-after', '3')).toMatchObject({
    bans: { banMs: 600_000, maxOffences: 3 },
  });
});

test.each([
  [['--account-env', 'ann'], 'NAME:VARIABLE[:HOME]'],
  [['--account-env', 'ann:FTP_TEST_NO_SUCH'], "no variable 'FTP_TEST_NO_SUCH'"],
  [['--account-env', 'ann:PATH:none'], 'HOME'],
  [['--users', '/nowhere/users'], "--users '/nowhere/users': can't be read (ENOENT): it does not exist"],
  [['--rights', '/x:read'], '--rights needs an --account'],
  [['--account', 'a:b', '--rights', 'x:read'], 'PATH:RIGHTS'],
  [['--account', 'a:b', '--rights', '/x:everything'], 'drop-box'],
  [['--ban-after', 'x'], '--ban-after'],
  [['--ban-time', '-1'], '--ban-time'],
  [['--umask', '8'], '--umask'],
  [['--umask', '1777'], '--umask'],
  [['--uploads', 'somewhere'], 'atomic, in-place'],
  [['--symlinks', 'maybe'], 'deny, inside, follow'],
  [['--quota', '1k'], '--quota needs an --account'],
  [['--account', 'a:b', '--quota', '0'], '--quota'],
  [['--virtual-host', 'a b'], 'NAME[:HOME]'],
  [['--virtual-host', 'a/b'], 'NAME[:HOME]'],
  [['--virtual-host', 'http://x'], "'//x', which is not a directory"],
  [['--virtual-host', 'a:none'], "'none', which is not a directory"],
  [['--virtual-host', 'a:../x'], "'../x', which is not a directory"],
  [['--virtual-host', 'a', '--virtual-host', 'A:ann'], 'was given before'],
])('%j is refused with words that name the option', async (argv, words) => {
  expect(await build(root, ...argv)).toContain(words);
});
