import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  loanChanges,
  wantedLoans,
  type Borrower,
  type LendableSocket,
} from '../../src/supervisor/listener-assignment.ts';

const worker = (life: number, slot: number, at: Borrower['at'] = 'ready', full: readonly number[] = []): Borrower => ({
  life,
  slot,
  at,
  fullServices: new Set(full),
});
const socket = (id: number, slot?: number, service = 0): LendableSocket => ({ id, service, slot });
const borrowers = (loans: Map<number, Set<number>>, id: number): number[] =>
  [...loans].filter(([, ids]) => ids.has(id)).map(([life]) => life);

describe('which worker accepts from which socket', () => {
  test("a shared socket is everybody's", () => {
    expect(borrowers(wantedLoans([socket(1)], [worker(1, 1), worker(2, 2, 'starting')]), 1)).toEqual([1, 2]);
  });

  test("a socket of a slot is its worker's alone", () => {
    const loans = wantedLoans([socket(1, 1), socket(2, 2)], [worker(1, 1), worker(2, 2)]);
    expect([borrowers(loans, 1), borrowers(loans, 2)]).toEqual([[1], [2]]);
  });

  test('while the worker of a slot is missing or starting, another serves its socket', () => {
    expect(borrowers(wantedLoans([socket(2, 2)], [worker(1, 1)]), 2)).toEqual([1]);
    expect(borrowers(wantedLoans([socket(2, 2)], [worker(1, 1), worker(3, 2, 'starting')]), 2)).toEqual([1, 3]);
    expect(borrowers(wantedLoans([socket(2, 2)], [worker(1, 1), worker(3, 2)]), 2)).toEqual([3]);
  });

  test('a full worker is lent nothing of that service, and another serves its socket', () => {
    const loans = wantedLoans([socket(1, 1, 0), socket(2, 1, 1)], [worker(1, 1, 'ready', [0]), worker(2, 2)]);
    expect([borrowers(loans, 1), borrowers(loans, 2)]).toEqual([[2], [1]]);
  });

  test("a successor and its predecessor share their slot's socket until one has gone", () => {
    expect(borrowers(wantedLoans([socket(1, 1)], [worker(1, 1), worker(2, 1, 'starting')]), 1)).toEqual([1, 2]);
  });

  test('a socket is never without a borrower while some worker is ready and has room', () => {
    const anyWorker = fc.record({
      life: fc.integer({ min: 1, max: 9 }),
      slot: fc.integer({ min: 1, max: 4 }),
      at: fc.constantFrom('starting' as const, 'ready' as const),
      full: fc.subarray([0, 1]),
    });
    const anySocket = fc.record({
      id: fc.integer({ min: 1, max: 9 }),
      slot: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      service: fc.constantFrom(0, 1),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(anyWorker, { selector: (one) => one.life }),
        fc.uniqueArray(anySocket, { selector: (one) => one.id }),
        (workers, sockets) => {
          const all = workers.map((one) => worker(one.life, one.slot, one.at, one.full));
          const loans = wantedLoans(sockets, all);
          for (const one of sockets) {
            const isServable = all.some(
              (candidate) => candidate.at === 'ready' && !candidate.fullServices.has(one.service),
            );
            expect(
              !isServable ||
                borrowers(loans, one.id).some(
                  (life) => all.find((candidate) => candidate.life === life)?.at === 'ready',
                ),
            ).toBe(true);
          }
        },
      ),
    );
  });

  test('applying the changes gives what was wanted', () => {
    const anyLoans = fc.dictionary(fc.constantFrom('1', '2', '3'), fc.uniqueArray(fc.integer({ min: 1, max: 5 })));
    const toMap = (loans: Record<string, number[]>) =>
      new Map(Object.entries(loans).map(([life, ids]) => [Number(life), new Set(ids)]));
    fc.assert(
      fc.property(anyLoans, anyLoans, (before, after) => {
        const present = toMap(before);
        const wanted = toMap(after);
        for (const change of loanChanges(present, wanted)) {
          const ids = present.get(change.life) ?? new Set<number>();
          if (change.do === 'lend') ids.add(change.id);
          else ids.delete(change.id);
          present.set(change.life, ids);
        }
        for (const [life, ids] of wanted) expect([...(present.get(life) ?? [])].sort()).toEqual([...ids].sort());
      }),
    );
  });
});
