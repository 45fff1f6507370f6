// Whatever order a program calls the verbs in, and whether it waits for them or not: a result or a typed error, never a
// hang.

import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DATAGRAM_VERBS,
  select,
  socket,
  STREAM_VERBS,
  type DatagramVerb,
  type StreamSocket,
  type StreamVerb,
  type UdpSocket,
} from '../../src/socket/index.ts';
import { formatEndpoint } from '../../src/address/index.ts';
import { WellknownError } from '../../src/index.ts';

type Call<Subject> = (subject: Subject, peer: string, signal: AbortSignal) => Promise<unknown>;

const STREAM_CALLS: Readonly<Record<Exclude<StreamVerb, 'startTls'>, Call<StreamSocket>>> = {
  bind: (subject, _peer, signal) => subject.bind('tcp://127.0.0.1:0', { signal }),
  listen: (subject, _peer, signal) => subject.listen({ signal }),
  accept: (subject, _peer, signal) => subject.accept({ signal }).then((accepted) => accepted.close({ abort: true })),
  connect: (subject, peer, signal) => subject.connect(peer, { signal }),
  read: (subject, _peer, signal) => subject.read({ signal }),
  write: (subject, _peer, signal) => subject.write('word', { signal }),
  shutdown: (subject) => subject.shutdown('write'),
  close: (subject) => subject.close(),
};

const DATAGRAM_CALLS: Readonly<Record<DatagramVerb, Call<UdpSocket>>> = {
  bind: (subject, _peer, signal) => subject.bind('udp://127.0.0.1:0', { signal }),
  connect: (subject, peer, signal) => subject.connect(peer, { signal }),
  sendTo: (subject, peer, signal) => subject.sendTo('word', peer, { signal }),
  receiveFrom: (subject, _peer, signal) => subject.receiveFrom({ signal }),
  read: (subject, _peer, signal) => subject.read({ signal }),
  write: (subject, _peer, signal) => subject.write('word', { signal }),
  close: (subject) => subject.close(),
};

/** A signal that gives a call a few turns of the event loop. */
function afterTurns(): AbortSignal {
  const patience = new AbortController();
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    if (turns > 5) patience.abort();
    else setImmediate(turn);
  };
  turn();
  return patience.signal;
}

/** `done`, or what it failed with: a code of ours, or `aborted`. Anything else fails the test. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (error instanceof WellknownError) return error.code;
    expect(error).toMatchObject({ name: 'AbortError' });
    return 'aborted';
  }
}

const streamVerbs = fc.array(fc.constantFrom(...(Object.keys(STREAM_CALLS) as (keyof typeof STREAM_CALLS)[])), {
  maxLength: 12,
});
const datagramVerbs = fc.array(fc.constantFrom(...(Object.keys(DATAGRAM_CALLS) as DatagramVerb[])), { maxLength: 12 });

test('one after the other: a verb is refused for the state if and only if the table says so', async () => {
  await using listener = socket('stream');
  const peer = formatEndpoint(await listener.bind('tcp://127.0.0.1:0'));
  await listener.listen();
  await fc.assert(
    fc.asyncProperty(streamVerbs, async (verbs) => {
      const subject = socket('stream');
      for (const verb of verbs) {
        const allowed = STREAM_VERBS[subject.state].includes(verb);
        const outcome = await outcomeOf(STREAM_CALLS[verb](subject, peer, afterTurns()));
        expect(outcome === 'WRONG_STATE').toBe(!allowed);
      }
      await subject.close({ abort: true });
      expect(subject.state).toBe('closed');
    }),
  );
});

test('one after the other, for datagrams', async () => {
  await using other = socket('datagram');
  const peer = formatEndpoint(await other.bind('udp://127.0.0.1:0'));
  await fc.assert(
    fc.asyncProperty(datagramVerbs, async (verbs) => {
      const subject = socket('datagram');
      for (const verb of verbs) {
        const allowed = DATAGRAM_VERBS[subject.state].includes(verb);
        const outcome = await outcomeOf(DATAGRAM_CALLS[verb](subject, peer, afterTurns()));
        expect(outcome === 'WRONG_STATE').toBe(!allowed);
      }
      await subject.close();
      expect(subject.state).toBe('closed');
    }),
  );
});

test('some one after the other, the rest all at once, and closed under them: every call settles', async () => {
  await using listener = socket('stream');
  const streamPeer = formatEndpoint(await listener.bind('tcp://127.0.0.1:0'));
  await listener.listen();
  await using other = socket('datagram');
  const datagramPeer = formatEndpoint(await other.bind('udp://127.0.0.1:0'));
  const never = new AbortController().signal;
  await fc.assert(
    fc.asyncProperty(
      streamVerbs,
      streamVerbs,
      datagramVerbs,
      datagramVerbs,
      async (streamPrefix, forStreams, datagramPrefix, forDatagrams) => {
        const stream = socket('stream');
        const datagrams = socket('datagram');
        for (const verb of streamPrefix.slice(0, 3))
          await outcomeOf(STREAM_CALLS[verb](stream, streamPeer, afterTurns()));
        for (const verb of datagramPrefix.slice(0, 3))
          await outcomeOf(DATAGRAM_CALLS[verb](datagrams, datagramPeer, afterTurns()));
        const outcomes = [
          ...forStreams.map((verb) => outcomeOf(STREAM_CALLS[verb](stream, streamPeer, never))),
          ...forDatagrams.map((verb) => outcomeOf(DATAGRAM_CALLS[verb](datagrams, datagramPeer, never))),
        ];
        await new Promise((resolve) => setImmediate(resolve));
        await stream.close({ abort: true });
        await datagrams.close();
        await Promise.all(outcomes);
      },
    ),
  );
});

test('a signal that lives long keeps nothing of the calls that it was given to', async () => {
  const { signal } = new AbortController();
  await using listener = socket('stream');
  const peer = await listener.bind('tcp://127.0.0.1:0', { signal });
  await listener.listen({ signal });
  await using client = socket('stream');
  await client.connect(peer, { signal });
  await using server = await listener.accept({ signal });
  for (let round = 0; round < 3; round += 1) {
    const reading = server.read({ signal });
    const waiting = select({ readable: [server], acceptable: [listener] }, { signal });
    await client.write(Buffer.alloc(1024 * 1024), { signal });
    await reading;
    await waiting;
  }
  await using datagrams = socket('datagram');
  await datagrams.bind('udp://127.0.0.1:0', { signal });
  const receiving = datagrams.receiveFrom({ signal });
  await datagrams.sendTo('word', datagrams.local!, { signal });
  await receiving;
  await client.close({ signal, abort: true });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
