// What the primary does about a worker's words, without processes.

import { expect, test } from 'vitest';
import { readInheritance } from '../../src/listener/inheritance.ts';
import { defineProtocol } from '../../src/index.ts';
import { NO_DATAGRAMS } from '../../src/datagram/limits.ts';
import { IDLE_EVENT_LOOP, NO_CONNECTIONS } from '../../src/observe/status.ts';
import { resolveOptions } from '../../src/resolved-options.ts';
import { createPrimaryParts } from '../../src/supervisor/primary-parts.ts';
import { WorkerMessageHandler } from '../../src/supervisor/worker-message-handler.ts';
import { WorkerPool } from '../../src/supervisor/worker-pool.ts';
import { DEFAULT_POLICY } from '../../src/supervisor/arbiter-state.ts';
import { PoolLimits } from '../../src/supervisor/pool-limits.ts';
import { createFakeClock } from '../../src/testing/index.ts';
import { fakeWorker, type FakeWorker } from '../fixtures/worker-handles.ts';

const echo = defineProtocol({ name: 'echo', port: 7, open: () => ({ data: () => undefined }) });

/** A primary's parts with one worker that is being started, and nothing bound. */
function partsWithWorker(
  limits: { readonly maxConnectionsPerAddress?: number; readonly maxConnections?: number } = {},
) {
  const clock = createFakeClock();
  const options = resolveOptions({ protocol: echo, listen: [] }, { workers: 1, clock, limits });
  const workers: FakeWorker[] = [];
  const pool = new WorkerPool({
    clock,
    policy: DEFAULT_POLICY,
    workerCount: 1,
    fork(slot, workerId) {
      const worker = fakeWorker(workerId, slot, clock);
      workers.push(worker);
      return worker;
    },
  });
  const events = { received: () => undefined, exited: () => undefined };
  const made = createPrimaryParts(options, readInheritance({}), events);
  const parts = { ...made, pool, limits: new PoolLimits(options, pool, made.counters) };
  pool.step([], false);
  pool.fork(1, 1);
  return { parts, pool, workers, worker: workers[0]!, handler: new WorkerMessageHandler(parts) };
}

const types = (worker: FakeWorker): string[] => worker.told().map(({ type }) => type);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a worker that says hello is told its share of the limits before it is given sockets', async () => {
  const { worker, handler } = partsWithWorker({ maxConnectionsPerAddress: 1_000 });
  expect(handler.handle(worker, { type: 'hello' })).toBeUndefined();
  expect(worker.stage).toBe('running');
  await settled();
  expect([types(worker), worker.stage]).toEqual([['pool', 'quota', 'assigned'], 'assignable']);
});

test('a successor is given sockets once its predecessor has told what it holds, and a share that leaves that', async () => {
  const { pool, workers, worker, handler } = partsWithWorker({ maxConnections: 10 });
  handler.handle(worker, { type: 'hello' });
  await settled();
  pool.step([{ type: 'ready', workerId: 1 }], false);
  pool.step([{ type: 'reload' }], false);
  pool.fork(1, 2);
  const successor = workers[1]!;
  worker.told();
  handler.handle(successor, { type: 'hello' });
  await settled();
  const [asked] = worker.told();
  expect([asked?.type, types(successor).includes('assigned')]).toEqual(['status-question', false]);
  // The successor is asked too: it has nothing open.
  const connections = { ...NO_CONNECTIONS, open: 7 };
  const share = { listeners: [{ endpoint: 'tcp://a:1', connections, datagrams: NO_DATAGRAMS }], counters: {} };
  handler.handle(worker, { type: 'status', question: 1, services: [{ share, pairs: [] }] });
  handler.handle(successor, { type: 'status', question: 1, services: [] });
  await settled();
  expect(successor.told()).toEqual([
    { type: 'share', service: 0, maxConnections: 3, workers: 1 },
    { type: 'assigned', endpoints: [] },
  ]);
});

test('one that was told to drain before it could hear is told again, with the grace of now, and given nothing', async () => {
  const { parts, pool, worker, handler } = partsWithWorker();
  parts.lifecycle.bind();
  void parts.lifecycle.start().catch(() => undefined);
  parts.lifecycle.stop(250);
  pool.step([{ type: 'stop' }], false);
  handler.handle(worker, { type: 'hello' });
  await settled();
  expect([worker.told(), worker.stage]).toEqual([[{ type: 'drain', graceMs: 250 }], 'running']);
});

test('the arbiter decides on what it must know, and on nothing else', () => {
  const { worker, handler } = partsWithWorker();
  expect(handler.handle(worker, { type: 'ready' })).toEqual({ type: 'ready', workerId: 1 });
  expect(handler.handle(worker, { type: 'leaving' })).toEqual({ type: 'leaving', workerId: 1 });
  const memory = { residentBytes: 5, unsentBytes: 2 };
  expect(handler.handle(worker, { type: 'beat', eventLoop: IDLE_EVENT_LOOP, memory, services: [] })).toEqual({
    type: 'beat',
    workerId: 1,
    served: 0,
    eventLoop: IDLE_EVENT_LOOP,
  });
  expect(worker.memory).toEqual(memory);
  for (const type of ['taken', 'returned', 'closed'] as const)
    expect(handler.handle(worker, { type, connection: 1 })).toBeUndefined();
  for (const type of ['full', 'room'] as const) expect(handler.handle(worker, { type, service: 0 })).toBeUndefined();
});

test('a worker that cannot start is ended, and why is kept for the caller who waits', () => {
  const { pool, worker, handler } = partsWithWorker();
  handler.handle(worker, { type: 'failed', message: 'no such file', isMistake: false });
  expect([worker.signals, pool.exits.startFailure?.message]).toEqual([['SIGTERM'], 'no such file']);
  pool.exits.forgetStartFailure();
  expect(pool.exits.startFailure).toBeUndefined();
});

test('a mistake of the user that a worker found is for the arbiter, any other failure is tried again', () => {
  const { worker, handler } = partsWithWorker();
  const failed = (isMistake: boolean) => handler.handle(worker, { type: 'failed', message: 'x', isMistake });
  expect(failed(true)).toEqual({ type: 'refused', workerId: worker.workerId });
  expect(failed(false)).toBeUndefined();
});

test('a question about an address is answered by the ledger', () => {
  const { worker, handler } = partsWithWorker({ maxConnectionsPerAddress: 1 });
  const ask = (question: number) => {
    handler.handle(worker, { type: 'lease', service: 0, key: '192.0.2.1', question });
    return worker.told();
  };
  expect(ask(1)).toEqual([{ type: 'lease-answer', question: 1, verdict: 'granted' }]);
  expect(ask(2)).toEqual([{ type: 'lease-answer', question: 2, verdict: 'address-limit' }]);
  handler.handle(worker, { type: 'release', service: 0, key: '192.0.2.1' });
  expect(ask(3)).toEqual([{ type: 'lease-answer', question: 3, verdict: 'granted' }]);
});
