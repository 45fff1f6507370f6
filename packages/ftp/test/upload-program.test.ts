// --on-upload: a program for each upload that was stored.

import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createServer, silentLog, type Logger, type Server } from '@wellknown/core';
import { parseServerArguments } from '@wellknown/core/cli';
import { eventually } from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ftpCommand } from '../src/index.ts';
import { MAX_UPLOAD_PROGRAMS } from '../src/upload-program.ts';
import { openSession, type FtpSession } from './ftp-session.ts';

/** A folder with `root`, `root/ann` and a program made of this shell script, whose own folder is `$OUT`. */
async function folder(script: string) {
  const top = await realpath(await mkdtemp(path.join(os.tmpdir(), 'ftp-program-')));
  onTestFinished(() => rm(top, { recursive: true }));
  const [root, out, program] = ['root', 'out', 'program'].map((name) => path.join(top, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [root, out, path.join(root, 'ann')]) await mkdir(each);
  await writeFile(program, `#!/bin/sh\nOUT='${out}'\n${script}\n`);
  await chmod(program, 0o755);
  const told = async (name: string): Promise<string> => readFile(path.join(out, name), 'utf8');
  return { root, out, program, told };
}

const build = (log: Logger, ...argv: string[]) => {
  const request = parseServerArguments(argv, ftpCommand);
  if (!request.ok || request.value.type !== 'serve') throw new Error('no command line');
  return ftpCommand.build(request.value.values, { log, portOffset: 0, isServing: true });
};

async function serve(
  argv: string[],
  log: Logger = silentLog,
): Promise<{ readonly server: Server; readonly url: string }> {
  const built = await build(log, ...argv);
  if (!built.ok) throw new Error(built.error);
  const server = createServer({ protocol: built.value, listen: 'tcp://127.0.0.1:0' });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return { server, url: bound?.url ?? '' };
}

/** Sends a file; the reply to it is still to come. */
async function send(session: FtpSession, command: string, text = 'text'): Promise<void> {
  const data = await session.openData();
  expect(await session.say(command)).toMatch(/^150 /);
  data.end(text);
  data.resume();
}

const store = async (session: FtpSession, command: string, text?: string): Promise<string> => {
  await send(session, command, text);
  return session.hear();
};

// Moved into place, so that who looks sees all of it.
const TELL = 'env | sort > "$OUT/$$"; echo "$@" >> "$OUT/$$"; mv "$OUT/$$" "$OUT/$(basename "$1").$UPLOAD_HOW"';

test('is told of the file, of the user and of what has come, and nothing of the server’s own environment', async () => {
  const { root, program, out, told } = await folder(TELL);
  process.env.FTP_TEST_PASSWORD = 'pw';
  onTestFinished(() => void Reflect.deleteProperty(process.env, 'FTP_TEST_PASSWORD'));
  const { url } = await serve([
    root,
    '--account-env',
    'ann:FTP_TEST_PASSWORD:ann',
    '--write',
    '--quota',
    '100',
    '--on-upload',
    program,
  ]);
  const session = await openSession(url, 'ann', 'pw');
  await session.say('MKD sub');
  expect(await store(session, "STOR sub/a 'b.txt", 'hello')).toMatch(/^226 /);
  expect(await store(session, "APPE sub/a 'b.txt", ' you')).toMatch(/^226 /);
  await eventually(() => existsSync(path.join(out, "a 'b.txt.append")) && existsSync(path.join(out, "a 'b.txt.store")));
  const lines = (await told("a 'b.txt.store")).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      "UPLOAD_PATH=/sub/a 'b.txt",
      'UPLOAD_BYTES=5',
      'UPLOAD_USER=ann',
      'UPLOAD_ADDRESS=127.0.0.1',
      'UPLOAD_SECURE=0',
      `${root}/ann/sub/a 'b.txt`,
    ]),
  );
  expect(lines.join('\n')).not.toContain('FTP_TEST_PASSWORD');
  expect(await told("a 'b.txt.append")).toContain('UPLOAD_BYTES=4');
  expect(await readFile(path.join(root, "ann/sub/a 'b.txt"), 'utf8')).toBe('hello you');
});

