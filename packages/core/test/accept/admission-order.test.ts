// The admission alone, with members that are no connections: what it promises holds for all that is accepted.

import { beforeEach, describe, expect, test } from 'vitest';
import type { Accepted, AcceptHandler, ListenerTraits, Refusal } from '../../src/accept/accept-handler.ts';
import { Admission, MAX_REFUSED, type AdmissionOptions } from '../../src/accept/admission.ts';
import { createDescriptorBudget } from '../../src/accept/descriptor-budget.ts';
import { Registry, type RegistryLimits } from '../../src/accept/registry.ts';
import type { Address } from '../../src/address/address.ts';
import type { CloseReason } from '../../src/connection/states.ts';
import { silentLog } from '../../src/log.ts';
import { createFakeClock, type FakeClock } from '../../src/testing/index.ts';
import { TokenBucket } from '../../src/time/token-bucket.ts';

/** What has happened to the members, in order. */
let events: string[];
let clock: FakeClock;
beforeEach(() => {
  events = [];
  clock = createFakeClock();
});

interface Fixture {
  readonly admission: Admission<Member>;
  readonly registry: Registry<Member>;
  readonly traits: ListenerTraits;
  readonly arrive: (name: string, options?: { address?: string; descriptor?: number }) => Member;
  readonly serving: () => string[];
}

class Member implements Accepted {
  readonly name: string;
  readonly remote: Address;
  reason: CloseReason | undefined;
  readonly #closed: (member: Member) => void;

  constructor(name: string, address: string, closed: (member: Member) => void) {
    this.name = name;
    this.remote = address.startsWith('/') ? { family: 'unix', path: address } : { family: 'ipv4', address, port: 1 };
    this.#closed = closed;
  }

  startDrain(): void {
    events.push(`drain ${this.name}`);
  }

  destroy(reason: CloseReason): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    events.push(`destroy ${this.name} ${reason}`);
    this.#closed(this);
  }
}

function admit(
  limits: Partial<RegistryLimits> = {},
  options: Partial<AdmissionOptions<Member>> = {},
  { drainAdmitsWaiting = false, refusedLinger = false } = {},
): Fixture {
  const registry = new Registry<Member>({
    maxConnections: 10,
    maxConnectionsPerAddress: 10,
    freePerAddress: limits.maxConnectionsPerAddress ?? 10,
    maxWaiting: 10,
    ...limits,
  });
  const traits: ListenerTraits = { tls: false, tally: registry.listener('one') };
  const handler: AcceptHandler<Member> = {
    sockets: { unread: true, noDelay: false, keepAliveMs: 0 },
    drainAdmitsWaiting,
    create: () => {
      throw new Error('the acceptor does that');
    },
    serve: (member) => void events.push(`serve ${member.name}`),
    refuse(member, _traits, reason: Refusal) {
      events.push(`refuse ${member.name} ${reason}`);
      if (!refusedLinger) member.destroy(reason);
    },
  };
  const admission = new Admission<Member>(
    { log: silentLog, clock, registry, handler, ...options },
    () => void events.push('idle'),
  );
  return {
    admission,
    registry,
    traits,
    arrive(name, { address = '192.0.2.1', descriptor = -1 } = {}) {
      const member = new Member(name, address, (ended) => admission.closed(ended, traits.tally));
      admission.arrived(member, traits, descriptor);
      return member;
    },
    serving: () => [...registry.connections()].map(({ name }) => name),
  };
}

