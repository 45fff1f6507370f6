// The worker processes of a primary: forked, spoken to, counted. What they are told and when is decided elsewhere.

import type { Identity } from '../options.ts';
import cluster, { type Worker } from 'node:cluster';
import type { Clock } from '../time/clock.ts';
import type { Logger } from '../log.ts';
import {
  envelope,
  messageFromWorker,
  type FromPrimary,
  type FromWorker,
  type ServiceAnswer,
} from './worker-messages.ts';
import { WORKER_COUNT_VARIABLE, WORKER_SLOT_VARIABLE } from './worker.ts';

// Of a worker that is too busy to answer within this, its last beat has to do.
const STATUS_TIMEOUT_MS = 1_000;

export interface WorkerHandle {
  readonly slot: number;
  readonly workerId: number;
  readonly worker: Worker;
  /** Its program runs and listens to us. */
  hasSaidHello: boolean;
  /** It has its sockets, or is being given them. */
  hasAsked: boolean;
  /** The services of which it has its full share of connections. */
  readonly fullServices: Set<number>;
  /** The sockets that it accepts from. */
  readonly loans: Set<number>;
}

export interface WorkerPoolOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly workerCount: number;
  /** Who the workers are; by default who the primary is. */
  readonly runAs: Identity | undefined;
  readonly received: (workerId: WorkerHandle, message: FromWorker) => void;
  readonly exited: (workerId: WorkerHandle, code: number | null, signal: string | null) => void;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #pool = new Map<number, WorkerHandle>();
  readonly #statusAnswers = new Map<number, (services: readonly ServiceAnswer[]) => void>();
  #questions = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  get(workerId: number): WorkerHandle | undefined {
    return this.#pool.get(workerId);
  }

  all(): WorkerHandle[] {
    return [...this.#pool.values()];
  }

  fork(slot: number, workerId: number): void {
    const { runAs, workerCount } = this.#options;
    // Dropped as the process is made: no line of its program runs with more. Supplementary groups go with it.
    if (runAs !== undefined) cluster.setupPrimary({ uid: runAs.uid, gid: runAs.gid });
    const worker = cluster.fork({ [WORKER_SLOT_VARIABLE]: String(slot), [WORKER_COUNT_VARIABLE]: String(workerCount) });
    const record: WorkerHandle = {
      slot,
      workerId,
      worker,
      hasSaidHello: false,
      hasAsked: false,
      fullServices: new Set(),
      loans: new Set(),
    };
    this.#pool.set(workerId, record);
    worker.on('message', (raw: unknown) => {
      const message = messageFromWorker(raw);
      if (message === undefined) return;
      if (message.type === 'status') {
        this.#statusAnswers.get(message.question)?.(message.services);
        this.#statusAnswers.delete(message.question);
      } else this.#options.received(record, message);
    });
    const exited = (code: number | null, signal: string | null): void => {
      if (this.#pool.delete(workerId)) this.#options.exited(record, code, signal);
    };
    worker.on('exit', exited);
    worker.on('error', (error) => {
      this.#options.log.warn({ err: error, slot }, 'a worker could not be started, or its channel failed');
      // A process that never was does not exit either: the user it should run as may not be allowed to run the program.
      if (worker.process.pid === undefined) exited(null, null);
    });
  }

  /**
   * Says something to a worker; `handle` is lent, not given away. An error means that it is dying: its exit follows.
   */
  send(workerId: number, message: FromPrimary, handle?: object): void {
    const worker = this.#pool.get(workerId)?.worker;
    if (worker?.isConnected() !== true) return;
    worker.send(envelope(message), handle as never, { keepOpen: true }, () => undefined);
  }

  kill(workerId: number, signal: NodeJS.Signals): void {
    this.#pool.get(workerId)?.worker.process.kill(signal);
  }

  pidOf(workerId: number): number {
    return this.#pool.get(workerId)?.worker.process.pid ?? 0;
  }

  /** What every worker says of its services; nothing of one that does not answer in time. */
  askStatus(): Promise<
    { readonly slot: number; readonly workerId: number; readonly services: readonly ServiceAnswer[] }[]
  > {
    return Promise.all(
      this.all().map(async (record) => ({
        slot: record.slot,
        workerId: record.workerId,
        services: await this.#ask(record),
      })),
    );
  }

  #ask(record: WorkerHandle): Promise<readonly ServiceAnswer[]> {
    return new Promise((resolve) => {
      this.#questions += 1;
      const question = this.#questions;
      const timer = this.#options.clock.after(STATUS_TIMEOUT_MS, () => {
        this.#statusAnswers.delete(question);
        resolve([]);
      });
      this.#statusAnswers.set(question, (answer) => {
        timer.cancel();
        resolve(answer);
      });
      this.send(record.workerId, { type: 'status-question', question });
    });
  }
}