test('is not run for an upload that was given up or refused', async () => {
  const { root, program, out } = await folder(TELL);
  const { url } = await serve([root, '--account', 'ann:pw', '--write', '--quota', '10', '--on-upload', program]);
  const session = await openSession(url, 'ann', 'pw');
  expect(await store(session, 'STOR large', 'more than ten bytes')).toMatch(/^552 /);
  const data = await session.openData();
  expect(await session.say('STOR cut')).toMatch(/^150 /);
  data.resetAndDestroy();
  expect(await session.hear()).toMatch(/^426 /);
  expect(await store(session, 'STOR last')).toMatch(/^226 /);
  await eventually(() => existsSync(path.join(out, 'last.store')));
  expect(await readdir(out)).toEqual(['last.store']);
});

test('that fails is in the log with its words, and the upload stays', async () => {
  const { root, program } = await folder('echo "what a pity" >&2; exit 3');
  const said: object[] = [];
  const log = { ...silentLog, error: (fields: object) => said.push(fields) };
  const { url } = await serve([root, '--account', 'ann:pw', '--write', '--on-upload', program], log);
  const session = await openSession(url, 'ann', 'pw');
  expect(await store(session, 'STOR file')).toMatch(/^226 /);
  await eventually(() => said.length === 1);
  expect(said).toEqual([{ program, file: path.join(root, 'file'), status: 3, signal: null, said: 'what a pity' }]);
  expect(existsSync(path.join(root, 'file'))).toBe(true);
});

test(`runs ${MAX_UPLOAD_PROGRAMS} times at once; the upload behind them is answered when one has ended`, async () => {
  const { root, program, out } = await folder('while ! [ -e "$OUT/go" ]; do sleep 0.05; done');
  const { url } = await serve([root, '--account', 'ann:pw', '--write', '--on-upload', program]);
  const session = await openSession(url, 'ann', 'pw');
  for (let count = 0; count < MAX_UPLOAD_PROGRAMS; count += 1)
    expect(await store(session, `STOR file${count}`)).toMatch(/^226 /);
  await send(session, 'STOR waits');
  await eventually(() => existsSync(path.join(root, 'waits')));
  expect(await session.say('NOOP')).toMatch(/^200 /);
  await writeFile(path.join(out, 'go'), '');
  expect(await session.hear()).toMatch(/^226 /);
});

test('is waited for by a server that closes', async () => {
  const { root, program, out } = await folder('while ! [ -e "$OUT/go" ]; do sleep 0.05; done; touch "$OUT/done"');
  const { server, url } = await serve([root, '--account', 'ann:pw', '--write', '--on-upload', program]);
  const session = await openSession(url, 'ann', 'pw');
  expect(await store(session, 'STOR file')).toMatch(/^226 /);
  const closed = server.close({ graceMs: 30_000 });
  expect(await session.hear()).toMatch(/^421 /);
  await writeFile(path.join(out, 'go'), '');
  await closed;
  expect(existsSync(path.join(out, 'done'))).toBe(true);
});

describe('is refused at the start', () => {
  test.each([
    ['that is not there', 'nowhere', 'there is no such file'],
    ['that is a folder', 'root', 'it is not a regular file'],
    ['that is no program', 'root/text', 'this user may not run it'],
  ])('%s', async (_, name, why) => {
    const { root } = await folder('');
    await writeFile(path.join(root, 'text'), '', { mode: 0o644 });
    const program = path.join(root, '..', name);
    const built = await build(silentLog, root, '--account', 'ann:pw', '--on-upload', program);
    expect(built).toEqual({ ok: false, error: `--on-upload '${program}' can't be run: ${why}` });
  });

  test('without accounts, for anonymous users store nothing', async () => {
    const { root, program } = await folder('');
    expect(await build(silentLog, root, '--on-upload', program)).toMatchObject({ ok: false });
  });
});
