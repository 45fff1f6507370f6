import { expect, test } from 'vitest';
import { defineProtocol } from '../../src/index.ts';
import { openDialogue, serveInMemory } from '../../src/testing/index.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a line beyond the limit ends the connection as the fault of the peer, after the answers that were given', async () => {
  const logged: unknown[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (...line: unknown[]) => void logged.push(line),
    error: (...line: unknown[]) => void logged.push(line),
  };
  const protocol = defineProtocol({
    name: 'lines',
    port: 0,
    async connection(peer) {
      while ((await peer.readLine({ maxLineBytes: 10 })) !== undefined) await peer.write('fine\n');
    },
  });
  const memory = serveInMemory(protocol, { context: { log } });
  const dialogue = await openDialogue(memory);
  await dialogue.send('0123456789\n0123456789x\n');
  await dialogue.expect('fine\n');
  await dialogue.expectEnd();
  await dialogue.end();
  expect(memory.closeReason).toBe('protocol-error');
  expect(logged).toEqual([]);
});

test.each([
  ['a handler that throws', { connection: () => Promise.reject(new Error('a mistake')) }],
  [
    'a sink that throws',
    {
      open: () => ({
        data: () => {
          throw new Error('a mistake');
        },
      }),
    },
  ],
  [
    'a sink that throws at the end',
    {
      open: () => ({
        data: () => undefined,
        closed: () => {
          throw new Error('a mistake');
        },
      }),
    },
  ],
])('%s ends its own connection, and that is logged once as its fault', async (_, ways) => {
  const logged: unknown[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (...line: unknown[]) => void logged.push(line),
  };
  const memory = serveInMemory(defineProtocol({ name: 'wrong', port: 0, ...ways }), { context: { log } });
  memory.peer.send('hello');
  memory.peer.end();
  await turn();
  expect(memory.closeReason).toBe('handler-failed');
  expect(logged).toEqual([
    [
      expect.objectContaining({ protocol: 'wrong', err: expect.objectContaining({ message: 'a mistake' }) as unknown }),
      'the handler failed',
    ],
  ]);
});
