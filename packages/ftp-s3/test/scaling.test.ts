// docs/scaling.md, tried: its configuration of HAProxy in front of two FTP servers that keep their files in one S3 store.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Client } from 'basic-ftp';
import { eventually, lacks, startProgram, unusedAddress, type Program } from '@wellknown/core/testing';
import { afterEach, expect, test } from 'vitest';
import { programArguments, ROOT } from '../../../test/programs.ts';
import { startS3Server } from './s3-server.ts';

const PROGRAM = programArguments('packages/ftp-s3/test/fixtures/s3-ftp-program.ts');

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** The page's configuration, with other ports: those that it names are other people's. */
async function startBalancer(ports: Readonly<Record<string, string>>): Promise<void> {
  const page = readFileSync(path.join(ROOT, 'docs/scaling.md'), 'utf8');
  const defaults = /^defaults\n(?: {2}.*\n)+/m.exec(page)?.[0] ?? '';
  const given = /^```haproxy ftp\n(.*?)^```$/ms.exec(page)?.[1] ?? '';
  const text = given.replace(/(127\.0\.0\.\d):([\d-]+)/g, (_, host: string, old: string) => {
    return `${host}:${ports[old] ?? 'unknown'}`;
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-ftp-haproxy-'));
  ending.push(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(file, `global\n  maxconn 100\n${defaults}\n${text}`);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  ending.push(() => (child.kill('SIGTERM'), exited));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (log += more));
  await eventually(async () => {
    expect(child.exitCode, log).toBeNull();
    const client = new Client();
    await client.connect('127.0.0.1', Number(ports['2121'])).finally(() => client.close());
    return true;
  });
}

/** A session through the balancer. */
async function logIn(port: string): Promise<Client> {
  const client = new Client();
  ending.push(() => client.close());
  await client.access({ host: '127.0.0.1', port: Number(port), user: 'anna', password: 'secret' });
  return client;
}

async function download(client: Client, name: string): Promise<string> {
  const into = new PassThrough();
  const [content] = await Promise.all([buffer(into), client.downloadTo(into, name)]);
  return content.toString();
}

/** Ports of a range that nobody listens at, for passive connections of one server. */
async function unusedRange(): Promise<string> {
  const { port } = await unusedAddress();
  return `${port}-${port}`;
}

test.skipIf(lacks('haproxy'))(
  'a file that one server behind HAProxy has taken is listed and sent by the other, also once the first has gone',
  async () => {
    const store = await startS3Server();
    ending.push(() => store.stop());
    const ports = {
      '2121': String((await unusedAddress()).port),
      '50000-50009': await unusedRange(),
      '51000-51009': await unusedRange(),
    };
    const start = async (host: string, passive: string): Promise<Program> => {
      const env = { LISTEN: `tcp://${host}:${ports['2121']}`, S3_ENDPOINT: store.endpoint, PASSIVE_PORTS: passive };
      const program = await startProgram(PROGRAM, { env });
      ending.push(() => program.stop());
      return program;
    };
    const one = await start('127.0.0.2', ports['50000-50009']);
    await start('127.0.0.3', ports['51000-51009']);
    await startBalancer(ports);
    // leastconn: the second session is the other server's.
    const [first, second] = [await logIn(ports['2121']), await logIn(ports['2121'])];
    const passiveOf = async (client: Client): Promise<string> => {
      const { message } = await client.send('EPSV');
      return /\|(\d+)\|/.exec(message)?.[1] ?? message;
    };
    const used = new Set([await passiveOf(first), await passiveOf(second)]);
    expect(used.size).toBe(2);
    await first.uploadFrom(Readable.from(['of the first']), 'shared.txt');
    expect((await second.list()).map(({ name, size }) => [name, size])).toEqual([['shared.txt', 12]]);
    expect(await download(second, 'shared.txt')).toBe('of the first');
    await second.uploadFrom(Readable.from(['of the second']), 'shared.txt');
    expect(await download(first, 'shared.txt')).toBe('of the second');
    one.signal('SIGTERM');
    first.close();
    second.close();
    expect(await one.exited).toBe(0);
    for (let session = 0; session < 3; session += 1) {
      const client = await logIn(ports['2121']);
      expect(await download(client, 'shared.txt')).toBe('of the second');
      client.close();
    }
  },
);
