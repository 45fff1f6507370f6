// What older workers keep after a reload, of services that it has not changed.

import dgram from 'node:dgram';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { connectClient, eventually, startProgram, type Client, type Program } from '../../src/testing/index.ts';
import { programArguments } from '../../../../test/programs.ts';

const PROGRAM = programArguments('packages/core/test/fixtures/reloadable-program.ts');

async function start(): Promise<Program> {
  const program = await startProgram(PROGRAM);
  onTestFinished(async () => {
    await program.stop();
  });
  return program;
}

async function reload(program: Program): Promise<void> {
  const before = program.stdout().split('reloaded').length;
  program.signal('SIGHUP');
  await eventually(() => expect(program.stdout().split('reloaded').length).toBe(before + 1));
}

test('datagrams that are at work are answered, by the worker that has them', async () => {
  const program = await start();
  const port = Number(program.endpoints.slow?.[0]?.split(':').at(-1));
  const client = dgram.createSocket('udp4');
  onTestFinished(() => void client.close());
  const answer = once(client, 'message');
  client.send('3000', port, '127.0.0.1');
  await reload(program);
  expect(String((await answer)[0])).toMatch(/^\d+$/);
});
test('the limit on connections holds over the workers of both generations', async () => {
  const program = await start();
  const address = program.endpoints.held?.[0] ?? '';
  const kept: Client[] = [];
  for (let count = 0; count < 3; count += 1) {
    const client = await connectClient(address);
    await client.receive('\n');
    kept.push(client);
  }
  await reload(program);
  const fourth = await connectClient(address);
  await fourth.receive('\n');
  const fifth = await connectClient(address);
  let isServed = false;
  const served = fifth.receive('\n').then(() => (isServed = true));
  // Those that are open are served, and the fifth waits meanwhile.
  for (const client of [...kept, fourth]) {
    client.send('still here\n');
    await client.receive('still here\n');
  }
  expect(isServed).toBe(false);
  // A place that becomes free in an older worker is one for the new ones.
  kept[0]?.end();
  await served;
  for (const client of [...kept, fourth, fifth]) client.reset();
});
