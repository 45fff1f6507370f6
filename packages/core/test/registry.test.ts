import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressLedger, freeQuota } from '../src/address-ledger.ts';
import { Registry } from '../src/registry.ts';
import { createMemoryConnection } from '../src/testing/index.ts';

const limits = { maxConnections: 2, maxConnectionsPerAddress: 2, freePerAddress: 2, maxWaiting: 1 };
const connection = () => createMemoryConnection().connection;

describe('the registry', () => {
  test('is full at the total limit and has room after a close', () => {
    const registry = new Registry(limits);
    const first = connection();
    registry.add(first, 'a');
    expect(registry.isFull).toBe(false);
    registry.add(connection(), 'b');
    expect(registry.isFull).toBe(true);
    registry.remove(first, registry.listener('tcp://127.0.0.1:1'));
    expect(registry.isFull).toBe(false);
  });

  test('an address opens up to its limit, then is refused; where a ledger lends more, it is asked', () => {
    const registry = new Registry({ ...limits, maxConnections: 10 });
    registry.add(connection(), 'a');
    expect(registry.addressVerdict('a')).toBe('open');
    registry.add(connection(), 'a');
    expect(registry.addressVerdict('a')).toBe('refuse');
    expect(registry.addressVerdict('b')).toBe('open');
    expect(new Registry({ ...limits, freePerAddress: 0 }).addressVerdict('a')).toBe('ask');
  });

  test('as many may wait as allowed, one more may not', () => {
    const registry = new Registry(limits);
    const [one, other] = [registry.listener('one'), registry.listener('other')];
    expect([registry.startWaiting(one), registry.startWaiting(other)]).toEqual([true, false]);
    registry.stopWaiting(one);
    expect(registry.startWaiting(other)).toBe(true);
  });

  test('every close is counted by its reason, a withdrawn place is not', () => {
    const registry = new Registry(limits);
    const listener = registry.listener('tcp://127.0.0.1:1');
    const one = connection();
    registry.countAccepted(listener);
    registry.add(one, 'a');
    one.destroy('idle-timeout');
    registry.remove(one, listener);
    registry.remove(one, listener);
    const held = connection();
    registry.hold(held, 'a');
    registry.withdraw(held);
    expect([...registry.counters()]).toEqual([['tcp://127.0.0.1:1', { open: 0, waiting: 0, accepted: 1, closed: { 'idle-timeout': 1 } }]]);
  });

  test('only a granted place is given back as a lease', () => {
    const registry = new Registry(limits);
    const asking = connection();
    registry.hold(asking, 'a');
    expect(registry.remove(asking, registry.listener('a'))).toBeUndefined();
    expect(registry.grant(asking)).toBe(false);
    const leased = connection();
    registry.hold(leased, 'a');
    expect(registry.grant(leased)).toBe(true);
    expect(registry.remove(leased, registry.listener('a'))).toBe('a');
  });
});

describe('the ledger of addresses', () => {
  test('a small limit is exact over all workers', () => {
    const ledger = new AddressLedger(3, 2);
    expect([ledger.lease(1, 'a', 0), ledger.lease(2, 'a', 0), ledger.lease(1, 'a', 0), ledger.lease(2, 'a', 0)]).toEqual(['granted', 'granted', 'granted', 'address-limit']);
    ledger.release(1, 'a');
    expect(ledger.lease(2, 'a', 0)).toBe('granted');
    expect(ledger.lease(2, 'b', 0)).toBe('granted');
  });

  test('a worker gives back only what it holds, and a dead one everything', () => {
    const ledger = new AddressLedger(2, 2);
    ledger.lease(1, 'a', 0);
    ledger.lease(2, 'a', 0);
    ledger.release(1, 'a');
    ledger.release(1, 'a');
    expect([ledger.lease(1, 'a', 0), ledger.lease(1, 'a', 0)]).toEqual(['granted', 'address-limit']);
    ledger.forget(2);
    expect([ledger.lease(1, 'a', 0), ledger.lease(1, 'a', 0)]).toEqual(['granted', 'address-limit']);
  });

  test('free quotas and loans together never exceed the limit, whatever the workers do', () => {
    const step = fc.record({ worker: fc.integer({ min: 1, max: 3 }), open: fc.boolean() });
    fc.assert(fc.property(fc.integer({ min: 1, max: 1000 }), fc.array(step, { maxLength: 300 }), (limit, steps) => {
      const quota = freeQuota(limit, 3);
      const ledger = new AddressLedger(limit, 3);
      const free = [0, 0, 0, 0];
      const lent = [0, 0, 0, 0];
      for (const { worker, open } of steps) {
        if (open && (free[worker] ?? 0) < quota) free[worker] = (free[worker] ?? 0) + 1;
        else if (open && ledger.lease(worker, 'a', 0) === 'granted') lent[worker] = (lent[worker] ?? 0) + 1;
        else if (!open && (lent[worker] ?? 0) > 0) {
          ledger.release(worker, 'a');
          lent[worker] = (lent[worker] ?? 0) - 1;
        }
        expect([...free, ...lent].reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(limit);
      }
    }));
  });

  test('an address that connects too often is told so, over all workers, until time has passed', () => {
    const ledger = new AddressLedger(1_000, 2, 2);
    expect(freeQuota(1_000, 2, 2)).toBe(0);
    expect([ledger.lease(1, 'a', 0), ledger.lease(2, 'a', 0), ledger.lease(1, 'a', 0)]).toEqual(['granted', 'granted', 'address-rate']);
    expect(ledger.lease(1, 'b', 0)).toBe('granted');
    expect(ledger.lease(1, 'a', 500)).toBe('granted');
  });

  test('no limit needs no questions', () => {
    expect(freeQuota(Number.POSITIVE_INFINITY, 4)).toBe(Number.POSITIVE_INFINITY);
  });
});
