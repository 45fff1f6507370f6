// Limits over several machines: each is a `SharedLimits` with its ledgers and bans, and what travels between them is a list
// in memory.

import { createFakeClock, type FakeClock } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressLedger } from '../../src/accept/address-ledger.ts';
import { BanCounter } from '../../src/accept/ban-counter.ts';
import { HeldElsewhere } from '../../src/accept/held-elsewhere.ts';
import { SharedLimits } from '../../src/accept/shared-limits.ts';
import { createServer } from '../../src/create-server.ts';
import { parseLimitsNews, type LimitsExchange, type LimitsExchangeEvents } from '../../src/limits-exchange.ts';
import { silentLog } from '../../src/log.ts';
import type { ServerLimits } from '../../src/options.ts';
import { resolveOptions } from '../../src/resolved-options.ts';

const BANS = { maxOffences: 3, forgetMs: 60_000, banMs: 600_000 };

/** All who are connected hear what one tells, but for itself. What travels is text, as on any real way. */
function createBus(): { exchange(name: string): LimitsExchange; cut(): void; mend(): void; readonly texts: string[] } {
  const open = new Map<string, LimitsExchangeEvents>();
  const texts: string[] = [];
  let isUp = true;
  return {
    texts,
    exchange: (name) => ({
      open(events) {
        open.set(name, events);
        if (isUp) events.connected();
      },
      tell(news) {
        if (!isUp) return false;
        const text = JSON.stringify(news);
        texts.push(text);
        const heard = parseLimitsNews(text);
        if (heard === undefined) throw new Error(`not a message: ${text}`);
        for (const [other, events] of open) if (other !== name) events.received(name, heard);
        return true;
      },
      close() {
        open.delete(name);
        return Promise.resolve();
      },
    }),
    cut() {
      isUp = false;
      for (const events of open.values()) events.lost(new Error('no way'));
    },
    mend() {
      isUp = true;
      for (const events of open.values()) events.connected();
    },
  };
}

interface Machine {
  readonly shared: SharedLimits;
  readonly ledger: AddressLedger;
  readonly bans: BanCounter;
  readonly banned: string[];
  /** So many connections of the address are asked for; answers how many are let in. */
  letIn(key: string, count: number): number;
}

function createMachine(
  name: string,
  bus: ReturnType<typeof createBus>,
  clock: FakeClock,
  limits: Partial<ServerLimits> = {},
): Machine {
  const options = resolveOptions(
    { protocol: { name: 'ftp', port: 21, connection: () => Promise.resolve(), bans: BANS } },
    { clock, limits, log: silentLog, limitsExchange: bus.exchange(name) },
  );
  const [service] = options.services;
  if (service === undefined) throw new Error('no service');
  const shared = new SharedLimits({
    exchange: bus.exchange(name),
    clock,
    log: silentLog,
    services: [{ name: 'ftp', limits: service.limits }],
  });
  const { maxConnectionsPerAddress, maxAcceptsPerSecondPerAddress } = service.limits;
  const ledger = new AddressLedger(maxConnectionsPerAddress, maxAcceptsPerSecondPerAddress, shared.observer(0));
  const banned: string[] = [];
  const bans = new BanCounter(options, (_, key) => banned.push(key), shared);
  shared.open({ ledgerOf: (service) => (service === 0 ? ledger : undefined), bans });
  return {
    shared,
    ledger,
    bans,
    banned,
    letIn(key, count) {
      let passed = 0;
      for (let index = 0; index < count; index += 1) {
        if (ledger.lease(1, key, clock.nowMs()) !== 'granted') continue;
        shared.opened(0, key);
        passed += 1;
      }
      return passed;
    },
  };
}

test('of services that a reload has changed, the one that is served is told of and told', () => {
  const clock = createFakeClock();
  const bus = createBus();
  const { limits } = resolveOptions({ protocol: { name: 'ftp', port: 21, connection: () => undefined } }, {})
    .services[0] ?? { limits: undefined };
  if (limits === undefined) throw new Error('no service');
  // The second is of a reload that has failed, or is under way.
  const services = [{ name: 'ftp', limits }];
  let present = [0];
  const shared = new SharedLimits({
    ...{ exchange: bus.exchange('one'), clock, log: silentLog, services },
    present: () => present,
  });
  const banned: number[] = [];
  const ledgers = [0, 1].map((service) => new AddressLedger(10, 0, shared.observer(service)));
  services.push({ name: 'ftp', limits });
  shared.open({
    ledgerOf: (service) => ledgers[service],
    bans: {
      offendedElsewhere: () => undefined,
      bannedElsewhere: (service) => banned.push(service),
      bans: () => [],
    },
  });
  const other = bus.exchange('two');
  other.open({
    connected: () => undefined,
    lost: () => undefined,
    received: () => undefined,
    refused: () => undefined,
  });
  other.tell({ type: 'ban', service: 'ftp', key: 'a', forMs: 1_000 });
  present = [1];
  other.tell({ type: 'ban', service: 'ftp', key: 'a', forMs: 1_000 });
  expect(banned).toEqual([0, 1]);
});

