// Processes of workers that are made before the primary has loaded what it needs to supervise them: they load their program
// meanwhile. What one says, and its end, is held until the primary takes it for the worker of its slot.

import cluster, { type Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import type { Identity } from '../options.ts';
import { workerEnvironment } from './worker-environment.ts';

const HELD_EVENTS = ['message', 'exit', 'error'] as const;

interface EarlyWorker {
  readonly worker: Worker;
  readonly held: (readonly [name: string, given: readonly unknown[]])[];
  readonly stopHolding: () => void;
}

const early = new Map<number, EarlyWorker>();

/** Makes the process of a worker. It runs as `runAs` from its first line on; supplementary groups go with the rest. */
export function forkProcess(slot: number, workerCount: number, runAs: Identity | undefined): Worker {
  if (runAs !== undefined) cluster.setupPrimary({ uid: runAs.uid, gid: runAs.gid });
  return cluster.fork(workerEnvironment({ slot, workerCount }));
}

/**
 * Makes the processes of all workers. The primary that is made in this process next takes them over, or
 * `endEarlyWorkers` ends them; a process that the system refuses is made by the primary, which says why.
 */
export function forkEarlyWorkers(workers: number | 'auto', runAs: Identity | undefined): void {
  const count = workers === 'auto' ? availableParallelism() : workers;
  for (let slot = 1; slot <= count && !early.has(slot); slot += 1) {
    try {
      hold(slot, forkProcess(slot, count, runAs));
    } catch {
      return;
    }
  }
}

function hold(slot: number, worker: Worker): void {
  const held: EarlyWorker['held'] = [];
  const listeners = HELD_EVENTS.map((name) => {
    const listener = (...given: readonly unknown[]): void => void held.push([name, given]);
    worker.on(name, listener);
    return { name, listener };
  });
  early.set(slot, {
    worker,
    held,
    stopHolding: () => {
      for (const { name, listener } of listeners) worker.off(name, listener);
    },
  });
}

/**
 * The process that was made for a slot, whose events have to be listened to from now on. What was held comes once the caller
 * has returned, before anything new.
 */
export function takeEarlyWorker(slot: number): Worker | undefined {
  const taken = early.get(slot);
  if (taken === undefined) return undefined;
  early.delete(slot);
  const { worker, held, stopHolding } = taken;
  stopHolding();
  process.nextTick(() => {
    for (const [name, given] of held) worker.emit(name, ...given);
  });
  return worker;
}

/** Ends those that no primary has taken. */
export function endEarlyWorkers(): void {
  for (const { worker } of early.values()) worker.process.kill('SIGKILL');
  early.clear();
}
