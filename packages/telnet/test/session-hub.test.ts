import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Siblings } from '@wellknown/core';
import {
  createFakeClock,
  eventually,
  serveInMemory,
  startProgram,
  type ServedMemoryConnection,
} from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { programArguments } from '../../../test/programs.ts';
import { telnetProtocol } from '../src/protocol.ts';
import { held, settle } from './session-fixture.ts';

/** Workers that hear each other. */
function bus(): { join: () => Siblings } {
  const listeners = new Set<(message: unknown) => void>();
  return {
    join() {
      let own: ((message: unknown) => void) | undefined;
      return {
        tell(message) {
          // As over the wire: a copy, and later.
          const copy: unknown = JSON.parse(JSON.stringify(message));
          for (const listener of listeners) if (listener !== own) queueMicrotask(() => listener(copy));
        },
        listen(listener) {
          own = listener;
          listeners.add(listener);
        },
      };
    },
  };
}

interface Worker extends ReturnType<typeof held> {
  readonly served: ServedMemoryConnection;
}

function workers(count: number, clock = createFakeClock()): Worker[] {
  const { join: joinBus } = bus();
  return Array.from({ length: count }, (_, index) => {
    const handler = held();
    const served = serveInMemory(telnetProtocol(handler.handler), {
      clock,
      context: { workerSlot: index + 1, workerCount: count, siblings: joinBus() },
    });
    return { ...handler, served };
  });
}

describe('the list of sessions', () => {
  test('is of all workers, with the names that handlers gave, cleaned', async () => {
    const [one, two] = workers(2);
    await settle();
    one!.session().name = 'Ann\u001b[2J';
    two!.session().name = 'Bob';
    const list = await one!.session().sessions();
    expect(list.map(({ name }) => name).sort()).toEqual(['Ann[2J', 'Bob']);
    expect(new Set(list.map(({ key }) => key)).size).toBe(2);
    expect(list.map(({ key }) => key)).toContain(one!.session().key);
  });

  test('has no session that is over', async () => {
    const [one, two] = workers(2);
    await settle();
    two!.served.peer.reset();
    await settle();
    expect(await one!.session().sessions()).toHaveLength(1);
  });

  test('does not wait for a worker that says nothing for longer than half a second', async () => {
    const clock = createFakeClock();
    const handler = held();
    serveInMemory(telnetProtocol(handler.handler), {
      clock,
      context: { workerSlot: 1, workerCount: 2, siblings: { tell: () => undefined, listen: () => undefined } },
    });
    await settle();
    const list = handler.session().sessions();
    clock.advance(500);
    expect(await list).toHaveLength(1);
  });

  test('of a process that serves alone is its own', async () => {
    const [only] = workers(1);
    await settle();
    only!.served.clock.advance(5000);
    expect(await only!.session().sessions()).toMatchObject([{ connectedForMs: 5000, terminalType: 'unknown' }]);
  });
});

test('a broadcast reaches every session of all workers but the one that speaks', async () => {
  const all = workers(3);
  await settle();
  for (const { served } of all) served.peer.take();
  all[0]!.session().broadcast('hello all');
  await settle();
  expect(all.map(({ served }) => served.peer.take())).toEqual(['', 'hello all\r\n', 'hello all\r\n']);
});

test('a broadcast at the limit is sent, and what is past it is cut off', async () => {
  const [one, two] = workers(2);
  await settle();
  two!.served.peer.take();
  one!.session().broadcast('x'.repeat(16_385));
  await settle();
  expect(two!.served.peer.take()).toBe(`${'x'.repeat(16_384)}\r\n`);
});

test('two workers of a real server see and hear each other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wellknown-telnet-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'chat.mjs');
  await writeFile(
    file,
    `export default async (session) => {
       for await (const line of session.lines()) {
         if (line === 'who') await session.print('pid ' + process.pid + ' of ' + (await session.sessions()).length);
         else session.broadcast(line);
       }
     };`,
  );
  const server = await startProgram([
    ...programArguments('packages/telnet/src/main.ts'),
    ...['--listen', 'tcp://127.0.0.1:0', '--workers', '2', '--handler', file],
  ]);
  onTestFinished(() => void server.stop());
  const port = Number(server.endpoints.telnet?.[0]?.split(':').at(-1));
  const sockets: Socket[] = [];
  const received: string[] = [];
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  const pidOf = (index: number): string | undefined => /pid (\d+)/.exec(received[index] ?? '')?.[1];
  // The kernel spreads connections as it likes: until both workers have one.
  await eventually(async () => {
    const index = sockets.length;
    const socket = connectSocket(port, '127.0.0.1');
    sockets.push(socket);
    received.push('');
    socket.on('data', (chunk) => (received[index] = `${received[index] ?? ''}${chunk.toString('latin1')}`));
    socket.write('who\n');
    await eventually(() => pidOf(index) !== undefined);
    return new Set(sockets.map((_, each) => pidOf(each))).size === 2;
  });
  sockets[0]!.write('who\n');
  await eventually(() => received[0]!.includes(`of ${sockets.length}\r\n`));
  sockets[0]!.write('hello all\n');
  await eventually(() => received.slice(1).every((each) => each.includes('hello all\r\n')));
  expect(received[0]).not.toContain('hello all');
});
