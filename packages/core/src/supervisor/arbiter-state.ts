// What the arbiter knows of workers, what it is told and what it decides; and its policy unless it is told otherwise.

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
  /** Drains without a deadline: connections of services that a reload did not change go on. */
  readonly isKept?: boolean;
  /** Its own draw of the jitter: 1 is no change of its limits, less is earlier. */
  readonly wear: number;
}

export interface PendingReload {
  readonly generation: number;
  /** One of its workers was ready. As long as none was, the first that fails is the reload's failure. */
  readonly wasReady: boolean;
  /** Of its workers, those that ended before they were ready or soon after. */
  readonly failures: number;
  /** How many workers it wants, and how many there were to be before. */
  readonly target: number;
  readonly targetBefore: number;
}

export interface ArbiterState {
  readonly target: number;
  readonly workers: readonly WorkerRecord[];
  /** Workers since the start; the number of the last one. */
  readonly started: number;
  /** What new workers run. Falls back to the last good one when a new one fails. */
  readonly generation: number;
  /** The last one of which a worker was ready in every slot. */
  readonly lastGoodGeneration: number;
  /** The highest number that was given to one. None comes twice, or what a failed one has left would count as new. */
  readonly lastGeneration: number;
  /** The reload that has not been answered yet. */
  readonly pendingReload: PendingReload | undefined;
  readonly everReady: boolean;
  /** Workers that ended before any was ever ready. */
  readonly startFailures: number;
  /** Of the slots whose last workers ended early. */
  readonly backOffs: readonly SlotBackOff[];
  /** How many workers the next short tick may add: doubles while the pool stays short of spare ones. */
  readonly spawnRate: number;
  readonly stopping: boolean;
  /** Workers of older generations than the present one keep the connections of services that did not change. */
  readonly keepsConnections: boolean;
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
  /**
   * New code and configuration: replace every worker, one after the other. `keeps`: they drain without a deadline.
   * `target` is how many there should be from now on, unless it fails.
   */
  | { readonly type: 'reload'; readonly keeps?: boolean; readonly target?: number }
  | { readonly type: 'stop' };

export type KillReason = Exclude<WorkerEnd, 'drained' | 'crashed'>;

export type ArbiterAction =
  | { readonly do: 'start'; readonly slot: number; readonly workerId: number; readonly generation: number }
  | { readonly do: 'drain'; readonly workerId: number }
  | { readonly do: 'kill'; readonly workerId: number; readonly why: KillReason }
  /** A worker of this generation is ready in every slot, and the last one of the old has begun to drain. */
  | { readonly do: 'reloaded'; readonly generation: number }
  /** Workers of the new generation ended before they were ready or soon after: the old one serves in every slot again. */
  | {
      readonly do: 'reload-failed';
      readonly generation: number;
      /** How many of them, where others were ready. */
      readonly failures?: number;
    }
  | { readonly do: 'give-up'; readonly failures: number }
  | { readonly do: 'stopped' };

export const initialArbiterState = (target: number): ArbiterState => ({
  target,
  workers: [],
  started: 0,
  generation: 1,
  lastGoodGeneration: 1,
  lastGeneration: 1,
  pendingReload: undefined,
  everReady: false,
  startFailures: 0,
  backOffs: [],
  spawnRate: 1,
  stopping: false,
  keepsConnections: false,
  lastSecondMs: undefined,
});
