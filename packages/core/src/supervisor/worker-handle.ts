// One worker as its primary knows it: what it was given, what it has said, and how it is spoken to. Pure: the process
// is passed in.

import { NO_MEMORY, type MemoryStatus } from '../observe/status.ts';
import type { Clock } from '../time/clock.ts';
import type { FromPrimary } from './worker-messages.ts';
import { WorkerQuestions } from './worker-questions.ts';

/** The process of a worker. */
export interface WorkerProcess {
  /** 0 for one that could not be started. */
  readonly pid: number;
  /** Says something; `handle` stays the caller's. What it can't be told any more is dropped: its exit follows. */
  send(message: FromPrimary, handle?: object): void;
  kill(signal: NodeJS.Signals): void;
}

export class WorkerHandle {
  readonly slot: number;
  /** Unique among all workers of the primary: a slot has one after the other. */
  readonly workerId: number;
  /**
   * How far its program has come. `loading`: it hears nothing yet. `running`: it listens to us. `assignable`: the
   * listeners of its slot are bound, and it may be given them.
   */
  stage: 'loading' | 'running' | 'assignable' = 'loading';
  /** As of its last beat. */
  memory: MemoryStatus = NO_MEMORY;
  /** The services of which it has its full share of connections. */
  readonly fullServices = new Set<number>();
  /** The listeners that it accepts from. */
  readonly assigned = new Set<number>();
  readonly questions: WorkerQuestions;
  readonly #process: WorkerProcess;

  constructor(place: { readonly slot: number; readonly workerId: number }, process: WorkerProcess, clock: Clock) {
    this.slot = place.slot;
    this.workerId = place.workerId;
    this.#process = process;
    this.questions = new WorkerQuestions((message) => process.send(message), clock);
  }

  get pid(): number {
    return this.#process.pid;
  }

  send(message: FromPrimary, handle?: object): void {
    this.#process.send(message, handle);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }
}
