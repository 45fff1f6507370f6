// Named places over several workers, without processes.

import { expect, test } from 'vitest';
import { PoolPlaces } from '../../src/supervisor/pool-places.ts';
import { DEFAULT_POLICY } from '../../src/supervisor/arbiter-state.ts';
import { WorkerPool } from '../../src/supervisor/worker-pool.ts';
import { defineProtocol } from '../../src/index.ts';
import { resolveOptions } from '../../src/resolved-options.ts';
import { createFakeClock } from '../../src/testing/index.ts';
import { fakeWorker, type FakeWorker } from '../fixtures/worker-handles.ts';

const echo = defineProtocol({ name: 'echo', port: 7, open: () => ({ data: () => undefined }) });

test('a limit on places holds over all workers, and those who hold them hear how many there are', () => {
  const clock = createFakeClock();
  const workers: FakeWorker[] = [];
  const pool = new WorkerPool({
    clock,
    policy: DEFAULT_POLICY,
    workerCount: 2,
    fork: (slot, workerId) => {
      const worker = fakeWorker(workerId, slot, clock);
      workers.push(worker);
      return worker;
    },
  });
  pool.step([], false);
  pool.fork(1, 1);
  pool.fork(2, 2);
  const [one, other] = workers as [FakeWorker, FakeWorker];
  const places = new PoolPlaces(resolveOptions({ protocol: echo, listen: [] }, { workers: 2, clock }), pool);
  const wanted = { type: 'place-wanted', service: 0, name: 'a', max: 2, question: 7 } as const;
  const answer = (isGranted: boolean) => ({ type: 'place-answer', question: 7, isGranted });
  const total = (count: number) => ({ type: 'place-total', service: 0, name: 'a', total: count });

  places.received(one, wanted);
  expect(one.told()).toEqual([answer(true), total(1)]);
  places.received(other, wanted);
  expect([one.told(), other.told()]).toEqual([[total(2)], [answer(true), total(2)]]);
  places.received(one, wanted);
  expect([one.told(), other.told()]).toEqual([[answer(false)], []]);
  places.received(one, { type: 'place-joined', service: 0, name: 'a' });
  expect([one.told(), other.told()]).toEqual([[total(3)], [total(3)]]);
  places.received(one, { type: 'place-released', service: 0, name: 'a' });
  expect([one.told(), other.told()]).toEqual([[total(2)], [total(2)]]);
  places.forget(1);
  expect(other.told()).toEqual([total(1)]);
  // One that is alone hears it too: what it was told before was more.
  places.received(other, { type: 'place-joined', service: 0, name: 'a' });
  places.received(other, { type: 'place-released', service: 0, name: 'a' });
  expect(other.told()).toEqual([total(2), total(1)]);
});
