// By which a forked process knows that it is a worker of ours. Pure: the environment is passed in.

/** Its slot, from 1. */
const WORKER_SLOT_VARIABLE = 'WELLKNOWN_WORKER_SLOT';
/** How many workers there were to be when the primary began. */
const WORKER_COUNT_VARIABLE = 'WELLKNOWN_WORKER_COUNT';

export interface WorkerPlace {
  readonly slot: number;
  readonly workerCount: number;
}

/** What a worker finds in its environment. */
export const workerEnvironment = ({ slot, workerCount }: WorkerPlace): Record<string, string> => ({
  [WORKER_SLOT_VARIABLE]: String(slot),
  [WORKER_COUNT_VARIABLE]: String(workerCount),
});

/** The place of this process among the workers; undefined in one that no primary has forked. */
export function readWorkerEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): WorkerPlace | undefined {
  const slot = environment[WORKER_SLOT_VARIABLE];
  return slot === undefined
    ? undefined
    : { slot: Number(slot), workerCount: Math.max(1, Number(environment[WORKER_COUNT_VARIABLE])) };
}
