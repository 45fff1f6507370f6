import { limitKey } from '@wellknown/core/endpoint';
import { silentLog, type DatagramSocket, type ServiceContext } from '@wellknown/core';
import { createFakeClock, type FakeClock } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DEFAULT_SOURCE_POLICY,
  echoProtocol,
  reasonToDrop,
  SourceLimit,
  type EchoOptions,
  type SourceLimitOptions,
} from '../src/index.ts';
import { readSourceKey } from '../src/source-key.ts';

const source = (port: number, address = '192.0.2.1') => ({ address, port });

describe('which sources are answered', () => {
  test.each([
    ['port 0, which cannot be answered', 0, 1, 'service-port'],
    ['the echo port, which would loop', 7, 1, 'service-port'],
    ['chargen, which would loop', 19, 1, 'service-port'],
    ['the last port below the limit', 1023, 1, 'service-port'],
    ['the first port of clients', 1024, 1, undefined],
    ['the highest port', 65_535, 1, undefined],
    ['SSDP, which answers whatever it gets', 1900, 1, 'service-port'],
    ['the browser of SQL Server', 1434, 1, 'service-port'],
    ['WS-Discovery', 3702, 1, 'service-port'],
    ['SIP', 5060, 1, 'service-port'],
    ['mDNS', 5353, 1, 'service-port'],
    ['memcached, which answers with more', 11_211, 1, 'service-port'],
    ['our own port on another machine', 8007, 1, 'own-port'],
    ['a datagram of the limit', 50_000, 1472, undefined],
    ['a datagram one byte longer', 50_000, 1473, 'too-long'],
    ['an empty datagram', 50_000, 0, undefined],
  ])('%s', (_name, port, byteLength, reason) => {
    expect(reasonToDrop(DEFAULT_SOURCE_POLICY, byteLength, source(port), 8007)).toBe(reason);
  });
});

const keyOf = (address: string): string => {
  const key = { high: 0, low: 0 };
  readSourceKey(address, key);
  return `${key.high.toString(16)}:${key.low.toString(16)}`;
};

describe('the key of a source', () => {
  test.each([
    ['192.0.2.1', '0:c0000201'],
    ['255.255.255.255', '0:ffffffff'],
    ['::1', '0:0'],
    ['2001:db8::1', '20010db8:0'],
    ['2001:db8:1:2:3:4:5:6', '20010db8:10002'],
    ['fe80::1%eth0', 'fe800000:0'],
    ['::ffff:192.0.2.1', '0:c0000201'],
    ['1::', '10000:0'],
    ['::2:3:4:5:6:7:8', '2:30004'],
  ])('%s', (address, key) => {
    expect(keyOf(address)).toBe(key);
  });

  test('two IPv6 addresses have the same one exactly when they are of one /64', () => {
    const groups = fc.array(fc.constantFrom(0, 0, 1, 0xff, 0xffff), { minLength: 8, maxLength: 8 });
    const compress = (address: string): string => new URL(`http://[${address}]/`).hostname.slice(1, -1);
    fc.assert(
      fc.property(groups, groups, (a, b) => {
        const [one, other] = [a, b].map((list) => list.map((group) => group.toString(16)).join(':')) as [
          string,
          string,
        ];
        const network = (address: string): string => limitKey({ family: 'ipv6', address, port: 0 });
        expect(keyOf(compress(one))).toBe(keyOf(one));
        expect(keyOf(one) === keyOf(compress(other))).toBe(network(one) === network(other));
      }),
    );
  });
});

const limitOf = (options: Partial<SourceLimitOptions>): SourceLimit =>
  new SourceLimit({ perSecond: 10, burst: 20, maxSources: 8, maxUnbrokenAnswers: 0, seed: 1, ...options });

