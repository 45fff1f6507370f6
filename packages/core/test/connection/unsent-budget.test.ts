// What silent readers may hold over a whole process: at the budget, one byte past it, and who is cut.

import { expect, onTestFinished, test } from 'vitest';
import { UnsentBudget, type SlowReader } from '../../src/connection/unsent-budget.ts';
import { createServer, defineProtocol, silentLog, type ServerOptions } from '../../src/index.ts';
import {
  connectClient,
  createFakeClock,
  createMemoryConnection,
  eventually,
  type Client,
} from '../../src/testing/index.ts';

interface FakeReader extends SlowReader {
  unsentBytes: number;
  sentBytes: number;
  isCut: boolean;
}

function reader(unsentBytes: number, sentBytes = 0): FakeReader {
  return {
    unsentBytes,
    sentBytes,
    isCut: false,
    cutForMemory() {
      this.isCut = true;
    },
  };
}

test('nobody is cut at the budget, and the slowest until an eighth of it is free one byte past it', () => {
  const told: number[][] = [];
  const budget = new UnsentBudget({ clock: createFakeClock(), maxBytes: 800, exceeded: (...what) => told.push(what) });
  const readers = Array.from({ length: 8 }, () => reader(100));
  for (const one of readers) budget.stalled(one);
  expect(readers.some(({ isCut }) => isCut)).toBe(false);
  const last = readers[7]!;
  last.unsentBytes += 1;
  budget.stalled(last);
  // Two, since without the first there would still be 701.
  expect(readers.map(({ isCut }) => isCut)).toEqual([true, true, false, false, false, false, false, false]);
  expect(told).toEqual([[2, 801]]);
  expect(budget.unsentBytes).toBe(601);
});

test('the silent are cut first, then who began to wait just now, and last who reads', () => {
  const clock = createFakeClock();
  const budget = new UnsentBudget({ clock, maxBytes: 1_000 });
  const slow = reader(240);
  const silent = reader(240);
  budget.stalled(slow);
  budget.stalled(silent);
  for (let second = 0; second < 3; second += 1) {
    slow.sentBytes += 5_000;
    // The kernel's buffers take much at the beginning, of everyone.
    if (second === 0) silent.sentBytes += 3_000_000;
    clock.advance(1_000);
    budget.sample();
  }
  const fresh = [reader(240), reader(240)];
  for (const one of fresh) budget.stalled(one);
  const isCut = () => [slow, silent, ...fresh].map((one) => one.isCut);
  expect(isCut()).toEqual([false, false, false, false]);
  const last = reader(41);
  budget.stalled(last);
  expect(isCut()).toEqual([false, true, false, false]);
  last.unsentBytes += 240;
  budget.stalled(last);
  expect([...isCut(), last.isCut]).toEqual([false, true, true, false, false]);
});

test('what has left meanwhile is no reason to cut', () => {
  const budget = new UnsentBudget({ clock: createFakeClock(), maxBytes: 1_000 });
  const first = reader(900);
  budget.stalled(first);
  first.unsentBytes = 100;
  const second = reader(800);
  budget.stalled(second);
  expect([first, second].map(({ isCut }) => isCut)).toEqual([false, false]);
  budget.caughtUp(first);
  expect(budget.unsentBytes).toBe(800);
});

test('with many readers just below the budget not every write looks at all of them', () => {
  let looks = 0;
  const budget = new UnsentBudget({ clock: createFakeClock(), maxBytes: 64_000 });
  const watched: SlowReader = {
    get unsentBytes() {
      looks += 1;
      return 10;
    },
    sentBytes: 0,
    cutForMemory: () => undefined,
  };
  budget.stalled(watched);
  const writer = reader(63_990);
  budget.stalled(writer);
  // More than the budget as counted, not as it is: one look finds that out.
  const other = reader(1_000);
  writer.unsentBytes -= 1_000;
  budget.stalled(other);
  const before = looks;
  for (let written = 0; written < 100; written += 1) {
    other.unsentBytes += 10;
    budget.stalled(other);
  }
  expect(looks).toBe(before);
  other.unsentBytes += 1;
  budget.stalled(other);
  expect(looks).toBeGreaterThan(before);
});

test('a budget of 0 only counts, and another size holds from the next write on', () => {
  const budget = new UnsentBudget({ clock: createFakeClock(), maxBytes: 0 });
  const huge = reader(1e12);
  budget.stalled(huge);
  expect([huge.isCut, budget.unsentBytes]).toEqual([false, 1e12]);
  budget.resize(1_000);
  budget.stalled(huge);
  expect([huge.isCut, budget.unsentBytes]).toEqual([true, 0]);
});