test('who was banned at a service is banned at what takes its place', () => {
  const clock = createFakeClock();
  const protocol = { name: 'ftp', port: 21, connection: () => undefined, bans: BANS };
  const options = resolveOptions(
    [
      { protocol, listen: 1 },
      { protocol, listen: 2 },
    ],
    { clock, log: silentLog },
  );
  const bans = new BanCounter(options, () => undefined);
  for (let time = 0; time < BANS.maxOffences; time += 1) bans.offended(0, 'a');
  bans.inherit(0, 1);
  expect(bans.bans().map(({ service, key }) => [service, key])).toEqual([
    [0, 'a'],
    [1, 'a'],
  ]);
});

function createPair(limits: Partial<ServerLimits> = {}): {
  readonly clock: FakeClock;
  readonly bus: ReturnType<typeof createBus>;
  readonly one: Machine;
  readonly two: Machine;
} {
  const [clock, bus] = [createFakeClock(), createBus()];
  return { clock, bus, one: createMachine('one', bus, clock, limits), two: createMachine('two', bus, clock, limits) };
}

describe('a ban', () => {
  test('is known to the other machine, and offences at both are counted together', () => {
    const { one, two } = createPair();
    one.bans.offended(0, '192.0.2.1');
    two.bans.offended(0, '192.0.2.1');
    expect([one.banned, two.banned]).toEqual([[], []]);
    one.bans.offended(0, '192.0.2.1');
    expect([one.banned, two.banned]).toEqual([['192.0.2.1'], ['192.0.2.1']]);
  });

  test('is counted by each machine for itself while there is no way, told once there is one, and what was lost is counted', () => {
    const { bus, one, two } = createPair();
    bus.cut();
    for (let offence = 0; offence < 3; offence += 1) one.bans.offended(0, '192.0.2.1');
    expect([one.banned, two.banned]).toEqual([['192.0.2.1'], []]);
    // Three offences and the ban.
    expect(one.shared.status()).toMatchObject({ connected: false, lost: 4 });
    bus.mend();
    expect(two.banned).toEqual(['192.0.2.1']);
    for (let offence = 0; offence < 3; offence += 1) one.bans.offended(0, '192.0.2.2');
    expect(two.banned).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(two.shared.status()).toMatchObject({ connected: true });
  });

  test('of a service that this machine does not have changes nothing', () => {
    const { bus, one } = createPair();
    bus.exchange('stranger').tell({ type: 'ban', service: 'gopher', key: '192.0.2.1', forMs: 1_000 });
    expect(one.banned).toEqual([]);
  });
});

describe('connections of one address', () => {
  test('are counted over both machines, from a tenth of a second on', () => {
    const { clock, one, two } = createPair({ maxConnectionsPerAddress: 10 });
    expect(one.letIn('192.0.2.1', 6)).toBe(6);
    clock.advance(100);
    expect(two.letIn('192.0.2.1', 6)).toBe(4);
    expect(two.letIn('192.0.2.2', 20)).toBe(10);
    clock.advance(100);
    // What closes at one machine is room at the other.
    for (let index = 0; index < 6; index += 1) one.ledger.release(1, '192.0.2.1');
    clock.advance(100);
    expect(two.letIn('192.0.2.1', 10)).toBe(6);
  });

  test('are not told of while they are less than a hundredth of the limit', () => {
    const { clock, bus, one } = createPair({ maxConnectionsPerAddress: 1_000 });
    const before = bus.texts.length;
    one.letIn('192.0.2.1', 9);
    clock.advance(100);
    expect(bus.texts.length).toBe(before);
    one.letIn('192.0.2.1', 1);
    clock.advance(100);
    expect(bus.texts.slice(before)).toEqual([
      JSON.stringify({ type: 'holds', service: 'ftp', counts: [['192.0.2.1', 10]], isWhole: false }),
    ]);
  });

  test('of a machine that has gone without a word are forgotten after half a minute', () => {
    const { clock, bus, one, two } = createPair({ maxConnectionsPerAddress: 10 });
    one.letIn('192.0.2.1', 10);
    clock.advance(100);
    expect(two.letIn('192.0.2.1', 1)).toBe(0);
    bus.cut();
    clock.advance(29_000);
    expect(two.letIn('192.0.2.1', 1)).toBe(0);
    clock.advance(11_000);
    expect(two.letIn('192.0.2.1', 1)).toBe(1);
  });

  test('of a machine that closes are free at once, and a machine that comes later hears of those that are open', async () => {
    const { clock, bus, one, two } = createPair({ maxConnectionsPerAddress: 10 });
    one.letIn('192.0.2.1', 10);
    clock.advance(100);
    const three = createMachine('three', bus, clock, { maxConnectionsPerAddress: 10 });
    clock.advance(10_000);
    expect(three.letIn('192.0.2.1', 1)).toBe(0);
    await one.shared.close();
    expect([two.letIn('192.0.2.1', 5), three.letIn('192.0.2.1', 5)]).toEqual([5, 5]);
  });
});

