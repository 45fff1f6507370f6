// The pool of a primary, with workers that are no processes: who is there, who may be given what, who answers.

import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY, type ArbiterEvent } from '../../src/supervisor/arbiter-state.ts';
import { readWorkerEnvironment, workerEnvironment } from '../../src/supervisor/worker-environment.ts';
import { WorkerPool } from '../../src/supervisor/worker-pool.ts';
import { createFakeClock } from '../../src/testing/index.ts';
import { fakeWorker, type FakeWorker } from '../fixtures/worker-handles.ts';

function poolOf(workerCount: number) {
  const clock = createFakeClock();
  const workers: FakeWorker[] = [];
  const pool = new WorkerPool({
    clock,
    policy: DEFAULT_POLICY,
    workerCount,
    fork(slot, workerId) {
      const worker = fakeWorker(workerId, slot, clock);
      workers.push(worker);
      return worker;
    },
  });
  /** A step, with what it wants started. */
  const step = (...events: ArbiterEvent[]) => {
    const done = pool.step(events, false);
    for (const action of done.actions) if (action.do === 'start') pool.fork(action.slot, action.workerId);
    return done;
  };
  const become = (...workerIds: number[]) =>
    step(...workerIds.map((workerId): ArbiterEvent => ({ type: 'ready', workerId })));
  return { clock, pool, workers, step, become };
}

describe('the pool', () => {
  test('is complete once all that it should have are ready, and not while one is missing or too many', () => {
    const { pool, step, become } = poolOf(2);
    step();
    expect([pool.isComplete, pool.started]).toEqual([false, 2]);
    become(1);
    expect(pool.isComplete).toBe(false);
    become(2);
    expect(pool.isComplete).toBe(true);
    expect(step({ type: 'scale', by: 1 }).isResized).toBe(true);
    expect([pool.isComplete, pool.target]).toEqual([false, 3]);
    become(3);
    expect([pool.isComplete, step().isResized]).toEqual([true, false]);
  });

  test('gives listeners to those alone whose sockets are bound, draining ones excepted, and to none once it stops', () => {
    const { pool, workers, step, become } = poolOf(2);
    step();
    const assignable = () => pool.assignable().map(({ worker, at }) => `${worker.workerId} ${at}`);
    workers[0]!.stage = 'running';
    expect(assignable()).toEqual([]);
    for (const worker of workers) worker.stage = 'assignable';
    become(2);
    expect(assignable()).toEqual(['1 starting', '2 ready']);
    step({ type: 'leaving', workerId: 2 });
    expect([assignable(), pool.stateOf(2)]).toEqual([['1 starting'], 'draining']);
    step({ type: 'stop' });
    expect(assignable()).toEqual([]);
  });

  test('gives connections to those alone that are ready and have room for one of the service', () => {
    const { pool, workers, step, become } = poolOf(3);
    step();
    become(1, 2);
    workers[0]!.fullServices.add(7);
    expect(pool.withRoom(7).map(({ workerId }) => workerId)).toEqual([2]);
    expect(pool.withRoom(8).map(({ workerId }) => workerId)).toEqual([1, 2]);
  });

  test('says when a beat is late, half a second after it was due, and prefers other workers until it comes', () => {
    const { clock, pool, workers, step, become } = poolOf(2);
    step();
    for (const worker of workers) worker.stage = 'assignable';
    expect(become(1, 2).dueInMs).toBe(1_500);
    clock.advance(1_000);
    const beat = (workerId: number): ArbiterEvent => ({
      type: 'beat',
      workerId,
      served: 0,
      eventLoop: { busy: 0, delayMs: { mean: 0, max: 0 } },
    });
    const states = () => pool.assignable().map(({ at }) => at);
    const chosen = () => pool.withRoom(0).map(({ workerId }) => workerId);
    expect(step(beat(1)).dueInMs).toBe(500);
    clock.advance(499);
    expect([states(), chosen()]).toEqual([
      ['ready', 'ready'],
      [1, 2],
    ]);
    clock.advance(1);
    expect([states(), chosen()]).toEqual([['ready', 'late'], [1]]);
    step(beat(2));
    expect(states()).toEqual(['ready', 'ready']);
    clock.advance(1_500);
    expect([states(), chosen()]).toEqual([
      ['late', 'late'],
      [1, 2],
    ]);
  });

  test('says when the next start is due after an early death, and counts how workers ended', () => {
    const { clock, pool, step, become } = poolOf(1);
    step();
    become(1);
    pool.remove(1);
    expect(step({ type: 'exited', workerId: 1 }).dueInMs).toBe(DEFAULT_POLICY.firstBackOffMs);
    expect([pool.all(), pool.records, pool.stateOf(1)]).toEqual([[], [], undefined]);
    clock.advance(DEFAULT_POLICY.firstBackOffMs);
    const { actions, dueInMs } = step();
    expect([actions.map((action) => action.do), dueInMs]).toEqual([['start'], undefined]);
    pool.exits.killing(2, 'start-timeout');
    pool.remove(2);
    step({ type: 'exited', workerId: 2 });
    expect(pool.exits.ended).toEqual({ crashed: 1, 'start-timeout': 1 });
  });
});

describe('a worker that is asked for its status', () => {
  const answer = [{ share: { listeners: [], counters: { lines: 1 } }, pairs: [] }];

  test('is heard, each answer by the caller who asked', async () => {
    const worker = fakeWorker(1);
    const [first, second] = [worker.questions.status(), worker.questions.status()];
    expect(worker.told()).toEqual([
      { type: 'status-question', question: 1 },
      { type: 'status-question', question: 2 },
    ]);
    worker.questions.answered({ type: 'status', question: 2, services: answer });
    worker.questions.answered({ type: 'status', question: 1, services: [] });
    expect([await first, await second]).toEqual([[], answer]);
  });

  test('counts as having said nothing after a second, whatever it says later', async () => {
    const clock = createFakeClock();
    const worker = fakeWorker(1, 1, clock);
    let told: unknown;
    const asked = worker.questions.status().then((services) => (told = services));
    clock.advance(999);
    await Promise.resolve();
    expect(told).toBeUndefined();
    clock.advance(1);
    worker.questions.answered({ type: 'status', question: 1, services: answer });
    await asked;
    expect(told).toEqual([]);
  });
});

describe('the environment of a worker', () => {
  test('says what was put into it', () => {
    expect(readWorkerEnvironment(workerEnvironment({ slot: 3, workerCount: 8 }))).toEqual({ slot: 3, workerCount: 8 });
  });

  test('is that of no worker without a slot', () => {
    expect(readWorkerEnvironment({ PATH: '/bin' })).toBeUndefined();
  });
});
