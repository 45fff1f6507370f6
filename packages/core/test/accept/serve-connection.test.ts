import { expect, test } from 'vitest';
import { defineProtocol, type Logger } from '../../src/index.ts';
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

/** What a process does about rejections that nothing handles, for as long as `run` takes. */
async function unhandledDuring(run: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  await run();
  await turn();
  process.off('unhandledRejection', note);
  return unhandled;
}

const warningsTo = (lines: unknown[]): Logger => ({
  debug: () => undefined,
  info: () => undefined,
  warn: (_, message) => void lines.push(message),
  error: (...line) => void lines.push(line),
});

test('a write that is not awaited costs its own connection and one warning, whatever the peer does', async () => {
  const logged: unknown[] = [];
  const protocol = defineProtocol({
    name: 'careless',
    port: 0,
    async connection(peer) {
      await peer.readLine();
      for (let count = 0; count < 10; count += 1) void peer.write('x'.repeat(100_000));
      await peer.closed;
      void peer.write('too late');
    },
  });
  const unhandled = await unhandledDuring(async () => {
    const memory = serveInMemory(protocol, { context: { log: warningsTo(logged) } });
    memory.peer.reading = false;
    memory.peer.send('go\n');
    await turn();
    memory.peer.reset();
    await memory.connection.closed;
  });
  expect(unhandled).toEqual([]);
  expect(logged).toEqual(['a write failed and the handler does not await it; this is said once']);
});

test('a write that is awaited, at once or among others, rejects in the handler and is no warning', async () => {
  const logged: unknown[] = [];
  const failures: unknown[] = [];
  const protocol = defineProtocol({
    name: 'careful',
    port: 0,
    async connection(peer) {
      await peer.readLine();
      const many = () => peer.write('x'.repeat(100_000));
      const each = async (): Promise<void> => {
        await peer.write('x');
      };
      await Promise.all([many(), many()]).catch((error: unknown) => failures.push(error));
      await each().catch((error: unknown) => failures.push(error));
      await peer.write('x');
    },
  });
  const unhandled = await unhandledDuring(async () => {
    const memory = serveInMemory(protocol, { context: { log: warningsTo(logged) } });
    memory.peer.reading = false;
    memory.peer.send('go\n');
    await turn();
    memory.peer.reset();
    await memory.connection.closed;
  });
  expect(unhandled).toEqual([]);
  expect(failures).toEqual([
    expect.objectContaining({ code: 'CONNECTION_CLOSED' }),
    expect.objectContaining({ code: 'CONNECTION_CLOSED' }),
  ]);
  expect(logged).toEqual([]);
});
