// What the arbiter knows, hears and orders, as values, with the policy that it keeps to unless it is told otherwise.

import type { EventLoopStatus, WorkerEnd, WorkerPhase } from '../observe/status.ts';
import type { SupervisionPolicy } from '../supervision-policy.ts';
import type { SlotBackOff } from './back-off.ts';

/** A worker in its slot. Slots are numbered from 1 and are taken over by successors. */
export interface WorkerRecord {
  readonly slot: number;
  /** Tells the workers of one slot apart: a later one has a higher number. */
  readonly workerId: number;
  /** Which code and configuration it runs. */
  readonly generation: number;
  readonly at: WorkerPhase;
  readonly sinceMs: number;
  readonly lastBeatMs: number;
  /** Connections it has accepted, as of its last beat. */
  readonly served: number;
  /** How its event loop was in the second before its last beat. */
  readonly eventLoop: EventLoopStatus;
  /** Its own draw of the jitter: 1 is no change of its limits, less is earlier. */
  readonly wear: number;
}

export interface ArbiterState {
  readonly target: number;
  readonly workers: readonly WorkerRecord[];
  /** Workers since the start; the number of the last one. */
  readonly started: number;
  /** What new workers run. Falls back to the last one that worked when a new one fails. */
  readonly generation: number;
  readonly lastGoodGeneration: number;
  readonly everReady: boolean;
  /** Workers that ended before any was ever ready. */
  readonly startFailures: number;
  /** Of the slots whose last workers ended early. */
  readonly backOffs: readonly SlotBackOff[];
  /** How many workers the next short tick may add: doubles while the pool stays short of spare ones. */
  readonly spawnRate: number;
  readonly stopping: boolean;
  /** When the last `secondly` call came; undefined before the first. */
  readonly lastSecondMs: number | undefined;
}

export const DEFAULT_POLICY: SupervisionPolicy = {
  startTimeoutMs: 30_000,
  drainTimeoutMs: 30_000,
  // As process managers of other platforms; a garbage collection or a burst of work stays far below it.
  heartbeatTimeoutMs: 30_000,
  // Longer than a collection of garbage, shorter than what a client notices as a hang.
  lateBeatMs: 500,
  // It has accepted and served. Longer, and a request that ends its worker now and then would empty the pool.
  stableMs: 1_000,
  // Growing by half from a tenth of a second to 15 s.
  firstBackOffMs: 100,
  maxBackOffMs: 15_000,
  maxStartFailures: 5,
  maxServed: Number.POSITIVE_INFINITY,
  maxAgeMs: Number.POSITIVE_INFINITY,
  spare: undefined,
};

export type ArbiterEvent =
  | { readonly type: 'ready'; readonly workerId: number }
  | { readonly type: 'beat'; readonly workerId: number; readonly served: number; readonly eventLoop: EventLoopStatus }
  | { readonly type: 'exited'; readonly workerId: number }
  /** It can't start, and neither could another one: the command line or a file that it names is wrong. */
  | { readonly type: 'refused'; readonly workerId: number }
  /** It drains without having been told to from here: because of a signal, or of its own program. */
  | { readonly type: 'leaving'; readonly workerId: number }
  | { readonly type: 'scale'; readonly by: number }
  /** New code and configuration: replace every worker, one after the other. */
  | { readonly type: 'reload' }
  | { readonly type: 'stop' };

export type KillReason = Exclude<WorkerEnd, 'drained' | 'crashed'>;

export type ArbiterAction =
  | { readonly do: 'start'; readonly slot: number; readonly workerId: number; readonly generation: number }
  | { readonly do: 'drain'; readonly workerId: number }
  | { readonly do: 'kill'; readonly workerId: number; readonly why: KillReason }
  /** Every worker is of the current generation, and the last one of the old has begun to drain. */
  | { readonly do: 'reloaded'; readonly generation: number }
  /** A worker of the new generation ended before it was ready: the old one goes on. */
  | { readonly do: 'reload-failed'; readonly generation: number }
  | { readonly do: 'give-up'; readonly failures: number }
  | { readonly do: 'stopped' };

export const initialArbiterState = (target: number): ArbiterState => ({
  target,
  workers: [],
  started: 0,
  generation: 1,
  lastGoodGeneration: 1,
  everReady: false,
  startFailures: 0,
  backOffs: [],
  spawnRate: 1,
  stopping: false,
  lastSecondMs: undefined,
});

export interface ArbiterStep {
  readonly state: ArbiterState;
  readonly actions: readonly ArbiterAction[];
}
