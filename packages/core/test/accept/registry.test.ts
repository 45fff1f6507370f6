import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AddressLedger,
  firstQuota,
  freeQuota,
  type BeyondQuota,
  type LeaseVerdict,
} from '../../src/accept/address-ledger.ts';
import { Registry } from '../../src/accept/registry.ts';
import { createMemoryConnection } from '../../src/testing/index.ts';

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

  test('an address opens up to its limit, then is refused; where a ledger leases more, it is asked', () => {
    const registry = new Registry({ ...limits, maxConnections: 10 });
    registry.add(connection(), 'a');
    expect(registry.addressVerdict('a')).toBe('open');
    registry.add(connection(), 'a');
    expect(registry.addressVerdict('a')).toBe('refuse');
    expect(registry.addressVerdict('b')).toBe('open');
    expect(new Registry({ ...limits, freePerAddress: 0 }).addressVerdict('a')).toBe('ask');
  });

  test('knows how many of an address are open, on its quota and on lease', () => {
    const registry = new Registry({ ...limits, maxConnections: 10, maxConnectionsPerAddress: 10 });
    const [free, leased] = [connection(), connection()];
    const tally = registry.listener('tcp://127.0.0.1:1');
    registry.add(free, 'a');
    registry.hold(leased, 'a');
    expect(registry.openOf('a')).toBe(1);
    registry.grant(leased);
    expect(registry.openOf('a')).toBe(2);
    // Both are leased from now on.
    registry.changeQuota(0);
    expect([registry.openOf('a'), registry.openOf('b')]).toEqual([2, 0]);
    registry.remove(free, tally);
    registry.remove(leased, tally);
    expect(registry.openOf('a')).toBe(0);
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
    expect([...registry.counters()]).toEqual([
      ['tcp://127.0.0.1:1', { open: 0, waiting: 0, accepted: 1, closed: { 'idle-timeout': 1 } }],
    ]);
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
    const ledger = new AddressLedger(3);
    expect([
      ledger.lease(1, 'a', 0),
      ledger.lease(2, 'a', 0),
      ledger.lease(1, 'a', 0),
      ledger.lease(2, 'a', 0),
    ]).toEqual(['granted', 'granted', 'granted', 'address-limit']);
    ledger.release(1, 'a');
    expect(ledger.lease(2, 'a', 0)).toBe('granted');
    expect(ledger.lease(2, 'b', 0)).toBe('granted');
  });

  test('a worker gives back only what it holds, and a dead one everything', () => {
    const ledger = new AddressLedger(2);
    ledger.lease(1, 'a', 0);
    ledger.lease(2, 'a', 0);
    ledger.release(1, 'a');
    ledger.release(1, 'a');
    expect([ledger.lease(1, 'a', 0), ledger.lease(1, 'a', 0)]).toEqual(['granted', 'address-limit']);
    ledger.forget(2);
    expect([ledger.lease(1, 'a', 0), ledger.lease(1, 'a', 0)]).toEqual(['granted', 'address-limit']);
  });

  test('an address that connects too often is told so, over all workers, until time has passed', () => {
    const ledger = new AddressLedger(1_000, 2);
    expect(
      ledger.balance(
        [
          { worker: 1, isServing: true },
          { worker: 2, isServing: true },
        ],
        2,
      ),
    ).toEqual([]);
    expect([ledger.lease(1, 'a', 0), ledger.lease(2, 'a', 0), ledger.lease(1, 'a', 0)]).toEqual([
      'granted',
      'granted',
      'address-rate',
    ]);
    expect(ledger.lease(1, 'b', 0)).toBe('granted');
    expect(ledger.lease(1, 'a', 500)).toBe('granted');
  });

  test('no limit needs no questions, unless there is one on how often an address connects', () => {
    expect(firstQuota(Number.POSITIVE_INFINITY, 0)).toBe(Number.POSITIVE_INFINITY);
    const ledger = new AddressLedger(Number.POSITIVE_INFINITY, 1);
    expect(firstQuota(Number.POSITIVE_INFINITY, 1)).toBe(0);
    expect(ledger.balance([{ worker: 1, isServing: true }], 1)).toEqual([]);
    expect([ledger.lease(1, 'a', 0), ledger.lease(1, 'a', 0), ledger.lease(1, 'a', 1_000)]).toEqual([
      'granted',
      'address-rate',
      'granted',
    ]);
  });
});

