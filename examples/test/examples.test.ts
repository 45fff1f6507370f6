// Every example runs, and what the READMEs show is what runs.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serve } from '@wellknown/core';
import { socket } from '@wellknown/core/socket';
import {
  connectClient,
  openDialogue,
  playDialogue,
  runProgram,
  serveInMemory,
  startProgram,
  type Dialogue,
  type Program,
} from '@wellknown/core/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { programArguments, ROOT, sourceArguments } from '../../test/programs.ts';
import { chat } from '../chat.ts';
import { daytime } from '../daytime.ts';
import { notes } from '../notes.ts';
import { createSorter } from '../sorter.ts';

const readText = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const examples = readdirSync(new URL('..', import.meta.url))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `examples/${name}`);

test('daytime tells the time and hangs up, in this process', async () => {
  const server = await serve(daytime, { listen: 'tcp://127.0.0.1:0' });
  const [service] = (await server.status()).services;
  const client = await connectClient(service?.endpoints[0] ?? '');
  expect(await client.receiveAll()).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z\r\n$/);
  client.end();
  await server.close();
});

const programs: Program[] = [];
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop();
});

async function start(example: string, ...rest: string[]): Promise<Program> {
  const program = await startProgram([...programArguments(`examples/${example}.ts`), ...rest]);
  programs.push(program);
  return program;
}

test('daytime serves from worker processes, started as the README of the examples says', async () => {
  const endpoint = `unix:@wellknown-example-daytime-${process.pid}`;
  programs.push(await startProgram([...sourceArguments('examples/daytime.ts'), endpoint], { cwd: ROOT }));
  const client = await connectClient(endpoint);
  expect(await client.receiveAll()).toMatch(/Z\r\n$/);
  client.end();
});

test('chat carries what is said to other workers, in one order for all, and tells who has left', async () => {
  const endpoint = `unix:@wellknown-example-chat-${process.pid}`;
  await start('chat', endpoint);
  // Connects until both workers have answered, and keeps one connection to each.
  const byWorker = new Map<string, Dialogue>();
  while (byWorker.size < 2) {
    const dialogue = await openDialogue(endpoint);
    const worker = /worker (\d)/.exec(await dialogue.expect(/\?\r\n/))![1]!;
    if (byWorker.has(worker)) await dialogue.close();
    else byWorker.set(worker, dialogue);
  }
  const [anna, ben] = [...byWorker.values()] as [Dialogue, Dialogue];
  await anna.send('anna\n');
  await anna.expect('* anna is here\r\n');
  await ben.send('ben\n');
  await anna.expect('* ben is here\r\n');
  // The news of anna may still have been on its way to his worker.
  await ben.expect(/\* ben is here\r\n/);
  await anna.send('hello\x1b[2J\r\n');
  await ben.expect('<anna> hello[2J\r\n');
  await ben.send('hello yourself\n');
  await anna.expect('<anna> hello[2J\r\n<ben> hello yourself\r\n');
  await ben.close();
  await anna.expect('* ben has left\r\n');
  await anna.close();
});

test('chat works without workers and without a socket', async () => {
  const dialogue = await openDialogue(serveInMemory(chat));
  await dialogue.send('anna\n\n');
  await dialogue.expect('Welcome to worker 0. Who are you?\r\n* anna is here\r\n<anna> \r\n');
  await dialogue.end();
  await dialogue.expectEnd();
});

