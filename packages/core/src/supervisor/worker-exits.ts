// What has become of workers: told to subscribers as it happens, and counted by how they ended; and why the last one
// that could not start could not.

import type { ArbiterState, KillReason, WorkerRecord } from './arbiter-state.ts';
import { workerChannel } from '../diagnostics.ts';
import type { WorkerEnd } from '../observe/status.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** What `wellknown:worker` carries. */
export interface WorkerEventMessage {
  readonly slot: number;
  readonly workerId: number;
  readonly generation: number;
  readonly to: 'starting' | 'ready' | 'draining' | 'ended';
  /** Of one that has ended: how. */
  readonly why: WorkerEnd | undefined;
}

export interface StartFailure {
  readonly message: string;
  /** Of the user's: in the command line or a file that it names. */
  readonly isMistake: boolean;
}

const tell = ({ slot, workerId, generation }: WorkerRecord, to: WorkerEventMessage['to'], why?: WorkerEnd): void => {
  if (workerChannel.hasSubscribers)
    workerChannel.publish({ slot, workerId, generation, to, why } satisfies WorkerEventMessage);
};

export class WorkerExits {
  readonly #ended: Partial<Record<WorkerEnd, number>> = {};
  /** Of those whose end is another than their state tells, until they are gone. */
  readonly #endedFor = new Map<number, KillReason | 'crashed'>();
  #startFailure: StartFailure | undefined;

  get ended(): Readonly<Partial<Record<WorkerEnd, number>>> {
    return { ...this.#ended };
  }

  /** What the last worker that could not start has said. */
  get startFailure(): StartFailure | undefined {
    return this.#startFailure;
  }

  startFailed(failure: StartFailure): void {
    this.#startFailure = failure;
  }

  /** Other code is started now. */
  forgetStartFailure(): void {
    this.#startFailure = undefined;
  }

  /** Said before the worker is killed, so that its end is counted as what it is. */
  killing(workerId: number, why: KillReason): void {
    this.#endedFor.set(workerId, why);
  }

  /** The same of one that drains, once it has ended in another way than by having drained. */
  crashed(workerId: number): void {
    this.#endedFor.set(workerId, 'crashed');
  }

  /** The arbiter's state was the first and is the second. */
  changed({ workers: before }: ArbiterState, { workers: after }: ArbiterState): void {
    if (before === after) return;
    for (const worker of after)
      if (before.find(({ workerId }) => workerId === worker.workerId)?.at !== worker.at) tell(worker, worker.at);
    for (const worker of before) {
      if (after.some(({ workerId }) => workerId === worker.workerId)) continue;
      const why = this.#endedFor.get(worker.workerId) ?? (worker.at === 'draining' ? 'drained' : 'crashed');
      this.#endedFor.delete(worker.workerId);
      this.#ended[why] = (this.#ended[why] ?? 0) + 1;
      tell(worker, 'ended', why);
    }
  }
}

/** One that was told to go ends with 0, or by the TERM that a service manager sends to all of a service's processes. */
export const hasCrashed = (
  { pid, wasKilled }: Pick<WorkerHandle, 'pid' | 'wasKilled'>,
  code: number | null,
  signal: string | null,
): boolean => pid !== 0 && !wasKilled && code !== 0 && signal !== 'SIGTERM';