describe('the rate of one source', () => {
  test('the burst is answered, one more is not, and time brings tokens back', () => {
    const limit = limitOf({});
    for (let count = 0; count < 20; count += 1) expect(limit.take('192.0.2.1', 0)).toBe('ok');
    expect(limit.take('192.0.2.1', 0)).toBe('rate');
    expect(limit.take('192.0.2.2', 0)).toBe('ok');
    expect(limit.take('192.0.2.1', 50)).toBe('rate');
    expect(limit.take('192.0.2.1', 100)).toBe('ok');
    expect(limit.take('192.0.2.1', 100)).toBe('rate');
  });

  test('all of a /64 is one source', () => {
    const limit = limitOf({ burst: 1 });
    expect(limit.take('2001:db8::1', 0)).toBe('ok');
    expect(limit.take('2001:db8::ffff:1', 0)).toBe('rate');
    expect(limit.take('2001:db8:0:1::1', 0)).toBe('ok');
  });

  test('the table never outgrows its limit, and forgets who was silent longest', () => {
    const limit = limitOf({ burst: 1, perSecond: 0.001 });
    for (let host = 1; host <= 8; host += 1) limit.take(`192.0.2.${host}`, host);
    expect(limit.size).toBe(8);
    expect(limit.take('192.0.2.1', 9)).toBe('rate');
    expect(limit.take('192.0.2.9', 10)).toBe('ok');
    expect(limit.size).toBe(8);
    expect(limit.take('192.0.2.1', 11)).toBe('rate');
    expect(limit.take('192.0.2.2', 12)).toBe('ok');
  });

  test('a flood of a hundred thousand forged sources leaves the table as large as it was', () => {
    const limit = limitOf({ maxSources: 64 });
    for (let count = 0; count < 100_000; count += 1)
      limit.take(`10.${count & 255}.${(count >> 8) & 255}.${count >> 16}`, count);
    expect(limit.size).toBe(64);
  });

  test('is what one gets that never stops asking', () => {
    // Numbers that sums of them do not round: one token in 16 ms, asked for four times.
    const limit = limitOf({ perSecond: 62.5, burst: 1 });
    const verdicts = Array.from({ length: 1000 }, (_, at) => limit.take('192.0.2.1', at * 4));
    expect(verdicts.filter((verdict) => verdict === 'ok').length).toBe(250);
  });

  test('over any stretch no source gets more than the burst and its rate', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (gaps) => {
        const limit = limitOf({ burst: 5 });
        let nowMs = 0;
        let taken = 0;
        for (const gap of gaps) {
          nowMs += gap;
          taken += limit.take('192.0.2.1', nowMs) === 'ok' ? 1 : 0;
          expect(taken).toBeLessThanOrEqual(5 + nowMs / 100);
        }
      }),
    );
  });
});

describe('what has no pause', () => {
  test('loses the datagram after the limit, and not the one at it', () => {
    const limit = limitOf({ maxUnbrokenAnswers: 3 });
    expect([0, 100, 200, 300, 400].map((nowMs) => limit.take('192.0.2.1', nowMs))).toEqual([
      'ok',
      'ok',
      'ok',
      'loop',
      'ok',
    ]);
  });

  test('goes on when there is a pause of a second', () => {
    const limit = limitOf({ maxUnbrokenAnswers: 3 });
    expect([0, 100, 200, 1_200, 1_300, 1_400].map((nowMs) => limit.take('192.0.2.1', nowMs))).toEqual([
      'ok',
      'ok',
      'ok',
      'ok',
      'ok',
      'ok',
    ]);
  });

  test.each([1, 10, 100])(
    'a loop of %i datagrams in flight between two such services dies out, however slow it is',
    (inFlight) => {
      // Each comes back after 100 ms: below the rate of the source, so that only this rule can end it.
      const limit = limitOf({ perSecond: 10_000, burst: 20_000, maxUnbrokenAnswers: 50 });
      let alive = inFlight;
      let rounds = 0;
      while (alive > 0 && rounds < 100_000) {
        rounds += 1;
        const now = rounds * 100;
        for (let count = alive; count > 0; count -= 1) if (limit.take('192.0.2.1', now) !== 'ok') alive -= 1;
      }
      expect(alive).toBe(0);
    },
  );
});

interface Fixture {
  readonly counters: Record<string, number>;
  readonly sent: Uint8Array[];
  readonly clock: FakeClock;
  readonly receive: (message: Uint8Array, from: { address: string; port: number }, socket?: number) => void;
  /** What core does when the pool has another size. */
  readonly scale: (workerCount: number) => void;
}

