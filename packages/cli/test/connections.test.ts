// TLS, the PROXY protocol and rules for addresses on every server command, with curl and openssl.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectClient, lacks, startProgram, type Program } from '@wellknown/core/testing';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../../test/certificates.ts';
import { programArguments } from '../../../test/programs.ts';

const WELLKNOWN = programArguments('packages/cli/src/main.ts');
const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-connections-'));
const { certFile: cert, keyFile: key } = makeCertificate('localhost');

beforeAll(() => {
  writeFileSync(path.join(folder, 'hello.txt'), 'hello\n');
});

const running: Program[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.stop()));
});

async function start(...args: string[]): Promise<string> {
  const program = await startProgram([...WELLKNOWN, ...args, '--workers', '1', '--drain-timeout', '0.2']);
  running.push(program);
  return Object.values(program.endpoints)[0]?.[0] ?? '';
}

const withTls = ['--listen', 'tls://127.0.0.1:0', '--tls-cert', cert, '--tls-key', key];

describe.skipIf(lacks('curl'))('curl', () => {
  test('gets a file over TLS', async () => {
    const url = await start('http', folder, ...withTls);
    expect(
      execFileSync('curl', ['-sk', '--max-time', '10', `${url.replace('tls:', 'https:')}/hello.txt`], {
        encoding: 'utf8',
      }),
    ).toBe('hello\n');
  });

  test('speaks the PROXY protocol to a server that wants it, and gets nothing without', async () => {
    const url = (
      await start('http', folder, '--listen', 'tcp://127.0.0.1:0', '--proxy-protocol', '127.0.0.0/8')
    ).replace('tcp:', 'http:');
    expect(
      execFileSync('curl', ['-s', '--max-time', '10', '--haproxy-protocol', `${url}/hello.txt`], { encoding: 'utf8' }),
    ).toBe('hello\n');
    expect(spawnSync('curl', ['-s', '--max-time', '10', `${url}/hello.txt`]).status).not.toBe(0);
  });
});

test.each([
  ['telnet', 'welcome'],
  ['echo', 'hello over TLS'],
])('wellknown %s speaks TLS with openssl s_client', async (command, expected) => {
  const url = await start(command, ...(command === 'ftp' ? [folder] : []), ...withTls);
  const child = spawn('openssl', ['s_client', '-quiet', '-connect', url.slice('tls://'.length)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.write('hello over TLS\r\n');
  let output = '';
  child.stdout.setEncoding('latin1');
  for await (const text of child.stdout as AsyncIterable<string>) {
    output += text;
    if (new RegExp(expected, 'i').test(output)) break;
  }
  child.kill();
  await once(child, 'close');
  expect(output).toMatch(new RegExp(expected, 'i'));
});

test.each(['http', 'telnet', 'echo'])(
  'wellknown %s takes several certificates, and openssl s_client gets the one that it asks for',
  async (command) => {
    const { certFile: cert, keyFile: key } = makeCertificate('other.example');
    const url = await start(command, ...withTls, '--tls-cert', cert, '--tls-key', key);
    const shown = (serverName: string): string =>
      spawnSync('openssl', ['s_client', '-connect', url.slice('tls://'.length), '-servername', serverName], {
        input: '',
        encoding: 'utf8',
        timeout: 10_000,
      }).stdout;
    expect(shown('other.example')).toMatch(/subject=CN ?= ?other\.example\n/);
    expect(shown('localhost')).toMatch(/subject=CN ?= ?localhost\n/);
  },
);

test.each(['http', 'ftp', 'telnet', 'echo'])(
  'wellknown %s turns away whom --deny names, in silence',
  async (command) => {
    const url = await start(
      command,
      ...(command === 'ftp' ? [folder] : []),
      '--listen',
      'tcp://127.0.0.1:0',
      '--deny',
      '127.0.0.0/8',
    );
    const client = await connectClient(url);
    client.send('hello\r\n\r\n');
    expect(await client.receiveAll()).toBe('');
  },
);
