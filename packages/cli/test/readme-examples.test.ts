// The examples of the READMEs serve as they stand: plain JavaScript in a file of its own, in the folder of somebody who has
// installed the package. Only the port differs, for many tests run at the same time.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'basic-ftp';
import { connectClient, eventually } from '@wellknown/core/testing';
import { probe } from '@wellknown/echo-udp';
import { afterEach, describe, expect, test } from 'vitest';
import { ROOT } from '../../../test/programs.ts';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** Every program in a README, in its order: parts of one, which serve nothing by themselves, are TypeScript. */
const examplesOf = (readme: string): string[] =>
  [...readFileSync(path.join(ROOT, readme), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);

/** Starts the only example of a README, and resolves with what it has printed as its address. */
async function started(readme: string): Promise<string> {
  const [example = '', ...others] = examplesOf(readme);
  expect(others, 'examples that no test runs').toEqual([]);
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-readme-'));
  ending.push(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'node_modules/@wellknown'), { recursive: true });
  for (const name of ['core', 'http', 'ftp', 'telnet', 'echo-udp'])
    symlinkSync(path.join(ROOT, 'packages', name), path.join(folder, 'node_modules/@wellknown', name));
  const file = path.join(folder, 'example.mjs');
  const port = /listen: \d+/g;
  expect(example.match(port)).toHaveLength(1);
  writeFileSync(file, example.replace(port, 'listen: 0'));
  // The packages from their sources, which need no build.
  const source = ['--conditions=@wellknown/source', '--import', import.meta.resolve('tsx')];
  const child = spawn(process.execPath, [...source, file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  ending.push(() => (child.kill('SIGTERM'), ended));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  await eventually(() => output.includes('\n') || child.exitCode !== null);
  expect(output).toMatch(/^listening on \S+\n$/);
  return output.slice('listening on '.length).trim();
}

describe('the example of', () => {
  test.each(['README.md', 'packages/core/README.md'])('%s tells the time', async (readme) => {
    const client = await connectClient(await started(readme));
    expect(await client.receiveAll()).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z\r\n$/);
    client.end();
  });

  test('http answers GET and POST', async () => {
    const url = await started('packages/http/README.md');
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const init = { headers: { connection: 'close' } };
    expect(await (await fetch(`${url}/path`, init)).text()).toBe('Hello from /path\n');
    const posted = await fetch(url, { ...init, method: 'POST', body: '{"a":1}' });
    expect(await posted.json()).toEqual({ from: '127.0.0.1', received: { a: 1 } });
  });

  test('ftp lets its account write and everybody read', async () => {
    const { hostname, port } = new URL(await started('packages/ftp/README.md'));
    const client = new Client();
    ending.push(() => client.close());
    await client.access({ host: hostname, port: Number(port), user: 'ann', password: 'secret' });
    expect((await client.list()).map(({ name }) => name)).toContain('example.mjs');
    await client.ensureDir('made');
    await client.access({ host: hostname, port: Number(port) });
    expect((await client.list()).map(({ name }) => name)).toContain('made');
  });

  test('a world of two rooms lets its players walk and hear each other', async () => {
    const url = (await started('docs/two-room-world.md')).replace('telnet:', 'tcp:');
    const [ann, bob] = [await connectClient(url), await connectClient(url)];
    for (const [client, name] of [
      [ann, 'Ann'],
      [bob, 'Bob'],
    ] as const) {
      await client.receive('known? ');
      client.send(`${name}\r\n`);
      await client.receive('Exits: north.\r\n');
    }
    await ann.receive('Bob comes in.\r\n');
    ann.send('north\r\n');
    await bob.receive('Ann goes north.\r\n');
    await ann.receive('Exits: south.\r\n');
    bob.send('dance\r\nnorth\r\nsay hello\r\n');
    await bob.receive('You can look, say, who, quit, or take an exit.\r\n');
    await ann.receive('Bob arrives.\r\nBob says: hello\r\n');
    bob.end();
    await ann.receive('Bob is gone.\r\n');
    ann.send('quit\r\n');
    await ann.receiveAll();
  });

  test('telnet asks who it is, and repeats what is said', async () => {
    const url = await started('packages/telnet/README.md');
    const client = await connectClient(url.replace('telnet:', 'tcp:'));
    await client.receive('Name: ');
    client.send('Ann\r\n');
    await client.receive('Password: ');
    client.send('secret\r\n');
    await client.receive('Welcome, Ann. Your window has 80 columns.');
    client.send('hello\r\nquit\r\n');
    await client.receive('You said: hello');
    client.reset();
  });

  test('echo sends datagrams back', async () => {
    const report = await probe(await started('packages/echo-udp/README.md'), { count: 3, intervalMs: 10 });
    expect(report.received).toBe(3);
  });

  test('cli is a command line, tested with the program', () => {
    expect(examplesOf('packages/cli/README.md')).toEqual([]);
  });
});
