// `wellknown echo --also …` as a user runs it.

import { connectDatagram } from '@wellknown/core/socket';
import { connectClient, runProgram, startProgram, type Program } from '@wellknown/core/testing';
import { afterEach, expect, test } from 'vitest';
import { runHere } from '../../../test/command-line.ts';
import { programArguments } from '../../../test/programs.ts';
import { run } from '../src/run.ts';

const WELLKNOWN = programArguments('packages/cli/src/main.ts');

const running: Program[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.stop()));
});

test('--also serves the named services and no others, over datagrams and streams, from worker processes', async () => {
  const program = await startProgram([
    ...WELLKNOWN,
    'echo',
    '--listen',
    'udp://127.0.0.1:0',
    '--listen',
    'tcp://127.0.0.1:0',
    '--also',
    'daytime,chargen,stamp',
    '--workers',
    '1',
    '--drain-timeout',
    '1',
  ]);
  running.push(program);
  expect(
    Object.entries(program.endpoints).map(([name, urls]) => [name, ...urls.map((url) => url.slice(0, 3))]),
  ).toEqual([
    ['echo', 'udp', 'tcp'],
    ['daytime', 'udp', 'tcp'],
    ['chargen', 'tcp'],
    ['stamp', 'udp'],
  ]);
  const peer = await connectDatagram(program.endpoints.daytime?.[0] ?? '');
  peer.send(new Uint8Array());
  expect(Buffer.from((await peer.read(5_000)) ?? []).toString()).toMatch(
    /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n$/,
  );
  peer.close();
  const client = await connectClient(program.endpoints.chargen?.[0] ?? '');
  expect(await client.receive('abc')).toMatch(/^ !"#/);
  client.reset();
});

test.each([
  [['--also', 'daytime,qotd'], "--also names 'qotd', allowed are discard, daytime, chargen, time, stamp"],
  [['--also', 'chargen'], 'chargen is served over tcp only: add --listen tcp://HOST:PORT'],
  [['--total-rate', '0'], "--total-rate is '0', allowed is a number from 1"],
  [['--max-unbroken', '1.5'], '--max-unbroken'],
  [
    ['--receive-buffer', '2147483648'],
    "--receive-buffer is '2147483648', allowed is a whole number from 0 to 2147483647",
  ],
])('%j is refused by name', async (args, words) => {
  const { status, stdout, stderr } = await runHere(() => run(['echo', ...args]));
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(words);
});

test('a multicast address is refused when it would be bound', async () => {
  const { status, stdout, stderr } = await runProgram([
    ...WELLKNOWN,
    'echo',
    '--listen',
    'udp://224.0.0.1:8007',
    '--workers',
    '0',
  ]);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain('multicast address');
});
