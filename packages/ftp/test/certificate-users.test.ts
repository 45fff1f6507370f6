// --account-certificate: who shows the certificate of a name needs no password for it.

import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createServer, silentLog } from '@wellknown/core';
import { parseServerArguments } from '@wellknown/core/cli';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate, type TestCertificate } from '../../../test/certificates.ts';
import { createFtpServer, ftpCommand, memoryFileSystem, type Credentials } from '../src/index.ts';
import { openTls, portOf } from './tls-session.ts';

let root = '';
let [own, ann, stranger] = [] as unknown as [TestCertificate, TestCertificate, TestCertificate];
beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'ftp-certified-'));
  await mkdir(path.join(root, 'home'));
  await writeFile(path.join(root, 'home', 'of-ann'), 'text of ann');
  [own, ann, stranger] = [makeCertificate('ftp.example'), makeCertificate('ann'), makeCertificate('ann')];
});
afterAll(() => rm(root, { recursive: true }));

const build = (...argv: string[]) => {
  const request = parseServerArguments([root, ...argv], ftpCommand);
  if (!request.ok || request.value.type !== 'serve') throw new Error(request.ok ? request.value.type : request.error);
  return ftpCommand.build(request.value.values, { log: silentLog, portOffset: 0, isServing: true });
};
const withTls = (): string[] => ['--tls-cert', own.certFile, '--tls-key', own.keyFile, '--tls-client-ca', ann.certFile];

async function serve(): Promise<string> {
  const built = await build(...withTls(), '--account-certificate', 'ann:home', '--account', 'bob:pw');
  if (!built.ok) throw new Error(built.error);
  const tls = { cert: own.cert, key: own.key, clientCertificates: { ca: ann.cert } };
  const server = createServer({ protocol: built.value, tls, listen: 'tcp://127.0.0.1:0' });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return bound?.url ?? '';
}

const login = async (
  url: string,
  shown: TestCertificate | undefined,
  user: string,
  password = 'x',
): Promise<string> => {
  const session = await openTls({ url, tls: shown === undefined ? {} : { cert: shown.cert, key: shown.key } });
  expect(await session.say(`USER ${user}`)).toMatch(/^331 /);
  const answer = await session.say(`PASS ${password}`);
  session.socket.destroy();
  return answer;
};

test('its holder is let in with any password, and nobody else; others have their passwords', async () => {
  const url = await serve();
  expect(await login(url, ann, 'ann')).toMatch(/^230 /);
  expect(await login(url, undefined, 'bob', 'pw')).toMatch(/^230 /);
  expect(await login(url, undefined, 'ann', '')).toMatch(/^530 /);
  expect(await login(url, stranger, 'ann')).toMatch(/^530 /);
  expect(await login(url, ann, 'bob')).toMatch(/^530 /);
});

test.skipIf(spawnSync('curl', ['--version']).status !== 0)(
  'curl (which has to be there) logs in by it, and sees the home',
  async () => {
    const url = await serve();
    const argv = ['-sS', '--insecure', '--ssl-reqd', '--cert', ann.certFile, '--key', ann.keyFile, '--user', 'ann:'];
    const { stdout } = await promisify(execFile)('curl', [...argv, `ftp://127.0.0.1:${portOf(url)}/of-ann`]);
    expect(stdout).toBe('text of ann');
  },
);

test('an authenticator is told of the certificate, or of none', async () => {
  const seen: Credentials['certificate'][] = [];
  await using server = createFtpServer({
    fileSystem: memoryFileSystem(),
    authenticate: ({ certificate }) => (seen.push(certificate), {}),
    tls: { cert: own.cert, key: own.key, clientCertificates: { ca: ann.cert } },
    listen: 'tcp://127.0.0.1:0',
  });
  const [bound] = await server.listen();
  await login(bound?.url ?? '', ann, 'someone');
  await login(bound?.url ?? '', undefined, 'someone');
  expect(seen).toMatchObject([{ commonName: 'ann' }, undefined]);
  await server.close({ graceMs: 0 });
});

describe('is refused', () => {
  test.each([
    [['--account-certificate', 'ann'], '--account-certificate needs --tls-client-ca'],
    [['--account-certificate', ':home'], "--account-certificate ':home' is not of the form NAME[:HOME]"],
    [
      ['--account-certificate', 'ann:none'],
      "--account-certificate 'ann:none': HOME is 'none', which is not a directory",
    ],
    [
      ['--account-certificate', 'ann', '--account-certificate', 'ann:home'],
      "--account-certificate 'ann' is given twice",
    ],
  ])('%j', async (argv, why) => {
    const built = await build(...(why.includes('needs') ? [] : withTls()), ...argv);
    expect(built.ok ? '' : built.error).toContain(why);
  });
});