function guarded(options: EchoOptions, { workerCount = 1, isFull = false } = {}): Fixture {
  const clock = createFakeClock();
  const sent: Uint8Array[] = [];
  const context: Omit<ServiceContext, 'workerCount'> & { workerCount: number } = {
    log: silentLog,
    clock,
    workerSlot: 0,
    workerCount,
    counters: {},
    hasTls: false,
    work: { add: () => undefined },
    secondary: { listen: () => Promise.resolve(undefined), connect: () => Promise.reject(new Error('none')) },
    bans: { offend: () => undefined, isBanned: () => false },
    places: { take: () => Promise.resolve(undefined), join: () => ({ share: 1, release: () => undefined }) },
  };
  const socketOn = (address: string): DatagramSocket => ({
    local: { family: 'ipv4', address, port: 8007 },
    send: (message) => !isFull && sent.push(message) > 0,
    connect: () => Promise.reject(new Error('not here')),
  });
  const { datagrams } = echoProtocol(options);
  const receivers = ['127.0.0.1', '192.0.2.200'].map((address) => datagrams?.(socketOn(address), context));
  return {
    counters: context.counters,
    sent,
    clock,
    receive: (message, from, socket = 0) => void receivers[socket]?.(message, from),
    scale: (count) => (context.workerCount = count),
  };
}

describe('the guard', () => {
  test('a source past its rate is dropped until time has passed, whatever port it uses and whichever address it asks', () => {
    const { receive, sent, counters, clock } = guarded({ ratePerSource: 1 });
    for (let count = 0; count < 3; count += 1) receive(new Uint8Array(1), source(50_000 + count), count % 2);
    expect([sent.length, counters['dropped-rate']]).toEqual([2, 1]);
    clock.advance(1_000);
    receive(new Uint8Array(1), source(50_009));
    expect(sent).toHaveLength(3);
  });

  test('all sources together get the total rate, and each worker its share of it', () => {
    const { receive, sent, counters } = guarded({ totalRate: 80 }, { workerCount: 2 });
    for (let host = 1; host <= 15; host += 1) receive(new Uint8Array(1), source(50_000, `192.0.2.${host}`));
    expect([sent.length, counters['dropped-total-rate']]).toEqual([10, 5]);
  });

  test('the share of the total rate follows the pool: at it all are answered, one past it is not', () => {
    const { receive, sent, counters, clock, scale } = guarded(
      { totalRate: 80, ratePerSource: 1e6, maxUnbrokenAnswers: 0 },
      { workerCount: 2 },
    );
    const answered = (count: number): number => {
      const before = sent.length;
      for (let done = 0; done < count; done += 1) receive(new Uint8Array(1), source(50_000));
      return sent.length - before;
    };
    // A burst is a quarter of a second's share.
    expect(answered(11)).toBe(10);
    scale(4);
    expect(answered(1)).toBe(0);
    clock.advance(250);
    expect(answered(6)).toBe(5);
    clock.advance(1_000);
    expect(answered(6)).toBe(5);
    scale(1);
    // What it may do at once has to fill up first.
    expect(answered(1)).toBe(0);
    clock.advance(250);
    expect(answered(21)).toBe(20);
    expect(counters['dropped-total-rate']).toBe(6);
  });

  test('a full send queue drops and is counted', () => {
    const { receive, counters } = guarded({}, { isFull: true });
    receive(new Uint8Array(1), source(50_000));
    expect(counters['dropped-queue-full']).toBe(1);
  });

  test('every reason is in the status from the start, and every datagram is answered or has one', () => {
    const { receive, sent, counters } = guarded({ ratePerSource: 2, totalRate: 40, maxUnbrokenAnswers: 3 });
    expect(Object.values(counters)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 65_535 }), fc.ipV4(), fc.integer({ min: 0, max: 3_000 })), {
          maxLength: 50,
        }),
        (datagrams) => {
          const before = sent.length + Object.values(counters).reduce((sum, count) => sum + count, 0);
          for (const [port, address, byteLength] of datagrams) receive(new Uint8Array(byteLength), { port, address });
          expect(sent.length + Object.values(counters).reduce((sum, count) => sum + count, 0) - before).toBe(
            datagrams.length,
          );
        },
      ),
      { numRuns: 30 },
    );
  });
});
