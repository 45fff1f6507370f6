// One worker as its primary knows it: what it was given, what it has said, and how it is spoken to. Pure: the process
// is passed in.

import { NO_MEMORY, type MemoryStatus } from '../observe/status.ts';
import type { Clock } from '../time/clock.ts';
import type { Generation, Owner } from './generations.ts';
import type { FromPrimary, FromWorker } from './worker-messages.ts';
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
  /** The primary has ended it. */
  wasKilled = false;
  /** As of its last beat. */
  memory: MemoryStatus = NO_MEMORY;
  /** The services of which it has its full share of connections. */
  readonly fullServices = new Set<number>();
  /** The listeners that it accepts from. */
  readonly assigned = new Set<number>();
  readonly questions: WorkerQuestions;
  /** What it serves; undefined where all workers serve the same for ever. */
  readonly generation: Generation | undefined;
  readonly #process: WorkerProcess;

  constructor(
    place: { readonly slot: number; readonly workerId: number },
    process: WorkerProcess,
    clock: Clock,
    generation?: Generation,
  ) {
    this.generation = generation;
    this.slot = place.slot;
    this.workerId = place.workerId;
    this.#process = process;
    this.questions = new WorkerQuestions((message) => process.send(message), clock);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /**
   * Services are named by the primary's numbers here, and by its own where it runs. What is about a service that it does
   * not have is not said.
   */
  send(message: FromPrimary, handle?: object): void {
    if (this.generation === undefined || !('service' in message)) {
      this.#process.send(message, handle);
      return;
    }
    const service = this.generation.services.indexOf(message.service);
    if (service >= 0) this.#process.send({ ...message, service }, handle);
  }

  /** What it has said, with the primary's numbers of services. */
  translated(message: FromWorker): FromWorker {
    if (this.generation === undefined) return message;
    const { services } = this.generation;
    if ('service' in message) return { ...message, service: services[message.service] ?? -1 };
    if (message.type === 'beat') return { ...message, services: byNumber(message.services, services) };
    if (message.type === 'status') return { ...message, services: byNumber(message.services, services) };
    return message;
  }

  /** Whether it serves that service. */
  has(service: number): boolean {
    return this.generation?.services.includes(service) !== false;
  }

  /** Which service a listener is of, for this worker: undefined where it does not serve there. */
  ownerOf(listener: number): Owner | undefined {
    return this.generation?.sockets.get(listener);
  }

  /** The same as a number; `owner` where all workers serve the same. */
  serviceOf(listener: number, owner: number): number | undefined {
    return this.generation === undefined ? owner : this.ownerOf(listener)?.service;
  }

  kill(signal: NodeJS.Signals): void {
    this.wasKilled = true;
    this.#process.kill(signal);
  }
}

/** A list with holes: those of services that the worker does not have. */
function byNumber<Value>(values: readonly Value[], services: readonly number[]): readonly Value[] {
  const list: Value[] = [];
  for (const [index, value] of values.entries()) list[services[index] ?? index] = value;
  return list;
}
