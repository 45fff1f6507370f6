// The tests of docs/writing-a-protocol.md.

import { createServer, serve } from '@wellknown/core';
import {
  createFakeClock,
  describeServerBehaviour,
  openDialogue,
  playDialogue,
  runProgram,
  serveInMemory,
  startProgram,
} from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, FRESH, MAX_TOTAL, parseCommand, tally } from '../tally.ts';
import { programArguments } from '../../test/programs.ts';

describe('parseCommand', () => {
  test.each([
    ['+ 3', { verb: 'add', amount: 3 }],
    ['- 12', { verb: 'add', amount: -12 }],
    ['total', { verb: 'total' }],
    ['+ 999999', { verb: 'add', amount: 999_999 }],
  ])('reads %s', (line, value) => {
    expect(parseCommand(line)).toEqual({ ok: true, value });
  });

  test.each(['', '+', '+3', '+ -3', '+ 1000000', 'TOTAL', 'toString', '+ ３'])('refuses %j', (line) => {
    expect(parseCommand(line).ok).toBe(false);
  });

  test('any text is a command or a refusal', () => {
    fc.assert(
      fc.property(fc.string(), (line) => {
        expect(typeof parseCommand(line).ok).toBe('boolean');
      }),
    );
  });
});

describe('decide', () => {
  test('the total may reach its limit, and not pass it', () => {
    const near = { at: 'counting', total: MAX_TOTAL - 1 } as const;
    expect(decide(near, { verb: 'add', amount: 1 })).toEqual({
      state: { at: 'counting', total: MAX_TOTAL },
      answer: `= ${MAX_TOTAL}`,
    });
    expect(decide(near, { verb: 'add', amount: 2 })).toEqual({ state: near, answer: `! more than ${MAX_TOTAL}` });
  });

  test('after quit nothing counts any more', () => {
    const { state } = decide(FRESH, { verb: 'quit' });
    expect(decide(state, { verb: 'total' })).toEqual({ state: { at: 'over' }, answer: 'bye' });
  });
});

test('a conversation, over memory', () =>
  playDialogue(serveInMemory(tally), [
    { send: '+ 3\r\n' },
    { expect: '= 3\r\n' },
    { send: '- 1\r\ntotal\r\n' },
    { expect: '= 2\r\n= 2\r\n' },
    { send: 'hello\r\n' },
    { expect: /^! expected .*\r\n/ },
    { send: 'quit\r\n' },
    { expect: 'bye\r\n' },
    { expectEnd: true },
  ]));

test('however the bytes are cut, the answers are the same', async () => {
  const input = '+ 3\r\n- 1\nquit\r\n';
  for (let cut = 1; cut < input.length; cut += 1) {
    await playDialogue(serveInMemory(tally), [
      { send: input.slice(0, cut) },
      { send: input.slice(cut) },
      { expect: '= 3\r\n= 2\r\nbye\r\n' },
      { expectEnd: true },
    ]);
  }
});

test('a line of 64 bytes is answered, one more ends the connection', async () => {
  await playDialogue(serveInMemory(tally), [
    { send: `${'x'.repeat(64)}\r\n` },
    { expect: /^! .*\r\n/ },
    { send: 'quit\n' },
    { expect: 'bye\r\n' },
  ]);
  const memory = serveInMemory(tally);
  await playDialogue(memory, [{ send: 'x'.repeat(65) }, { expectEnd: true }]);
  expect(memory.closeReason).toBe('protocol-error');
});

test('a peer that says nothing is ended after a minute, not before', () => {
  const clock = createFakeClock();
  const memory = serveInMemory(tally, { clock });
  clock.advance(59_000);
  expect(memory.closeReason).toBeUndefined();
  clock.advance(2_000);
  expect(memory.closeReason).toBe('idle-timeout');
});

test('over a real connection', async () => {
  await using server = await serve(tally, { listen: 'tcp://127.0.0.1:0' });
  const [service] = (await server.status()).services;
  await playDialogue(service!.endpoints[0]!, [
    { send: '+ 40\r\n+ 2\r\nquit\r\n' },
    { expect: '= 40\r\n= 42\r\nbye\r\n' },
    { expectEnd: true },
  ]);
});

describeServerBehaviour(
  {
    name: 'tally',
    create: ({ listen, ...options }) => createServer({ protocol: tally, listen }, options),
    async exchange(client) {
      client.send('total\r\n');
      await client.receive('= 0\r\n');
    },
    // Three bytes in, seventy out.
    flood: 'x\r\n',
  },
  { describe, test },
);

const PROGRAM = programArguments('examples/tally-program.ts');

test('the program takes the options of every server', async () => {
  const program = await startProgram([...PROGRAM, '--listen', 'tcp://127.0.0.1:0', '--workers', '2']);
  const dialogue = await openDialogue(program.endpoints.tally![0]!);
  await dialogue.send('+ 1\r\nquit\r\n');
  await dialogue.expect('= 1\r\nbye\r\n');
  await dialogue.expectEnd();
  await dialogue.close();
  expect(await program.stop()).toBe(0);
  expect(await runProgram([...PROGRAM, '--listen', 'udp://127.0.0.1:0'])).toMatchObject({
    status: 2,
    stdout: '',
  });
});
