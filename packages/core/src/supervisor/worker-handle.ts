// One worker as its primary knows it: what it was given, what it has said, and how it is spoken to. Pure: the process
// is passed in.

import { NO_MEMORY, type MemoryStatus } from '../observe/status.ts';
import type { Clock } from '../time/clock.ts';
import type { FromPrimary, ServiceAnswer } from './worker-messages.ts';

// Of a worker that is too busy to answer within this, its last beat has to do.
const STATUS_TIMEOUT_MS = 1_000;

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
  readonly #process: WorkerProcess;
  readonly #clock: Clock;
  readonly #statusAnswers = new Map<number, (services: readonly ServiceAnswer[]) => void>();
  #questions = 0;

  constructor(place: { readonly slot: number; readonly workerId: number }, process: WorkerProcess, clock: Clock) {
    this.slot = place.slot;
    this.workerId = place.workerId;
    this.#process = process;
    this.#clock = clock;
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

  /** What it says of its services; nothing when it does not answer in time. */
  askStatus(): Promise<readonly ServiceAnswer[]> {
    return new Promise((resolve) => {
      this.#questions += 1;
      const question = this.#questions;
      const timer = this.#clock.after(STATUS_TIMEOUT_MS, () => this.answered(question, []));
      this.#statusAnswers.set(question, (services) => {
        timer.cancel();
        resolve(services);
      });
      this.send({ type: 'status-question', question });
    });
  }

  /** Its answer to a question of `askStatus`. One that comes too late changes nothing. */
  answered(question: number, services: readonly ServiceAnswer[]): void {
    this.#statusAnswers.get(question)?.(services);
    this.#statusAnswers.delete(question);
  }
}
