import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TokenBucket } from '../../src/time/token-bucket.ts';

const rates = fc.record({
  perSecond: fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.double({ min: 0.001, max: 1_000, noNaN: true })),
  capacity: fc.integer({ min: 1, max: 1_000 }),
});

describe('a token bucket', () => {
  test("holds one second's worth: so many pass at once, the next one not, and time brings them back one by one", () => {
    const bucket = new TokenBucket({ perSecond: 4 }, 0);
    expect([1, 2, 3, 4, 5].map(() => bucket.take(0))).toEqual([true, true, true, true, false]);
    expect(bucket.waitMs(0)).toBe(250);
    expect(bucket.take(249)).toBe(false);
    expect(bucket.take(250)).toBe(true);
    expect(bucket.take(250)).toBe(false);
  });

  test('has one token also where less than one comes in a second', () => {
    const bucket = new TokenBucket({ perSecond: 0.5 }, 0);
    expect([bucket.take(0), bucket.take(1_999), bucket.take(2_000)]).toEqual([true, false, true]);
  });

  test('owes what was spent elsewhere, but never more than it holds when it is full', () => {
    const bucket = new TokenBucket({ perSecond: 4 }, 0);
    bucket.spend(0, 3);
    expect([bucket.take(0), bucket.take(0)]).toEqual([true, false]);
    bucket.spend(0, 1);
    expect([bucket.waitMs(0), bucket.take(499), bucket.take(500)]).toEqual([500, false, true]);
    bucket.spend(500, 1_000);
    expect(bucket.waitMs(500)).toBe(1_250);
  });

  test('with a capacity of its own gives that much, refuses one more, and recovers', () => {
    const bucket = new TokenBucket({ perSecond: 100, capacity: 3 }, 0);
    expect([0, 0, 0, 0, 9, 10, 10].map((nowMs) => bucket.take(nowMs))).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      false,
    ]);
  });

  test('gives several tokens or none, and never more than it can hold', () => {
    const bucket = new TokenBucket({ perSecond: 10, capacity: 10 }, 0);
    expect([bucket.take(0, 11), bucket.take(0, 10), bucket.take(0, 2)]).toEqual([false, true, false]);
    expect([bucket.waitMs(0, 2), bucket.waitMs(0, 10), bucket.waitMs(0, 11)]).toEqual([200, 1_000, 1_000]);
  });

  test('never gives more in any window than its capacity and what came in meanwhile', () => {
    fc.assert(
      fc.property(
        rates,
        fc.array(fc.record({ gapMs: fc.nat(400), count: fc.integer({ min: 1, max: 3 }) }), { maxLength: 60 }),
        ({ perSecond, capacity }, asked) => {
          const bucket = new TokenBucket({ perSecond, capacity }, 0);
          let nowMs = 0;
          const taken: { readonly atMs: number; readonly count: number }[] = [];
          for (const { gapMs, count } of asked) {
            nowMs += gapMs;
            taken.push({ atMs: nowMs, count: bucket.take(nowMs, count) ? count : 0 });
          }
          for (const [first, { atMs }] of taken.entries()) {
            let sum = 0;
            for (const later of taken.slice(first)) {
              sum += later.count;
              expect(sum).toBeLessThanOrEqual(capacity + ((later.atMs - atMs) * perSecond) / 1000 + 1e-6);
            }
          }
        },
      ),
    );
  });

  test('after a silence that is long enough all of its capacity is there again', () => {
    fc.assert(
      fc.property(rates, fc.array(fc.nat(100), { maxLength: 20 }), ({ perSecond, capacity }, gapsMs) => {
        const bucket = new TokenBucket({ perSecond, capacity }, 0);
        let nowMs = 0;
        for (const gapMs of gapsMs) bucket.take((nowMs += gapMs));
        nowMs += bucket.waitMs(nowMs, capacity);
        expect(bucket.isFull(nowMs)).toBe(true);
        expect(bucket.take(nowMs, capacity)).toBe(true);
        expect(bucket.isFull(nowMs)).toBe(false);
      }),
    );
  });

  test('tells the wait exactly: then it gives, a millisecond before it does not, however often it is asked between', () => {
    fc.assert(
      fc.property(
        rates,
        fc.array(fc.nat(50), { maxLength: 50 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
        ({ perSecond, capacity }, gapsMs, wanted, between) => {
          const count = Math.min(wanted, capacity);
          const bucket = new TokenBucket({ perSecond, capacity }, 0);
          let nowMs = 0;
          for (const gapMs of gapsMs) bucket.take((nowMs += gapMs));
          while (bucket.take(nowMs, count));
          const waitMs = bucket.waitMs(nowMs, count);
          expect(waitMs).toBeGreaterThan(0);
          for (const part of [...between].sort((a, b) => a - b))
            expect(bucket.take(nowMs + Math.floor(part * (waitMs - 1)), count)).toBe(false);
          expect(bucket.take(nowMs + waitMs - 1, count)).toBe(false);
          expect(bucket.take(nowMs + waitMs, count)).toBe(true);
        },
      ),
    );
  });

  test.each([
    // Rounded up, the quotient is one millisecond too many for the first and one too few for the second.
    { perSecond: 5, takenAtMs: 307, waitMs: 93 },
    { perSecond: 10 / 3, takenAtMs: 339, waitMs: 262 },
  ])('tells the wait exactly where the division is not: $perSecond a second', ({ perSecond, takenAtMs, waitMs }) => {
    const bucket = new TokenBucket({ perSecond, capacity: 2 }, 0);
    expect([bucket.take(0, 2), bucket.take(takenAtMs)]).toEqual([true, true]);
    expect(bucket.waitMs(takenAtMs)).toBe(waitMs);
    expect([bucket.take(takenAtMs + waitMs - 1), bucket.take(takenAtMs + waitMs)]).toEqual([false, true]);
  });

  test('fills at another rate from the change on; what is there stays as far as it fits', () => {
    const bucket = new TokenBucket({ perSecond: 10 }, 0);
    bucket.take(0, 10);
    bucket.change({ perSecond: 100 }, 500);
    expect([bucket.perSecond, bucket.take(500, 5), bucket.take(500)]).toEqual([100, true, false]);
    expect(bucket.waitMs(500, 100)).toBe(1_000);
    bucket.change({ perSecond: 2 }, 2_000);
    expect([bucket.isFull(2_000), bucket.take(2_000, 2), bucket.take(2_000)]).toEqual([true, true, false]);
  });

  test('that nothing comes into gives its capacity once, and one without a limit always gives', () => {
    const finite = new TokenBucket({ perSecond: 0, capacity: 2 }, 0);
    expect([finite.take(0, 2), finite.take(1e9), finite.waitMs(1e9)]).toEqual([true, false, Number.POSITIVE_INFINITY]);
    const infinite = new TokenBucket({ perSecond: Number.POSITIVE_INFINITY }, 0);
    expect([infinite.isFull(0), infinite.take(0, 1e9), infinite.take(0), infinite.waitMs(0), infinite.take(1)]).toEqual(
      [true, true, true, 0, true],
    );
  });
});
