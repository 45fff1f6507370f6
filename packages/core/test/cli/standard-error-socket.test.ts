// Standard error as a socket, as systemd gives it to a service: all processes that inherit it share one opening.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectClient } from '../../src/testing/index.ts';
import { PROGRAM } from '../fixtures/identify.ts';

async function socketPair(): Promise<{ ours: net.Socket; theirs: net.Socket }> {
  const server = net.createServer({ pauseOnConnect: true });
  onTestFinished(() => void server.close());
  server.listen(path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-')), 'log'));
  await once(server, 'listening');
  const theirs = net.connect(server.address() as string);
  const [ours] = (await once(server, 'connection')) as [net.Socket];
  onTestFinished(() => {
    ours.destroy();
    theirs.destroy();
  });
  return { ours, theirs };
}

test('a reader that takes nothing stops no server, also once a process that shares it has made it block', async () => {
  const { ours, theirs } = await socketPair();
  const options = ['--workers', '0', '--listen', 'tcp://127.0.0.1:0', '--deny', '127.0.0.1', '--log-level', 'debug'];
  const server = spawn(process.execPath, [...PROGRAM, ...options], { stdio: ['ignore', 'pipe', theirs] });
  onTestFinished(() => void server.kill('SIGKILL'));
  let stdout = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  while (!stdout.includes('ready\n')) await once(server.stdout, 'data');
  // libuv makes what a child inherits block, for everybody who has it.
  await once(spawn('true', [], { stdio: ['ignore', 'ignore', theirs] }), 'exit');
  const url = /tcp:\S+/.exec(stdout)?.[0] ?? '';
  // A line for each that is turned away: far more than the socket holds.
  for (let count = 0; count < 600; count += 1) {
    const client = await connectClient(url);
    expect(await client.receiveAll()).toBe('');
    client.end();
  }
  ours.setEncoding('utf8').resume();
  const [first] = (await once(ours, 'data')) as [string];
  expect(first).toContain('"turned away"');
});
