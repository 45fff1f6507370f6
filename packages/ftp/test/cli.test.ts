import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createServer, silentLog, type Protocol } from '@wellknown/core';
import { parseServerArguments } from '@wellknown/core/cli';
import { eventually, startProgram, unusedAddress } from '@wellknown/core/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { programArguments } from '../../../test/programs.ts';
import { ftpCommand } from '../src/index.ts';
import { openSession, readAll } from './ftp-session.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'ftp-command-'));
  await mkdir(path.join(root, 'ann'));
  await writeFile(path.join(root, 'ann/hers'), 'hers');
  await writeFile(path.join(root, 'file'), 'file');
  await symlink('/etc', path.join(root, 'etc'));
});
afterAll(() => rm(root, { recursive: true }));

async function build(...argv: string[]): Promise<Protocol | string> {
  const request = parseServerArguments(argv, ftpCommand);
  if (!request.ok || request.value.type !== 'serve') return request.ok ? request.value.type : request.error;
  const built = await ftpCommand.build(request.value.values, { log: silentLog, portOffset: 0, isServing: true });
  return built.ok ? built.value : built.error;
}

async function serve(argv: string[], use: (url: string) => Promise<void>): Promise<void> {
  const protocol = await build(...argv);
  if (typeof protocol === 'string') throw new Error(protocol);
  await using server = createServer({ protocol, listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  await use(bound?.url ?? '');
  await server.close({ graceMs: 0 });
}

describe('without accounts', () => {
  test('anonymous users read the root and write nothing', () =>
    serve([root], async (url) => {
      const session = await openSession(url, 'anonymous');
      expect(await session.say('SIZE file')).toBe('213 4\r\n');
      expect(await session.say('DELE file')).toMatch(/^550 /);
      expect(await session.say('CWD etc')).toMatch(/^550 /);
    }));
});

describe('with accounts', () => {
  test('anonymous users stay out unless they are let in', async () => {
    await serve([root, '--account', 'ann:pw'], async (url) => {
      await expect(openSession(url, 'anonymous')).rejects.toThrow('530');
    });
    await serve([root, '--account', 'ann:pw', '--anonymous'], async (url) => {
      await openSession(url, 'anonymous');
    });
  });

  test('only --write lets an account change files', async () => {
    await serve([root, '--account', 'ann:pw'], async (url) => {
      expect(await (await openSession(url, 'ann', 'pw')).say('MKD x')).toMatch(/^550 /);
    });
    await serve([root, '--account', 'ann:pw', '--write'], async (url) => {
      const session = await openSession(url, 'ann', 'pw');
      expect(await session.say('MKD x')).toMatch(/^257 /);
      expect(await session.say('RMD x')).toMatch(/^250 /);
    });
  });

  test('a home is all that its user sees', () =>
    serve([root, '--account', 'ann:pw:ann'], async (url) => {
      const session = await openSession(url, 'ann', 'pw');
      expect(await session.say('PWD')).toMatch(/^257 "\/" /);
      const data = await session.openData();
      await session.say('NLST ..');
      expect(String(await readAll(data))).toBe('../hers\r\n');
    }));
});

test.each([
  [['--write'], '--write needs an --account'],
  [['--account', 'ann'], 'NAME:PASSWORD[:HOME]'],
  [['--account', ':pw'], 'NAME:PASSWORD[:HOME]'],
  [['--account', 'ann:'], 'NAME:PASSWORD[:HOME]'],
  [['--account', 'a b:pw'], 'control character'],
  [['--account', 'anonymous:pw'], '--anonymous'],
  [['--account', 'ann:pw', '--account', 'ann:pw'], 'given twice'],
  [['--account', 'ann:pw:none'], 'HOME'],
  [['--account', 'ann:pw:../x'], 'HOME'],
  [['--account', 'ann:pw:ann/../..'], 'HOME'],
  [['--account', 'ann:pw:etc'], 'HOME'],
  [['--account', 'ann:pw:file'], 'HOME'],
  [['--passive-ports', '5'], '--passive-ports'],
  [['--passive-ports', '9-8'], '--passive-ports'],
  [['--passive-ports', '0-8'], '--passive-ports'],
  [['--passive-ports', '1-65536'], '--passive-ports'],
  [['--passive-address', 'http://x/'], '--passive-address'],
  [['--passive-address', '192.0.2.1', '--passive-address', '192.0.2.2'], 'was given before'],
  [['--passive-address', '10.0.0.0/40=192.0.2.1'], '--passive-address'],
  [['--passive-exposed-ports', '5-9'], '--passive-exposed-ports needs --passive-ports'],
  [['--passive-ports', '5-9', '--passive-exposed-ports', '5-8'], 'as many ports'],
  [['--passive-wait', 'x'], '--passive-wait'],
  [['--data-peers', '10.0.0.0/40'], '--data-peers'],
  [['--data-peers', 'any', '--data-peers', '10.0.0.0/8'], '--data-peers'],
  [['--charset', 'klingon'], '--charset'],
  [['--charset', 'utf-16'], '--charset'],
  [['--max-rate-per-session', '0'], '--max-rate-per-session'],
  [['--max-sessions-per-user', '1.5'], '--max-sessions-per-user'],
  [['--login-timeout', '0'], '--login-timeout'],
  [['--storage-timeout', '0'], '--storage-timeout'],
  [['--tls-mode', 'explicit'], '--tls-mode needs --tls-cert'],
  [['--tls-mode', 'sometimes'], '--tls-mode'],
  [['--tls-data', 'required'], '--tls-data needs --tls-cert'],
  [
    ['--tls-mode', 'implicit', '--tls-cert', 'x', '--tls-key', 'x', '--listen', 'tcp://:0'],
    "'tcp://:0' begins in clear",
  ],
  [['--ascii', 'maybe'], '--ascii'],
  [['--default-type', 'L8'], '--default-type'],
  [['--listen', 'unix:/tmp/x'], 'unix'],
])('%j is refused with words that name the option', async (argv, words) => {
  const problem = await build(root, ...argv);
  expect(problem).toContain(words);
  expect(problem).not.toContain('ann:pw');
});

test('a root that is no directory is refused', async () => {
  expect(await build(path.join(root, 'file'))).toContain('not a directory');
  expect(await build(path.join(root, 'none'))).toContain('not a directory');
});

test('all options together make a protocol', async () => {
  expect(
    await build(root, '--passive-ports', '50000-50010', '--passive-address', '203.0.113.5', '--no-active'),
  ).toMatchObject({ name: 'ftp', port: 21 });
});

test('a passive port belongs to one worker: no other is given it while it waits', async () => {
  const { host, port } = await unusedAddress();
  const options = [
    '--listen',
    `tcp://${host}:0`,
    '--workers',
    '2',
    '--passive-ports',
    `${port}-${port}`,
    '--passive-wait',
    '0',
  ];
  const program = await startProgram([...programArguments('packages/ftp/src/main.ts'), root, ...options]);
  try {
    const [url = ''] = program.endpoints.ftp ?? [];
    const first = await openSession(url, 'anonymous');
    expect(await first.say('EPSV')).toMatch(/^229 /);
    const workers = (): number => new Set(program.stderr().match(/"pid":\d+(?=[^\n]*"msg":"login")/g)).size;
    for (let session = 0; session < 200 && workers() < 2; session += 1)
      expect(await (await openSession(url, 'anonymous')).say('EPSV')).toMatch(/^425 /);
    expect(workers()).toBe(2);
  } finally {
    await program.stop();
  }
});

test('--access-log has a line for each transfer, and a new file after USR1 where it was moved away', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'ftp-log-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'xferlog');
  const program = await startProgram([
    ...programArguments('packages/ftp/src/main.ts'),
    ...[root, '--listen', 'tcp://127.0.0.1:0', '--workers', '1', '--access-log', file],
  ]);
  try {
    const session = await openSession(program.endpoints.ftp?.[0] ?? '', 'anonymous');
    const fetch = async (): Promise<void> => {
      const data = await session.openData();
      await session.say('RETR file');
      await readAll(data);
      expect(await session.hear()).toMatch(/^226 /);
    };
    await fetch();
    await eventually(async () => (await readFile(file, 'utf8')).endsWith(' 4 /file b _ o a anonymous ftp 0 * c\n'));
    await rename(file, `${file}.1`);
    program.signal('SIGUSR1');
    await fetch();
    await eventually(async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').length === 2);
  } finally {
    await program.stop();
  }
});