describe('notes', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-notes-'));
  const [certFile, keyFile] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
  beforeAll(() => {
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
    ];
    execFileSync('openssl', [...request, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('takes nothing in clear', () =>
    playDialogue(serveInMemory(notes), [
      { expect: '220 notes, in secret after STARTTLS\r\n' },
      { send: 'note a secret\r\n' },
      { expect: '530 STARTTLS first\r\n' },
      { send: 'read\r\n' },
      { expect: '530 STARTTLS first\r\n' },
      { send: 'help\r\n' },
      { expect: '200 HELP NOTE READ QUIT STARTTLS\r\n' },
      { send: 'toString\r\n' },
      { expect: '500 what?\r\n' },
      { send: `${'x'.repeat(201)}\r\n` },
      { expectEnd: true },
    ]));

  test('takes notes after the upgrade, and refuses what was sent before it', async () => {
    await using server = await serve(notes, {
      listen: 'tcp://127.0.0.1:0',
      tls: { cert: readFileSync(certFile), key: readFileSync(keyFile) },
    });
    const url = (await server.status()).services[0]!.endpoints[0]!;
    await playDialogue(url, [
      { expect: /^220 .*\r\n/ },
      { send: 'STARTTLS\r\nNOTE smuggled\r\n' },
      { expect: '220 go ahead\r\n' },
    ]);
    expect((await server.status()).services[0]!.connections.closed).toEqual({ 'early-plaintext': 1 });

    await playDialogue(url.replace('127.0.0.1', 'localhost'), [
      { expect: /^220 .*\r\n/ },
      { send: 'STARTTLS\r\n' },
      { expect: '220 go ahead\r\n' },
      { startTls: { ca: readFileSync(certFile) } },
      { send: 'NOTE one\r\nNOTE two\r\nREAD\r\n' },
      { expect: '201 note 1\r\n201 note 2\r\n200 2: one / two\r\n' },
      { send: 'STARTTLS\r\nQUIT\r\n' },
      { expect: '500 what?\r\n221 goodbye\r\n' },
      { expectEnd: true },
    ]);
  });
});

describe('sorter', () => {
  test('runs a program for each connection, which learns who is there', async () => {
    await using server = createSorter('tcp://127.0.0.1:0');
    const [bound] = await server.listen();
    await using client = socket('stream');
    await client.connect(bound!.endpoint);
    const { local } = client;
    expect(await client.readLine()).toBe(
      `TCP 127.0.0.1 port ${local?.family === 'unix' ? '' : local?.port}: send lines, then end`,
    );
    await client.write('pear\napple\nquince\n');
    await client.shutdown('write');
    for (const line of ['apple', 'pear', 'quince', undefined]) expect(await client.readLine()).toBe(line);
  });

  test('serves as a program', async () => {
    const endpoint = `unix:@wellknown-example-sorter-${process.pid}`;
    await start('sorter', endpoint);
    await playDialogue(endpoint, [
      { expect: /^UNIX .*\n/ },
      { send: '2\n1\n' },
      { end: true },
      { expect: '1\n2\n' },
      { expectEnd: true },
    ]);
  });
});

test('lifecycle goes through every step', async () => {
  const { status, stdout } = await runProgram(programArguments('examples/lifecycle.ts'));
  expect(stdout).toMatch(/^hello from \{ family: 'ipv4', address: '127\.0\.0\.1', port: \d+ \}\ngoodbye\n$/);
  expect(status).toBe(0);
});

test('echo-by-select answers over TCP and UDP, and ends when it is told to', async () => {
  const program = await start('echo-by-select');
  const [tcp, udp] = program.endpoints.echo!;
  await Promise.all(
    [1, 2, 3].map((n) =>
      playDialogue(tcp!, [{ send: `client ${n}` }, { expect: `client ${n}` }, { end: true }, { expectEnd: true }]),
    ),
  );
  await using datagrams = socket('datagram');
  await datagrams.sendTo('datagram', udp!);
  expect(Buffer.from((await datagrams.receiveFrom()).data).toString()).toBe('datagram');
  expect(await program.stop()).toBe(0);
});

test('every example is under 60 lines, and in the list', () => {
  for (const file of examples) {
    expect(readText(file).split('\n').length).toBeLessThan(60);
    expect(readText('examples/README.md')).toContain(`[${path.basename(file)}](${path.basename(file)})`);
  }
});

/** Without comments at its head and without indentation: a document may show a part. */
const plain = (code: string): string =>
  code
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');

test.each(['docs/lifecycle.md', 'docs/writing-a-protocol.md'])(
  'the code in %s is that of the examples and their tests, as they run',
  (document) => {
    const running = [...examples, 'examples/test/tally.test.ts'].map((file) => plain(readText(file)));
    const blocks = [...readText(document).matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => code);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) {
      // A line of dots leaves something out.
      for (const piece of block.split(/^\s*\/\/ …$/m))
        expect(
          running.some((code) => code.includes(plain(piece))),
          block,
        ).toBe(true);
    }
  },
);
