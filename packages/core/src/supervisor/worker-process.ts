// A worker that node:cluster has forked: the process behind a handle.

import type { Identity } from '../options.ts';
import type { Worker } from 'node:cluster';
import type { Clock } from '../time/clock.ts';
import type { Logger } from '../log.ts';
import { forkProcess, takeEarlyWorker } from './early-workers.ts';
import type { Generation } from './generations.ts';
import { WorkerHandle } from './worker-handle.ts';
import { envelope, messageFromWorker, type FromWorker } from './worker-messages.ts';

/** Told what worker processes do. */
export interface WorkerEvents {
  received(worker: WorkerHandle, message: FromWorker): void;
  /** It is no more, or has never been. Called once for each worker. */
  exited(worker: WorkerHandle, code: number | null, signal: string | null): void;
}

export interface ForkOptions {
  readonly slot: number;
  readonly workerId: number;
  readonly workerCount: number;
  /** As whom it runs; by default as the primary. */
  readonly runAs: Identity | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: WorkerEvents;
  readonly generation: Generation;
}

export function forkWorker({
  slot,
  workerId,
  workerCount,
  runAs,
  clock,
  log,
  events,
  generation,
}: ForkOptions): WorkerHandle {
  let worker: Worker;
  try {
    worker = takeEarlyWorker(slot) ?? forkProcess(slot, workerCount, runAs);
  } catch (error) {
    return neverStarted({ slot, workerId, clock, events }, error);
  }
  const handle = new WorkerHandle(
    { slot, workerId },
    {
      get pid() {
        return worker.process.pid ?? 0;
      },
      send(message, carried) {
        if (worker.isConnected()) worker.send(envelope(message), carried as never, { keepOpen: true }, () => undefined);
      },
      kill: (signal) => void worker.process.kill(signal),
    },
    clock,
    generation,
  );
  worker.on('message', (raw: unknown) => {
    const message = messageFromWorker(raw);
    if (message !== undefined) events.received(handle, handle.translated(message));
  });
  let hasExited = false;
  const exited = (code: number | null, signal: string | null): void => {
    if (hasExited) return;
    hasExited = true;
    events.exited(handle, code, signal);
  };
  worker.on('exit', exited);
  worker.on('error', (error) => {
    if (worker.process.pid !== undefined) {
      log.warn({ err: error, slot }, 'the channel of a worker failed');
      return;
    }
    // A process that never was does not exit either: the user it should run as may not be allowed to run the program, or
    // there are no descriptors left for it.
    events.received(handle, { type: 'failed', message: notStarted(error), isMistake: false });
    exited(null, null);
  });
  return handle;
}

const notStarted = (error: unknown): string =>
  `its process could not be started: ${error instanceof Error ? error.message : String(error)}`;

/**
 * The system has refused the process at once, as it does for a user that this one may not become. Another try would end
 * as this one.
 */
function neverStarted(
  { slot, workerId, clock, events }: Pick<ForkOptions, 'slot' | 'workerId' | 'clock' | 'events'>,
  error: unknown,
): WorkerHandle {
  const handle = new WorkerHandle({ slot, workerId }, { pid: 0, send: () => undefined, kill: () => undefined }, clock);
  const message = notStarted(error);
  // Once the one who starts it knows it.
  setImmediate(() => {
    events.received(handle, { type: 'failed', message, isMistake: true });
    events.exited(handle, null, null);
  });
  return handle;
}
