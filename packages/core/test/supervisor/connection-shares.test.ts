import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharesBeside } from '../../src/supervisor/connection-shares.ts';

const of = (kept: number, max: number, ...open: readonly number[]): number[] => [
  ...sharesBeside(
    kept,
    max,
    open.map((count, index) => ({ workerId: index, open: count })),
  ).values(),
];

test('what is left is divided evenly, the remainder to the first ones', () => {
  expect(of(3, 10, 0, 0)).toEqual([4, 3]);
  expect(of(10, 10, 0, 0)).toEqual([0, 0]);
  expect(of(12, 10, 0)).toEqual([0]);
  expect(of(3, 10)).toEqual([]);
});

test('one that has more keeps it, and the others have the rest', () => {
  expect(
    Object.fromEntries(
      sharesBeside(
        2,
        10,
        [0, 6, 1].map((open, workerId) => ({ workerId, open })),
      ),
    ),
  ).toEqual({
    0: 1,
    1: 6,
    2: 1,
  });
});

test('all together never have more than there may be, but for what is open, and nobody less than it has open', () => {
  const count = fc.integer({ min: 0, max: 50 });
  fc.assert(
    fc.property(count, count, fc.array(count, { minLength: 1, maxLength: 8 }), (kept, max, open) => {
      const serving = open.map((one, workerId) => ({ workerId, open: one }));
      const shares = sharesBeside(kept, max, serving);
      const sum = [...shares.values()].reduce((whole, one) => whole + one, 0);
      const isOpen = open.reduce((whole, one) => whole + one, 0);
      expect(sum).toBe(Math.max(isOpen, max - kept));
      for (const one of serving) expect(shares.get(one.workerId)).toBeGreaterThanOrEqual(one.open);
    }),
  );
});
