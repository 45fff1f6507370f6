// The workers of a primary: the arbiter's record of each and the handle of its process. What a worker is doing and since
// when stands in the records alone, which only a step of the arbiter changes. Pure: how a process is forked is passed in.

import { SAMPLE_MS } from '../observe/event-loop-delay.ts';
import type { SupervisionPolicy } from '../supervision-policy.ts';
import type { Clock } from '../time/clock.ts';
import { tick } from './arbiter.ts';
import {
  initialArbiterState,
  type ArbiterAction,
  type ArbiterEvent,
  type ArbiterState,
  type WorkerRecord,
} from './arbiter-state.ts';
import { nextStartAtMs } from './back-off.ts';
import type { AssignableWorker } from './listener-assignment.ts';
import { WorkerExits } from './worker-exits.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface WorkerPoolOptions {
  readonly clock: Clock;
  readonly policy: SupervisionPolicy;
  /** How many there should be at first. */
  readonly workerCount: number;
  /** `generation` is which services it serves. */
  readonly fork: (slot: number, workerId: number, generation: number) => WorkerHandle;
}

export interface PoolStep {
  readonly actions: readonly ArbiterAction[];
  /** There should be more workers than before, or fewer. */
  readonly isResized: boolean;
  /** When the next step is due, if nothing happens before. */
  readonly dueInMs: number | undefined;
}

export class WorkerPool {
  /** What has become of those that are no more. */
  readonly exits = new WorkerExits();
  readonly #options: WorkerPoolOptions;
  readonly #handles = new Map<number, WorkerHandle>();
  #policy: SupervisionPolicy;
  #state: ArbiterState;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#state = { ...initialArbiterState(options.workerCount), lastSecondMs: options.clock.nowMs() };
  }

  /** Lets the arbiter decide on what has happened. `isSecondly` once a second, as its `tick` wants it. */
  step(events: readonly ArbiterEvent[], isSecondly: boolean): PoolStep {
    const nowMs = this.#options.clock.nowMs();
    const before = this.#state;
    const { state, actions } = tick(before, nowMs, events, this.#policy, Math.random, isSecondly);
    this.exits.changed(before, state);
    this.#state = state;
    const dueAtMs = [
      nextStartAtMs(state.backOffs, nowMs) ?? Number.POSITIVE_INFINITY,
      ...state.workers.map((worker) => this.#lateAtMs(worker)),
    ].filter((atMs) => atMs > nowMs);
    const nextAtMs = Math.min(...dueAtMs);
    return {
      actions,
      isResized: state.target !== before.target,
      dueInMs: Number.isFinite(nextAtMs) ? nextAtMs - nowMs : undefined,
    };
  }

  /** Decides by another policy from the next step on. */
  changePolicy(policy: SupervisionPolicy): void {
    this.#policy = policy;
  }

  fork(slot: number, workerId: number, generation = 1): void {
    this.#handles.set(workerId, this.#options.fork(slot, workerId, generation));
  }

  /** Its process is no more; its record goes when the arbiter is told. */
  remove(workerId: number): void {
    this.#handles.delete(workerId);
  }

  get(workerId: number): WorkerHandle | undefined {
    return this.#handles.get(workerId);
  }

  /** Those that have a process, draining ones among them. */
  all(): WorkerHandle[] {
    return [...this.#handles.values()];
  }

  get records(): readonly WorkerRecord[] {
    return this.#state.workers;
  }

  /** How many workers there should be. */
  get target(): number {
    return this.#state.target;
  }

  /** The number that the next reload will have. */
  get nextGeneration(): number {
    return this.#state.lastGeneration + 1;
  }

  /** What new workers serve. */
  get generation(): number {
    return this.#state.generation;
  }

  /** Workers since the start. */
  get started(): number {
    return this.#state.started;
  }

  /** There are as many as there should be, and each of them is ready. */
  get isComplete(): boolean {
    const { workers, target } = this.#state;
    return workers.length === target && workers.every(({ at }) => at === 'ready');
  }

  /** The same of those that stay: others may still drain. */
  get isStaffed(): boolean {
    const { workers, target } = this.#state;
    const staying = workers.filter(({ at }) => at !== 'draining');
    return staying.length === target && staying.every(({ at }) => at === 'ready');
  }

  /** What it is doing; undefined once it has ended. */
  stateOf(workerId: number): WorkerRecord['at'] | undefined {
    return this.#state.workers.find((record) => record.workerId === workerId)?.at;
  }

  /** Those that are ready and have room for a connection of the listener; of these, those whose beats are late only if all are. */
  withRoom(listener: number, owner = listener): WorkerHandle[] {
    const able = this.#state.workers.flatMap((record) => {
      const worker = this.#handles.get(record.workerId);
      const service = worker?.serviceOf(listener, owner);
      return record.at === 'ready' && service !== undefined && worker?.fullServices.has(service) === false
        ? [{ record, worker }]
        : [];
    });
    const beating = able.filter(({ record }) => !this.#isLate(record));
    return (beating.length > 0 ? beating : able).map(({ worker }) => worker);
  }

  /** Those that may be given listeners: none that drains, as all do once the pool is stopping. */
  assignable(): { readonly worker: WorkerHandle; readonly at: AssignableWorker['at'] }[] {
    return this.#state.workers.flatMap((record) => {
      const worker = this.#handles.get(record.workerId);
      if (record.at === 'draining' || worker?.stage !== 'assignable') return [];
      return [{ worker, at: this.#isLate(record) ? 'late' : record.at }];
    });
  }

  #isLate(worker: WorkerRecord): boolean {
    return this.#lateAtMs(worker) <= this.#options.clock.nowMs();
  }

  /** When its next beat is late; never for one that sends none. */
  #lateAtMs({ at, lastBeatMs }: WorkerRecord): number {
    return at === 'ready' ? lastBeatMs + SAMPLE_MS + this.#policy.lateBeatMs : Number.POSITIVE_INFINITY;
  }
}
