// docs/scaling.md, tried: its configuration of HAProxy in front of two servers, one of which is stopped while requests run.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually, lacks, startProgram, unusedAddress, type Program } from '@wellknown/core/testing';
import { afterEach, expect, test } from 'vitest';
import { programArguments, ROOT } from '../../../test/programs.ts';

const WELLKNOWN = programArguments('packages/cli/src/main.ts');

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** A server that answers with its name and the address of its client. */
async function start(name: string): Promise<{ program: Program; port: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-scaling-'));
  const handler = path.join(folder, 'handler.mjs');
  writeFileSync(handler, `export default (request, { client }) => new Response('${name} ' + client.address);\n`);
  const program = await startProgram([
    ...[...WELLKNOWN, 'http', '--handler', handler, '--listen', 'tcp://127.0.0.1:0', '--workers', '1'],
    ...['--proxy-protocol', '127.0.0.1', '--drain-timeout', '5'],
  ]);
  ending.push(() => program.stop());
  return { program, port: program.endpoints.http?.[0]?.split(':').at(-1) ?? '' };
}

/** HAProxy as the page has it, with the ports of this test. Resolves with where it listens. */
async function startBalancer(ports: Readonly<Record<string, string>>): Promise<string> {
  const page = readFileSync(path.join(ROOT, 'docs/scaling.md'), 'utf8');
  const given = /^```haproxy\n(.*?)^```$/ms.exec(page)?.[1] ?? '';
  const { port } = await unusedAddress();
  const replaced: Readonly<Record<string, string>> = { ...ports, '8000': String(port) };
  const text = given.replace(/127\.0\.0\.1:(\d+)/g, (_, old: string) => `127.0.0.1:${replaced[old] ?? 'unknown'}`);
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-haproxy-')), 'haproxy.cfg');
  writeFileSync(file, text.replace('maxconn 100000', 'maxconn 100'));
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  ending.push(() => (child.kill('SIGTERM'), exited));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (log += more));
  const url = `http://127.0.0.1:${port}/`;
  await eventually(async () => {
    expect(child.exitCode, log).toBeNull();
    return (await ask(url)).status === 200;
  });
  return url;
}

function ask(url: string, agent?: http.Agent): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, text: error.message });
    http
      .get(url, agent === undefined ? {} : { agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (more: string) => (text += more));
        response.once('error', failed).once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      })
      .once('error', failed);
  });
}

test.skipIf(lacks('haproxy'))(
  'one of two servers behind HAProxy is stopped while requests run, and none of them fails',
  async () => {
    const [one, two] = [await start('one'), await start('two')];
    const url = await startBalancer({ '8081': one.port, '8082': two.port });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    ending.push(() => agent.destroy());
    const answers: { status: number; text: string }[] = [];
    let isOver = false;
    const clients = Array.from({ length: 8 }, async () => {
      while (!isOver) answers.push(await ask(url, agent));
    });
    const servedBy = (name: string): number => answers.filter(({ text }) => text.startsWith(name)).length;
    await eventually(() => servedBy('one') > 50 && servedBy('two') > 50);
    one.program.signal('SIGTERM');
    expect(await one.program.exited).toBe(0);
    const before = servedBy('two');
    await eventually(() => servedBy('two') > before + 100);
    isOver = true;
    await Promise.all(clients);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    // The PROXY header says who it was.
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['one 127.0.0.1', 'two 127.0.0.1']));
  },
);