test('a connection is counted from the write that found no room until its peer has caught up, or it is closed', () => {
  const unsent = new UnsentBudget({ clock: createFakeClock(), maxBytes: 0 });
  const { connection, peer } = createMemoryConnection({ unsent });
  connection.attach({ data: () => undefined });
  peer.reading = false;
  connection.send('x'.repeat(16_000));
  expect(unsent.unsentBytes).toBe(0);
  connection.send('x'.repeat(16_000));
  expect(unsent.unsentBytes).toBe(32_000);
  peer.reading = true;
  expect(unsent.unsentBytes).toBe(0);
  peer.reading = false;
  connection.end('x'.repeat(20_000));
  expect(unsent.unsentBytes).toBe(20_000);
  connection.destroy();
  expect(unsent.unsentBytes).toBe(0);
});

test('what a protocol keeps for a peer counts until it is released, a buffer once however many peers it is kept for', () => {
  const budget = new UnsentBudget({ clock: createFakeClock(), maxBytes: 1_000 });
  const [first, second] = [reader(0), reader(0)];
  const shared = new Uint8Array(400);
  const releases = [first, second].map((one) => budget.keep(one, shared.subarray(100)));
  const text = budget.keep(second, 'x'.repeat(600));
  expect([budget.unsentBytes, first.isCut, second.isCut]).toEqual([1_000, false, false]);
  text();
  text();
  releases[0]?.();
  expect(budget.unsentBytes).toBe(400);
  budget.caughtUp(second);
  expect(budget.unsentBytes).toBe(400);
  budget.closed(second);
  releases[1]?.();
  expect(budget.unsentBytes).toBe(0);
});

test('one byte too many kept cuts the slowest, with all that is kept for them', () => {
  const budget = new UnsentBudget({ clock: createFakeClock(), maxBytes: 1_000 });
  const [first, second] = [reader(0), reader(0)];
  budget.keep(first, new Uint8Array(500));
  budget.stalled(first);
  budget.keep(second, 'x'.repeat(500));
  budget.keep(second, 'x');
  expect([first.isCut, second.isCut, budget.unsentBytes]).toEqual([true, false, 501]);
});

// More than the buffers of both sides on loopback, so that most of it stays with the server.
const ANSWER = Buffer.alloc(12 * 1024 * 1024, 'x');
const generous = (name: string) =>
  defineProtocol({
    name,
    port: 7,
    open: (connection) => ({ data: () => void connection.send(Buffer.from(ANSWER)) }),
  });

async function silentReader(url: string): Promise<Client> {
  const client = await connectClient(url);
  onTestFinished(() => client.reset());
  client.pause();
  client.send('x');
  return client;
}

async function serveGenerously(options: ServerOptions) {
  const services = ['one', 'two'].map((name) => ({ protocol: generous(name), listen: 'tcp://127.0.0.1:0' }));
  const server = createServer(services, options);
  onTestFinished(() => server.close({ graceMs: 0 }));
  const urls = (await server.listen()).map(({ url }) => url);
  return { server, urls };
}

test('readers of two services are cut when they hold more than the server allows, counted and told in the log once', async () => {
  const lines: string[] = [];
  const log = {
    ...silentLog,
    warn: (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  };
  const { server, urls } = await serveGenerously({ log, maxUnsentBytesTotal: 20 * 1024 * 1024 });
  for (const url of [...urls, ...urls, ...urls]) await silentReader(url);
  const cut = async (): Promise<number> => {
    const { services } = await server.status();
    return services.reduce((sum, { connections }) => sum + (connections.closed['unsent-total'] ?? 0), 0);
  };
  await eventually(async () => (await cut()) > 0);
  const { memory, services } = await server.status();
  expect(memory.unsentBytes).toBeLessThanOrEqual(20 * 1024 * 1024);
  expect(memory.unsentBytes).toBeGreaterThan(0);
  expect(services.map(({ connections }) => connections.accepted)).toEqual([3, 3]);
  expect(lines.filter((line) => line.includes('maxUnsentBytesTotal'))).toHaveLength(1);
});

test('a wrong maxUnsentBytesTotal is refused by name', () => {
  expect(() => createServer({ protocol: generous('one') }, { maxUnsentBytesTotal: -1 })).toThrow(/maxUnsentBytesTotal/);
});
