import { connectDatagram } from '@wellknown/core/socket';
import { createServer, defineProtocol, type DatagramSocket } from '@wellknown/core';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createEchoServer,
  probe,
  ProbeCounters,
  PROBE_WINDOW,
  RttHistogram,
  smallServiceProtocol,
} from '../src/index.ts';
import { probeFormat } from '../src/probe-datagram.ts';

describe('the tally', () => {
  test('counts an answer in time, one that is late, one that comes twice and one that overtook', () => {
    const tally = new ProbeCounters(1_000);
    for (const atMs of [0, 10, 20, 30]) tally.send(atMs);
    tally.receive(1, 100);
    tally.receive(0, 110);
    tally.receive(0, 120);
    tally.receive(2, 1_019);
    expect(tally.counts()).toMatchObject({
      sent: 4,
      received: 3,
      lost: 0,
      waiting: 1,
      duplicates: 1,
      reordered: 1,
      late: 0,
    });
    tally.receive(3, 1_030);
    expect(tally.counts()).toMatchObject({
      received: 3,
      lost: 1,
      waiting: 0,
      late: 1,
      roundTripMs: { min: 90, max: 999 },
    });
  });

  test('knows no probe that was not sent', () => {
    const tally = new ProbeCounters(1_000);
    expect(tally.receive(0, 0)).toBe(false);
    tally.send(0);
    expect([tally.receive(1, 0), tally.receive(0, 0)]).toEqual([false, true]);
  });

  test('gives up the oldest when its window is full', () => {
    const tally = new ProbeCounters(1_000_000);
    for (let count = 0; count < PROBE_WINDOW; count += 1) tally.send(0);
    expect(tally.counts()).toMatchObject({ lost: 0, waiting: PROBE_WINDOW });
    tally.send(0);
    expect(tally.counts()).toMatchObject({ lost: 1, waiting: PROBE_WINDOW });
    expect([tally.receive(0, 1), tally.receive(1, 1)]).toEqual([false, true]);
  });

  test('whatever the network does, every probe is received, lost or waiting, and every answer is counted once', () => {
    const step = fc.oneof(fc.constant('send' as const), fc.nat(30));
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(100)), { maxLength: 200 }), (steps) => {
        const tally = new ProbeCounters(300);
        let nowMs = 0;
        let answers = 0;
        for (const [what, gapMs] of steps) {
          nowMs += gapMs;
          if (what === 'send') tally.send(nowMs);
          else if (tally.receive(what, nowMs)) answers += 1;
          const { sent, received, lost, waiting, duplicates, late, reordered } = tally.counts();
          expect(received + lost + waiting).toBe(sent);
          expect(received + duplicates + late).toBe(answers);
          expect(late).toBeLessThanOrEqual(lost);
          expect(reordered).toBeLessThanOrEqual(received);
        }
      }),
    );
  });
});

describe('round trips', () => {
  test('nothing measured has no summary', () => {
    expect(new RttHistogram().summary()).toBeUndefined();
  });

  test('percentiles are within one percent, the least and the greatest exact', () => {
    const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
        (values) => {
          const roundTrips = new RttHistogram();
          for (const value of values) roundTrips.add(value);
          const order = sorted(values);
          const summary = roundTrips.summary()!;
          expect([summary.min, summary.max]).toEqual([order[0], order.at(-1)]);
          for (const [percent, given] of [
            [50, summary.p50],
            [99, summary.p99],
          ] as const) {
            const exact = order[Math.ceil((order.length * percent) / 100) - 1]!;
            expect(Math.abs(given - exact)).toBeLessThanOrEqual(exact * 0.01 + 0.001);
          }
        },
      ),
    );
  });
});

describe('the datagrams', () => {
  test.each([
    ['echo', 12],
    ['echo', 1_000],
    ['stamp', 44],
    ['stamp', 1_000],
  ] as const)('%s of %i bytes: the answer is read only when it is whole and of this run', (kind, bytes) => {
    const format = probeFormat(kind, bytes, [1, 2]);
    const message = format.write(5, 0);
    const answer =
      kind === 'echo'
        ? message
        : Uint8Array.from([
            ...message.subarray(0, 24),
            ...message.subarray(0, 14),
            0,
            0,
            255,
            0,
            0,
            0,
            ...message.subarray(44),
          ]);
    expect(message).toHaveLength(bytes);
    expect(format.read(answer)?.sequence).toBe(5);
    expect(format.read(answer.subarray(0, bytes - 1))).toBeUndefined();
    expect(probeFormat('echo', bytes, [1, 3]).read(message)).toBeUndefined();
    const changed = Uint8Array.from([...answer.subarray(0, -1), (answer.at(-1) ?? 0) ^ 1]);
    expect(format.read(changed)?.sequence === 5 && bytes > 44).toBe(false);
  });
});

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** What a network does to the Nth datagram on its way back: how many copies arrive, and after how many others. */
type Fate = (index: number) => { readonly copies: number; readonly behind: number; readonly changed?: boolean };

