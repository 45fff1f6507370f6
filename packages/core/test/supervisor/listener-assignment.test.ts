import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assignmentChanges,
  wantedAssignments,
  type AssignableWorker,
  type AssignableSocket,
} from '../../src/supervisor/listener-assignment.ts';

const worker = (
  workerId: number,
  slot: number,
  at: AssignableWorker['at'] = 'ready',
  full: readonly number[] = [],
): AssignableWorker => ({
  workerId,
  slot,
  at,
  fullServices: new Set(full),
});
const socket = (id: number, slot?: number, service = 0): AssignableSocket => ({ id, service, slot });
const acceptors = (assignments: Map<number, Set<number>>, id: number): number[] =>
  [...assignments].filter(([, ids]) => ids.has(id)).map(([workerId]) => workerId);

describe('which worker accepts from which socket', () => {
  test("a shared socket is every worker's", () => {
    expect(acceptors(wantedAssignments([socket(1)], [worker(1, 1), worker(2, 2, 'starting')]), 1)).toEqual([1, 2]);
  });

  test("a socket of a slot is its worker's alone", () => {
    const assignments = wantedAssignments([socket(1, 1), socket(2, 2)], [worker(1, 1), worker(2, 2)]);
    expect([acceptors(assignments, 1), acceptors(assignments, 2)]).toEqual([[1], [2]]);
  });

  test('while the worker of a slot is missing or starting, another serves its socket', () => {
    expect(acceptors(wantedAssignments([socket(2, 2)], [worker(1, 1)]), 2)).toEqual([1]);
    expect(acceptors(wantedAssignments([socket(2, 2)], [worker(1, 1), worker(3, 2, 'starting')]), 2)).toEqual([1, 3]);
    expect(acceptors(wantedAssignments([socket(2, 2)], [worker(1, 1), worker(3, 2)]), 2)).toEqual([3]);
  });

  test('while the worker of a slot is late with its beat, it and another accept from its socket', () => {
    const sockets = [socket(1, 1), socket(2, 2)];
    const late = wantedAssignments(sockets, [worker(1, 1), worker(2, 2, 'late')]);
    expect([acceptors(late, 1), acceptors(late, 2)]).toEqual([[1], [1, 2]]);
    const all = wantedAssignments(sockets, [worker(1, 1, 'late'), worker(2, 2, 'late')]);
    expect([acceptors(all, 1), acceptors(all, 2)]).toEqual([[1], [2]]);
  });

  test('a full worker is assigned nothing of that service, and another serves its socket', () => {
    const assignments = wantedAssignments(
      [socket(1, 1, 0), socket(2, 1, 1)],
      [worker(1, 1, 'ready', [0]), worker(2, 2)],
    );
    expect([acceptors(assignments, 1), acceptors(assignments, 2)]).toEqual([[2], [1]]);
  });

  test("a successor and its predecessor share their slot's socket until one has gone", () => {
    expect(acceptors(wantedAssignments([socket(1, 1)], [worker(1, 1), worker(2, 1, 'starting')]), 1)).toEqual([1, 2]);
  });

  test('a socket is never without an acceptor while some worker is ready and has room', () => {
    const anyWorker = fc.record({
      workerId: fc.integer({ min: 1, max: 9 }),
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
        fc.uniqueArray(anyWorker, { selector: (one) => one.workerId }),
        fc.uniqueArray(anySocket, { selector: (one) => one.id }),
        (workers, sockets) => {
          const all = workers.map((one) => worker(one.workerId, one.slot, one.at, one.full));
          const assignments = wantedAssignments(sockets, all);
          for (const one of sockets) {
            const isServable = all.some(
              (candidate) => candidate.at === 'ready' && !candidate.fullServices.has(one.service),
            );
            expect(
              !isServable ||
                acceptors(assignments, one.id).some(
                  (workerId) => all.find((candidate) => candidate.workerId === workerId)?.at === 'ready',
                ),
            ).toBe(true);
          }
        },
      ),
    );
  });

  test('applying the changes gives what was wanted', () => {
    const anyAssignments = fc.dictionary(
      fc.constantFrom('1', '2', '3'),
      fc.uniqueArray(fc.integer({ min: 1, max: 5 })),
    );
    const toMap = (assignments: Record<string, number[]>) =>
      new Map(Object.entries(assignments).map(([workerId, ids]) => [Number(workerId), new Set(ids)]));
    fc.assert(
      fc.property(anyAssignments, anyAssignments, (before, after) => {
        const present = toMap(before);
        const wanted = toMap(after);
        for (const change of assignmentChanges(present, wanted)) {
          const ids = present.get(change.workerId) ?? new Set<number>();
          if (change.do === 'assign') ids.add(change.id);
          else ids.delete(change.id);
          present.set(change.workerId, ids);
        }
        for (const [workerId, ids] of wanted)
          expect([...(present.get(workerId) ?? [])].sort()).toEqual([...ids].sort());
      }),
    );
  });
});
