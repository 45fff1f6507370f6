// Whether this process is a worker of ours, and whether it can have workers.

import cluster from 'node:cluster';
import { WellknownError } from '../errors.ts';
import { readWorkerEnvironment, type WorkerPlace } from './worker-environment.ts';

/** Where this process stands among the workers of a primary; undefined in one that is no worker of ours. */
export const workerPlace = (): WorkerPlace | undefined =>
  cluster.isWorker ? readWorkerEnvironment(process.env) : undefined;

export const isOurWorker = (): boolean => workerPlace() !== undefined;

/** Throws UNSUPPORTED where Node can't fork: in a thread, and in a process that another program's cluster has forked. */
export function requireMayFork(): void {
  // Not imported above, for those that never ask.
  const { isMainThread } = process.getBuiltinModule('node:worker_threads');
  const where = !isMainThread
    ? 'a worker thread'
    : cluster.isWorker
      ? "a worker of another program's cluster"
      : undefined;
  if (where !== undefined)
    throw new WellknownError('UNSUPPORTED', `${where} can't have worker processes of its own`, {
      fault: 'local',
      hint: "serve with 'workers: 0' there, or make the server in the main thread of the first process",
    });
}