async function badNetwork(fate: Fate): Promise<{ url: string; seen: () => number }> {
  let index = 0;
  let held: { left: number; deliver: () => void }[] = [];
  const answer =
    (socket: DatagramSocket) =>
    (message: Uint8Array, { port, address }: { port: number; address: string }) => {
      const { copies, behind, changed = false } = fate(index);
      index += 1;
      const bytes = changed ? Uint8Array.from(message, (byte) => byte ^ 255) : message;
      const deliver = (): void => {
        for (let count = 0; count < copies; count += 1) socket.send(bytes, port, address);
      };
      for (const one of held) one.left -= 1;
      for (const one of held.filter(({ left }) => left <= 0)) one.deliver();
      held = held.filter(({ left }) => left > 0);
      if (behind === 0) deliver();
      else held.push({ left: behind + 1, deliver });
    };
  const server = createServer({
    protocol: defineProtocol({ name: 'bad-network', port: 7, datagrams: answer }),
    listen: 'udp://127.0.0.1:0',
  });
  closers.push(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return { url: bound?.url ?? '', seen: () => index };
}

describe('the prober', () => {
  test('reports an echo that loses nothing', async () => {
    const server = createEchoServer({ listen: 'udp://127.0.0.1:0' });
    closers.push(() => server.close({ graceMs: 0 }));
    const [bound] = await server.listen();
    const report = await probe(bound?.url ?? '', { count: 50, intervalMs: 1, bytes: 200 });
    expect(report).toMatchObject({
      sent: 50,
      received: 50,
      lost: 0,
      duplicates: 0,
      reordered: 0,
      corrupted: 0,
      refused: 0,
      unsent: 0,
    });
    expect((await server.status()).services[0]?.datagrams).toMatchObject({ received: 50, sent: 50 });
  });

  test('reports exactly the loss, duplicates, reordering and damage that the network did', async () => {
    const { url, seen } = await badNetwork((index) => ({
      copies: index % 10 === 3 ? 0 : index % 10 === 5 ? 2 : 1,
      behind: index % 10 === 7 ? 1 : 0,
      changed: index % 20 === 9,
    }));
    const report = await probe(url, { count: 100, intervalMs: 1, timeoutMs: 500 });
    expect(seen()).toBe(100);
    // Ten did not come, five came changed; ten came twice, ten behind the next one.
    expect(report).toMatchObject({ sent: 100, received: 85, lost: 15, duplicates: 10, reordered: 10, corrupted: 5 });
  });

  test('speaks to a STAMP reflector', async () => {
    const server = createServer({ protocol: smallServiceProtocol('stamp'), listen: 'udp://127.0.0.1:0' });
    closers.push(() => server.close({ graceMs: 0 }));
    const [bound] = await server.listen();
    expect(await probe(bound?.url ?? '', { kind: 'stamp', count: 20, intervalMs: 1 })).toMatchObject({
      received: 20,
      lost: 0,
      corrupted: 0,
    });
  });

  test('ends when it is told to, with what it knows, and shows its progress before', async () => {
    const { url } = await badNetwork(() => ({ copies: 1, behind: 0 }));
    const stop = new AbortController();
    const progress: number[] = [];
    const report = await probe(url, {
      count: Number.POSITIVE_INFINITY,
      intervalMs: 5,
      signal: stop.signal,
      onProgress(now) {
        progress.push(now.sent);
        if (progress.length === 2) stop.abort();
      },
    });
    expect(report.sent).toBeGreaterThanOrEqual(progress[1]!);
    expect(report).toMatchObject({ lost: 0, waiting: 0, received: report.sent });
  });

  test('is told that the port is closed', async () => {
    const peer = await connectDatagram('udp://127.0.0.1:9');
    const { port } = peer.local;
    peer.close();
    const report = await probe(`udp://127.0.0.1:${port}`, { count: 3, intervalMs: 20, timeoutMs: 100 });
    expect(report).toMatchObject({ received: 0, lost: 3 });
    expect(report.refused).toBeGreaterThan(0);
  });

  test.each([
    [{ bytes: 11 }, /'bytes' is 11, allowed is a whole number from 12 to 65507/],
    [{ bytes: 65_508 }, /'bytes'/],
    [{ kind: 'stamp' as const, bytes: 43 }, /from 44/],
    [{ intervalMs: 0.5 }, /'intervalMs'/],
    [{ timeoutMs: 60_001 }, /'timeoutMs'/],
  ])('refuses %j', async (options, words) => {
    await expect(probe('udp://127.0.0.1:7', options)).rejects.toThrow(words);
  });
});
