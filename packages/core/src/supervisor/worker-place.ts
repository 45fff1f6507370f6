// Whether this process is a worker of ours.

import cluster from 'node:cluster';
import { readWorkerEnvironment, type WorkerPlace } from './worker-environment.ts';

/** Where this process stands among the workers of a primary; undefined in one that is no worker of ours. */
export const workerPlace = (): WorkerPlace | undefined =>
  cluster.isWorker ? readWorkerEnvironment(process.env) : undefined;

export const isOurWorker = (): boolean => workerPlace() !== undefined;