interface Member {
  readonly reason: undefined;
  readonly key: string;
  isOpen: boolean;
}
type ToWorker = { readonly member: Member; readonly verdict: LeaseVerdict } | { readonly free: number };
type ToPrimary =
  { readonly ask: Member } | { readonly release: string } | { readonly free: number; readonly beyond: BeyondQuota };

/**
 * Workers with real registries and a primary with a real ledger. What they say to each other arrives in order, but
 * whenever the test lets it.
 */
class Pool {
  readonly workers = new Map<
    number,
    {
      readonly registry: Registry<Member>;
      readonly members: Member[];
      readonly toWorker: ToWorker[];
      readonly toPrimary: ToPrimary[];
      isServing: boolean;
    }
  >();
  readonly #limit: number;
  readonly #ledger: AddressLedger;
  #size: number;
  #lastId = 0;

  constructor(limit: number, workers: number) {
    this.#limit = limit;
    this.#ledger = new AddressLedger(limit);
    this.#size = workers;
    this.scale(workers);
  }

  /** The last workers are told to drain, or new ones come. */
  scale(workers: number): void {
    this.#size = workers;
    const serving = [...this.workers.values()].filter(({ isServing }) => isServing);
    for (const worker of serving.slice(workers)) worker.isServing = false;
    for (let count = serving.length; count < workers; count += 1) {
      const registry = new Registry<Member>({
        maxConnections: 1e6,
        maxConnectionsPerAddress: this.#limit,
        freePerAddress: firstQuota(this.#limit, 0),
        maxWaiting: 1,
      });
      this.workers.set((this.#lastId += 1), { registry, members: [], toWorker: [], toPrimary: [], isServing: true });
    }
    this.balance();
  }

  balance(): void {
    const holders = [...this.workers].map(([worker, { isServing }]) => ({ worker, isServing }));
    for (const { worker, free } of this.#ledger.balance(holders, this.#size))
      this.workers.get(worker)!.toWorker.push({ free });
  }

  open(id: number, key: string): void {
    const { registry, members, toPrimary } = this.workers.get(id)!;
    const member: Member = { reason: undefined, key, isOpen: false };
    members.push(member);
    if (registry.addressVerdict(key) === 'open') {
      registry.add(member, key);
      member.isOpen = true;
    } else {
      registry.hold(member, key);
      toPrimary.push({ ask: member });
    }
  }

  close(id: number, index: number): void {
    const { registry, members, toPrimary } = this.workers.get(id)!;
    const [member] = members.splice(index % Math.max(1, members.length), 1);
    const release = member === undefined ? undefined : registry.remove(member, registry.listener('a'));
    if (release !== undefined) toPrimary.push({ release });
  }

  kill(id: number): void {
    this.workers.delete(id);
    this.#ledger.forget(id);
    this.balance();
  }

  tellWorker(id: number): void {
    const { registry, members, toWorker, toPrimary } = this.workers.get(id)!;
    const message = toWorker.shift();
    if (message === undefined) return;
    if ('free' in message) toPrimary.push({ free: message.free, beyond: registry.changeQuota(message.free) });
    else if (message.verdict !== 'granted') {
      registry.withdraw(message.member);
      const index = members.indexOf(message.member);
      if (index >= 0) members.splice(index, 1);
    } else if (registry.grant(message.member)) message.member.isOpen = true;
    else toPrimary.push({ release: message.member.key });
  }

  tellPrimary(id: number): void {
    const { toWorker, toPrimary } = this.workers.get(id)!;
    const message = toPrimary.shift();
    if (message === undefined) return;
    if ('ask' in message) toWorker.push({ member: message.ask, verdict: this.#ledger.lease(id, message.ask.key, 0) });
    else if ('release' in message) this.#ledger.release(id, message.release);
    else {
      this.#ledger.lowered(id, message.free, message.beyond);
      this.balance();
    }
  }

  /** Until no message is left. */
  settle(): void {
    this.balance();
    while ([...this.workers.values()].some(({ toWorker, toPrimary }) => toWorker.length + toPrimary.length > 0)) {
      for (const id of this.workers.keys()) {
        this.tellWorker(id);
        this.tellPrimary(id);
      }
    }
  }

  openOf(key: string): number {
    return [...this.workers.values()].reduce(
      (sum, { members }) => sum + members.filter((member) => member.isOpen && member.key === key).length,
      0,
    );
  }

  /** As many as are admitted, at one worker after the other. */
  fill(key: string, times: number): number {
    for (let count = 0; count < times; count += 1)
      for (const [id, { isServing }] of this.workers) if (isServing) this.open(id, key);
    this.settle();
    return this.openOf(key);
  }
}

describe('the limit of an address in a pool that changes', () => {
  test.each([
    [1, 2],
    [1, 4],
    [2, 1],
    [4, 2],
    [3, 6],
  ])('is reached and not passed by one, from %i workers to %i', (before, after) => {
    const limit = 128 * 6;
    const pool = new Pool(limit, before);
    pool.settle();
    expect(pool.fill('a', limit)).toBe(limit);
    pool.scale(after);
    pool.settle();
    expect(pool.fill('a', 1)).toBe(limit);
    const id = [...pool.workers].find(([, { members }]) => members.length > 0)![0];
    pool.close(id, 0);
    pool.settle();
    expect(pool.openOf('a')).toBe(limit - 1);
    expect(pool.fill('a', 1)).toBe(limit);
    // Another address is not in the way, and has its own limit.
    expect(pool.fill('b', limit)).toBe(limit);
  });

  test('is never passed, whatever workers open, close and miss, and the quotas are those of the new size in the end', () => {
    const step = fc.record({
      do: fc.constantFrom(
        'open',
        'open',
        'open',
        'close',
        'tell-worker',
        'tell-worker',
        'tell-primary',
        'tell-primary',
        'balance',
        'scale',
        'kill',
      ),
      worker: fc.nat(20),
      key: fc.constantFrom('a', 'b'),
      count: fc.integer({ min: 1, max: 200 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 900 }), fc.array(step, { maxLength: 80 }), (limit, steps) => {
        const pool = new Pool(limit, 2);
        for (const { do: verb, worker, key, count } of steps) {
          const id = [...pool.workers.keys()][worker % pool.workers.size]!;
          if (verb === 'scale') pool.scale(1 + (count % 5));
          else if (verb === 'balance') pool.balance();
          else if (verb === 'kill' && pool.workers.size > 1) pool.kill(id);
          else if (verb !== 'kill') {
            for (let done = 0; done < count; done += 1) {
              if (verb === 'open') pool.open(id, key);
              else if (verb === 'close') pool.close(id, done);
              else if (verb === 'tell-worker') pool.tellWorker(id);
              else pool.tellPrimary(id);
            }
          }
          expect(pool.openOf('a')).toBeLessThanOrEqual(limit);
          expect(pool.openOf('b')).toBeLessThanOrEqual(limit);
        }
        pool.scale(3);
        for (const [id, { isServing }] of [...pool.workers]) if (!isServing) pool.kill(id);
        pool.settle();
        for (const [id, { members }] of pool.workers) while (members.length > 0) pool.close(id, 0);
        pool.settle();
        // The primary looks again once a second.
        pool.settle();
        for (const { registry } of pool.workers.values()) {
          const quota = freeQuota(limit, 3);
          for (let open = 0; open < quota; open += 1) {
            expect(registry.addressVerdict('a')).toBe('open');
            registry.add({ reason: undefined, key: 'a', isOpen: true }, 'a');
          }
          expect(registry.addressVerdict('a')).toBe('ask');
        }
      }),
      { numRuns: 200 },
    );
  });
});
