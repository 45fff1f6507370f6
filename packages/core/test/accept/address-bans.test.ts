import { createFakeClock } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { BanLedger, ServiceBans } from '../../src/accept/address-bans.ts';
import { limitKey } from '../../src/address/address.ts';
import { silentLog } from '../../src/log.ts';

const POLICY = { maxOffences: 3, forgetMs: 1_000, banMs: 10_000 };
const offendTimes = (ledger: BanLedger, times: readonly number[]): boolean[] =>
  times.map((nowMs) => ledger.offend('a', nowMs));

describe('an address', () => {
  test('is banned at the last offence that it may not make, not at the one before', () => {
    const ledger = new BanLedger(POLICY);
    expect(offendTimes(ledger, [0, 0])).toEqual([false, false]);
    expect(ledger.isBanned('a', 0)).toBe(false);
    expect(offendTimes(ledger, [0])).toEqual([true]);
    expect(ledger.isBanned('a', 9_999)).toBe(true);
    expect(ledger.isBanned('a', 10_000)).toBe(false);
    expect(ledger.isBanned('b', 0)).toBe(false);
  });

  test('that offends slowly enough is never banned', () => {
    const ledger = new BanLedger(POLICY);
    const times = Array.from({ length: 50 }, (_, at) => at * 1_000);
    expect(offendTimes(ledger, times)).not.toContain(true);
  });

  test('has its offences forgotten one by one', () => {
    const ledger = new BanLedger(POLICY);
    // Two at once; a second later one is left, and the third makes two.
    expect(offendTimes(ledger, [0, 0, 1_000])).toEqual([false, false, false]);
    expect(offendTimes(ledger, [1_000])).toEqual([true]);
  });

  test('is told of once for each ban, and may be banned again', () => {
    const ledger = new BanLedger(POLICY);
    expect(offendTimes(ledger, [0, 0, 0, 0, 5_000])).toEqual([false, false, true, false, false]);
    expect(offendTimes(ledger, [20_000, 20_000, 20_000])).toEqual([false, false, true]);
  });

  test('is never banned with a limit of 0', () => {
    const ledger = new BanLedger({ ...POLICY, maxOffences: 0 });
    expect(offendTimes(ledger, [0, 0, 0, 0])).not.toContain(true);
  });
});

test('who is banned can be told to a process that has just started', () => {
  const ledger = new BanLedger(POLICY);
  offendTimes(ledger, [0, 0, 0]);
  ledger.offend('b', 0);
  expect(ledger.bans(4_000)).toEqual([{ key: 'a', forMs: 6_000 }]);
  const other = new BanLedger(POLICY);
  for (const { key, forMs } of ledger.bans(4_000)) other.ban(key, forMs, 100);
  expect([other.isBanned('a', 6_099), other.isBanned('a', 6_100)]).toEqual([true, false]);
});

test('a flood of addresses keeps to a bounded memory, and forgets the longest known first', () => {
  const ledger = new BanLedger(POLICY, 100);
  for (let address = 0; address < 1_000; address += 1) ledger.offend(`a${address}`, 0);
  expect(ledger.size).toBeLessThanOrEqual(100);
  // What is over makes room by itself.
  for (let address = 0; address < 200; address += 1) ledger.offend(`b${address}`, 100_000);
  expect(ledger.size).toBeLessThanOrEqual(100);
});

describe('the bans of a service', () => {
  const ann = { family: 'ipv6', address: '2001:db8::1', port: 4000 } as const;
  const neighbour = { family: 'ipv6', address: '2001:db8::2', port: 4001 } as const;
  const named = { service: 'ftp', log: silentLog };

  test('are counted here where there is no primary, IPv6 by /64', () => {
    const clock = createFakeClock();
    const bans = new ServiceBans({ ...named, policy: POLICY, clock });
    for (let time = 0; time < 3; time += 1) bans.offend(ann);
    expect([bans.isBanned(ann), bans.isBanned(neighbour)]).toEqual([true, true]);
    clock.advance(10_000);
    expect(bans.isBanned(ann)).toBe(false);
  });

  test('are logged where they are counted, once for each ban', () => {
    const lines: object[] = [];
    const log = { ...silentLog, info: (fields: object, message: string) => void lines.push({ message, ...fields }) };
    const options = { service: 'ftp', policy: POLICY, clock: createFakeClock(), log };
    const [here, elsewhere] = [new ServiceBans(options), new ServiceBans({ ...options, report: () => undefined })];
    for (const bans of [here, elsewhere]) for (let time = 0; time < 5; time += 1) bans.offend(ann);
    elsewhere.banned(limitKey(ann), 1_000);
    const { banMs: forMs } = POLICY;
    expect(lines).toEqual([{ message: 'an address is banned', service: 'ftp', address: limitKey(ann), forMs }]);
  });

  test('are the primary’s to decide where there is one', () => {
    const clock = createFakeClock();
    const reported: string[] = [];
    const bans = new ServiceBans({ ...named, policy: POLICY, clock, report: (key) => reported.push(key) });
    for (let time = 0; time < 5; time += 1) bans.offend(ann);
    expect([bans.isBanned(ann), reported.length]).toEqual([false, 5]);
    bans.banned(reported[0] ?? '', 1_000);
    expect(bans.isBanned(neighbour)).toBe(true);
  });

  test('are nobody’s without a policy, and never a unix socket’s', () => {
    const clock = createFakeClock();
    const none = new ServiceBans({ ...named, policy: undefined, clock });
    const bans = new ServiceBans({ ...named, policy: { ...POLICY, maxOffences: 1 }, clock });
    const local = { family: 'unix', path: '/x' } as const;
    none.offend(ann);
    bans.offend(local);
    expect([none.isBanned(ann), bans.isBanned(local)]).toEqual([false, false]);
  });
});