test('a rate of one address holds over both machines: what one lets in the other owes', () => {
  const { clock, one, two } = createPair({ maxAcceptsPerSecondPerAddress: 5 });
  expect(one.letIn('192.0.2.1', 9)).toBe(5);
  clock.advance(100);
  // Both buckets are empty now; a fifth of a second brings one.
  expect(two.letIn('192.0.2.1', 9)).toBe(0);
  clock.advance(200);
  expect(two.letIn('192.0.2.1', 9)).toBe(1);
  clock.advance(100);
  // Its own two that came in since, less the one of the other.
  expect(one.letIn('192.0.2.1', 9)).toBe(1);
  // Over ten seconds of asking at both ten times a second, no more than the rate and what they let in at the same moment.
  let passed = 0;
  for (let turn = 0; turn < 100; turn += 1) {
    passed += one.letIn('192.0.2.1', 3) + two.letIn('192.0.2.1', 3);
    clock.advance(100);
  }
  expect(passed).toBeGreaterThan(40);
  expect(passed).toBeLessThanOrEqual(60);
});

test('a server without workers asks its exchange too, and tells its state', async () => {
  const bus = createBus();
  const clock = createFakeClock();
  const protocol = { name: 'ftp', port: 21, connection: () => Promise.resolve(), bans: BANS };
  const server = createServer(
    { protocol, listen: 'tcp://127.0.0.1:0' },
    { clock, log: silentLog, limitsExchange: bus.exchange('server') },
  );
  await server.listen();
  expect((await server.status()).limitsExchange).toEqual({ connected: true, told: 1, received: 0, lost: 0 });
  await server.close();
  bus.cut();
  expect(bus.exchange('other').tell({ type: 'offence', service: 'ftp', key: '192.0.2.1' })).toBe(false);
});

describe('what is heard', () => {
  test.each([
    '',
    'null',
    '[]',
    '{"type":"ban","service":"ftp","key":"a","forMs":0}',
    '{"type":"ban","service":"ftp","key":"a","forMs":1e99}',
    '{"type":"ban","service":"ftp","key":"","forMs":1}',
    '{"type":"opened","service":"ftp","counts":[["a",-1]]}',
    '{"type":"opened","service":"ftp","counts":[["a",1.5]]}',
    '{"type":"holds","service":"ftp","counts":[["a",1]]}',
    '{"type":"offence","key":"a"}',
    '{"type":"later","service":"ftp"}',
    JSON.stringify({ type: 'offence', service: 'ftp', key: 'a'.repeat(65) }),
    JSON.stringify({ type: 'opened', service: 'ftp', counts: Array(4_097).fill(['a', 1]) }),
  ])('%j is no message', (text) => {
    expect(parseLimitsNews(text)).toBeUndefined();
  });

  test('is read as it was told, at the limit too, and nothing that is not text breaks the reader', () => {
    const longest = { type: 'opened', service: 'ftp', counts: Array(4_096).fill(['a'.repeat(64), 1]) } as const;
    expect(parseLimitsNews(JSON.stringify(longest))).toEqual(longest);
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseLimitsNews(text)));
  });
});

test('what machines hold adds up to what they told last, whatever they told before', () => {
  const counts = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(5)), { maxLength: 4 });
  const told = fc.record({ machine: fc.constantFrom('x', 'y'), counts, isWhole: fc.boolean() });
  fc.assert(
    fc.property(fc.array(told, { maxLength: 20 }), (messages) => {
      const held = new HeldElsewhere();
      const expected = new Map<string, Map<string, number>>();
      for (const message of messages) {
        held.told(message.machine, message.counts, message.isWhole);
        const known = message.isWhole
          ? new Map<string, number>()
          : (expected.get(message.machine) ?? new Map<string, number>());
        for (const [key, count] of message.counts) known.set(key, count);
        expected.set(message.machine, known);
      }
      for (const key of ['a', 'b', 'c'])
        expect(held.of(key)).toBe([...expected.values()].reduce((sum, machine) => sum + (machine.get(key) ?? 0), 0));
      for (const machine of ['x', 'y']) held.forget(machine);
      expect(['a', 'b', 'c'].map((key) => held.of(key))).toEqual([0, 0, 0]);
    }),
  );
});