describe('the admission', () => {
  test('serves up to the limit, lets one more wait, and calls up in the order of arrival', () => {
    const { arrive, serving } = admit({ maxConnections: 2 });
    const [first] = [arrive('a'), arrive('b'), arrive('c'), arrive('d')];
    expect(serving()).toEqual(['a', 'b']);
    first.destroy('finished');
    expect(serving()).toEqual(['b', 'c']);
  });

  test('lets as many wait as may, and turns one more away', () => {
    const { arrive } = admit({ maxConnections: 1, maxWaiting: 2 });
    for (const name of ['a', 'b', 'c', 'd']) arrive(name);
    expect(events.filter((event) => event.startsWith('refuse'))).toEqual(['refuse d queue-limit']);
  });

  test('turns away the one past the limit of its address, and not those of others', () => {
    const { arrive, serving } = admit({ maxConnectionsPerAddress: 1 });
    arrive('a');
    arrive('b');
    arrive('c', { address: '192.0.2.2' });
    expect(serving()).toEqual(['a', 'c']);
    expect(events).toContain('refuse b address-limit');
  });

  test('takes the clients of a unix socket for many, not for one address', () => {
    const { arrive, serving } = admit({ maxConnectionsPerAddress: 1 });
    for (const name of ['a', 'b', 'c']) arrive(name, { address: '/run/x.sock' });
    expect(serving()).toEqual(['a', 'b', 'c']);
  });

  test('serves the last descriptor that is not reserved, and refuses the next', () => {
    const { arrive } = admit({}, { descriptors: createDescriptorBudget(1024) });
    arrive('a', { descriptor: 895 });
    arrive('b', { descriptor: 896 });
    expect(events.slice(0, 2)).toEqual(['serve a', 'refuse b descriptor-limit']);
  });

  test('serves at once as many as the rate holds, and one more when a quarter of a second is over', () => {
    const { arrive, serving } = admit({}, { rate: new TokenBucket({ perSecond: 4 }, 0) });
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) arrive(name);
    expect(serving()).toEqual(['a', 'b', 'c', 'd']);
    clock.advance(249);
    expect(serving()).toHaveLength(4);
    clock.advance(1);
    expect(serving()).toEqual(['a', 'b', 'c', 'd', 'e']);
    clock.advance(250);
    expect(serving()).toHaveLength(6);
  });

  test('calls up any number that are all turned away, one after the other', () => {
    const count = 10_000;
    const { arrive, registry } = admit({ maxConnections: 2, maxConnectionsPerAddress: 1, maxWaiting: count });
    arrive('first');
    const second = arrive('second', { address: '192.0.2.2' });
    for (let index = 0; index < count; index += 1) arrive(`${index}`);
    second.destroy('finished');
    expect(registry.counters().get('one')).toMatchObject({ open: 1, waiting: 0, closed: { 'address-limit': count } });
  });

  test('is idle only when none waits either', () => {
    const { admission, arrive } = admit({}, { rate: new TokenBucket({ perSecond: 1 }, 0) });
    const first = arrive('a');
    arrive('b');
    first.destroy('finished');
    expect([admission.isIdle, events.includes('idle')]).toEqual([false, false]);
    clock.advance(1_000);
    admission.cut('drain-timeout');
    expect([admission.isIdle, events.at(-1)]).toEqual([true, 'idle']);
  });
});

describe('a drain', () => {
  test('keeps the limit where the handler wants that: those that wait have their turn', () => {
    const { admission, arrive, serving } = admit({ maxConnections: 1 });
    const first = arrive('a');
    arrive('b');
    admission.drain();
    expect(serving()).toEqual(['a']);
    first.destroy('finished');
    expect(events.slice(-2)).toEqual(['serve b', 'drain b']);
  });

  test('admits all that wait where the handler wants that, and tells each', () => {
    const { admission, arrive, serving } = admit({ maxConnections: 1 }, {}, { drainAdmitsWaiting: true });
    for (const name of ['a', 'b', 'c']) arrive(name);
    admission.drain();
    expect(serving()).toEqual(['a', 'b', 'c']);
    expect(new Set(events.filter((event) => event.startsWith('drain')))).toEqual(
      new Set(['drain a', 'drain b', 'drain c']),
    );
  });

  test('that is cut ends the open and the waiting, and counts each under the reason', () => {
    const { admission, arrive, registry } = admit({ maxConnections: 1 });
    arrive('a');
    arrive('b');
    admission.drain();
    admission.cut('drain-timeout');
    expect(registry.counters().get('one')).toMatchObject({ open: 0, waiting: 0, closed: { 'drain-timeout': 2 } });
    expect(events.at(-1)).toBe('idle');
  });
});

test('so many that are turned away may linger, the next one is dropped once it has been told; one that closes makes room', () => {
  const { arrive } = admit({ maxConnectionsPerAddress: 1 }, {}, { refusedLinger: true });
  arrive('first');
  const lingering = Array.from({ length: MAX_REFUSED }, (_, index) => arrive(`late-${index}`));
  expect(lingering.filter(({ reason }) => reason !== undefined)).toEqual([]);
  const next = arrive('next');
  expect(next.reason).toBe('address-limit');
  expect(events.slice(-2)).toEqual(['refuse next address-limit', 'destroy next address-limit']);
  lingering[0]!.destroy('finished');
  expect(arrive('after').reason).toBeUndefined();
});
