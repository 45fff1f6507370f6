import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseTarget, type DispatchTarget } from '../../src/supervisor/dispatch-policy.ts';

const target = (slot: number, open = 0, workerId = slot): DispatchTarget => ({ workerId, slot, open });
const anySource = fc.ipV4();
const anySlots = fc.uniqueArray(fc.integer({ min: 1, max: 32 }), { minLength: 1, maxLength: 8 });

describe('whom a connection is given to', () => {
  test('round-robin takes the slots in their order, whatever the order of the workers', () => {
    const targets = [target(3), target(1), target(2)];
    expect([0, 1, 2, 3].map((turn) => chooseTarget('round-robin', targets, '', turn)?.slot)).toEqual([1, 2, 3, 1]);
  });

  test('least-connections takes the worker with the fewest, and of several the lowest slot', () => {
    const targets = [target(1, 2), target(3, 1), target(2, 1)];
    expect(chooseTarget('least-connections', targets, '', 0)?.slot).toBe(2);
  });

  test('source-hash gives one address the same slot while other slots come and go', () => {
    fc.assert(
      fc.property(anySource, anySlots, fc.integer({ min: 1, max: 32 }), (source, slots, gone) => {
        const chosen = chooseTarget(
          'source-hash',
          slots.map((slot) => target(slot)),
          source,
          0,
        )?.slot;
        const left = slots.filter((slot) => slot === chosen || slot !== gone).map((slot) => target(slot));
        expect(chooseTarget('source-hash', left, source, 7)?.slot).toBe(chosen);
      }),
    );
  });

  test('source-hash spreads addresses over all slots', () => {
    const targets = [target(1), target(2), target(3), target(4)];
    const counts = new Map<number | undefined, number>();
    for (let host = 0; host < 256; host += 1) {
      const slot = chooseTarget('source-hash', targets, `192.0.2.${host}`, 0)?.slot;
      counts.set(slot, (counts.get(slot) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([1, 2, 3, 4]);
    expect(Math.min(...counts.values())).toBeGreaterThan(32);
  });

  test('without a worker that has room there is no choice', () => {
    for (const policy of ['round-robin', 'least-connections', 'source-hash'] as const)
      expect(chooseTarget(policy, [], '192.0.2.1', 1)).toBeUndefined();
  });
});
