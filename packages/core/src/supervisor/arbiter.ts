// When to start, replace, retire and give up on workers. A pure step: state, time and events in, state and actions out;
// the supervisor carries the actions out. It runs on every event and once a second besides.
//
// A worker is replaced in three ways. Dead: its slot is started again, after a back-off if it ended early. Worn out (old, or many
// connections served) or of an old generation: its successor is started first, and it drains once the successor is
// ready. Stalled: its event loop has sent no beat for too long, so it is killed, and is dead.

import { IDLE_EVENT_LOOP } from '../observe/status.ts';
import type { SupervisionPolicy } from '../supervision-policy.ts';
import {
  DEFAULT_POLICY,
  type ArbiterAction,
  type ArbiterEvent,
  type ArbiterState,
  type KillReason,
  type WorkerRecord,
} from './arbiter-state.ts';
import { isHopeless, observe } from './arbiter-events.ts';
import { mayStart } from './back-off.ts';

// After its own deadline a draining worker needs a moment to destroy what is left and to exit.
const KILL_AFTER_DRAIN_MS = 2_000;
// Half of the time idle: room for a burst of the same size as the present load.
const SPARE_BELOW_BUSY = 0.5;
const MAX_SPAWN_RATE = 32;
// Starting takes processor time from those that serve. Two at once, as a crash of half of a small pool needs.
const MAX_STARTING = 2;
/** How often `tick` should be called with `secondly`. */
export const TICK_MS = 1_000;
// A call that comes later than this after it was due means that the primary was away, stopped or with a blocked event
// loop. Half a period: below the shortest heartbeat timeout together with a period.
const LATE_TICK_MS = 500;

export interface ArbiterStep {
  readonly state: ArbiterState;
  readonly actions: readonly ArbiterAction[];
}

/**
 * One step. Calling it again at the same time with no events changes nothing but the size of the spare pool, which
 * moves once each `secondly` call. `random` gives 0 to 1, for the jitter.
 */
export function tick(
  before: ArbiterState,
  nowMs: number,
  events: readonly ArbiterEvent[],
  policy: SupervisionPolicy = DEFAULT_POLICY,
  random: () => number = () => 0,
  secondly = false,
): ArbiterStep {
  const actions: ArbiterAction[] = [];
  let state = discountAbsence(before, nowMs);
  if (secondly) state = { ...state, lastSecondMs: nowMs };
  for (const event of events) state = observe(state, event, nowMs, policy, actions);

  if (!state.everReady && state.startFailures >= policy.maxStartFailures && !state.stopping) {
    if (before.startFailures < state.startFailures) actions.push({ do: 'give-up', failures: state.startFailures });
    return { state, actions };
  }
  for (const worker of state.workers) {
    const why = killReason(worker, nowMs, policy);
    if (why === undefined) continue;
    actions.push({ do: 'kill', workerId: worker.workerId, why });
    // Another one would take as long to find out.
    if (why === 'start-timeout') state = isHopeless(state, worker.generation, policy);
  }
  if (secondly && !state.stopping) state = sizePool(state, policy);
  state = retire(state, nowMs, policy, actions);
  state = startMissing(state, nowMs, policy, random, actions);
  if (state.pendingReload !== undefined && isReloaded(state)) {
    actions.push({ do: 'reloaded', generation: state.generation });
    state = { ...state, pendingReload: undefined, lastGoodGeneration: state.generation };
    if (!state.keepsConnections) state = endKept(state, nowMs, actions);
  }
  if (state.stopping) state = endKept(state, nowMs, actions);
  if (state.stopping && state.workers.length === 0 && (before.workers.length > 0 || !before.stopping))
    actions.push({ do: 'stopped' });
  return { state, actions };
}

/**
 * While the primary was away (Ctrl-Z, a paused container, a blocked event loop) it could hear nothing, so that time counts
 * against no worker: a late tick counts as one that came when it was due.
 */
function discountAbsence(state: ArbiterState, nowMs: number): ArbiterState {
  if (state.lastSecondMs === undefined) return state;
  const awayMs = nowMs - state.lastSecondMs - TICK_MS;
  if (awayMs < LATE_TICK_MS) return state;
  return {
    ...state,
    lastSecondMs: nowMs - TICK_MS,
    workers: state.workers.map((worker) => ({
      ...worker,
      lastBeatMs: Math.min(nowMs, worker.lastBeatMs + awayMs),
      // The age of one that is ready is its own.
      sinceMs: worker.at === 'ready' ? worker.sinceMs : Math.min(nowMs, worker.sinceMs + awayMs),
    })),
  };
}

const slotsOf = ({ target }: ArbiterState): number[] => Array.from({ length: target }, (_, index) => index + 1);

function isReloaded(state: ArbiterState): boolean {
  const alive = state.workers.filter(({ at }) => at !== 'draining');
  return (
    alive.every(({ generation }) => generation === state.generation) &&
    slotsOf(state).every((slot) => alive.some((worker) => worker.slot === slot && worker.at === 'ready'))
  );
}

/** Those that drain without a deadline get one. */
function endKept(state: ArbiterState, nowMs: number, actions: ArbiterAction[]): ArbiterState {
  const kept = state.workers.filter(({ isKept }) => isKept === true);
  if (kept.length === 0) return state;
  for (const { workerId } of kept) actions.push({ do: 'drain', workerId });
  return {
    ...state,
    workers: state.workers.map((worker) =>
      kept.includes(worker) ? { ...worker, isKept: false, sinceMs: nowMs } : worker,
    ),
  };
}

function killReason(worker: WorkerRecord, nowMs: number, policy: SupervisionPolicy): KillReason | undefined {
  const ageMs = nowMs - worker.sinceMs;
  if (worker.at === 'starting') return ageMs >= policy.startTimeoutMs ? 'start-timeout' : undefined;
  if (worker.at === 'draining' && worker.isKept !== true && ageMs >= policy.drainTimeoutMs + KILL_AFTER_DRAIN_MS)
    return 'drain-timeout';
  return nowMs - worker.lastBeatMs >= policy.heartbeatTimeoutMs ? 'stalled' : undefined;
}

/** Moves the target towards the wanted number of spare workers: up by doubling steps, down by one. */
function sizePool(state: ArbiterState, policy: SupervisionPolicy): ArbiterState {
  if (policy.spare === undefined) return state;
  const { min, max, maxWorkers } = policy.spare;
  const serving = state.workers.filter((worker) => worker.at === 'ready' && worker.slot <= state.target);
  const slots = new Set(serving.map(({ slot }) => slot));
  // One that is starting or is still to be started will be idle when it is there; counting it as busy would start too many.
  const coming = state.target - slots.size;
  const spare = coming + serving.filter((worker) => worker.eventLoop.busy < SPARE_BELOW_BUSY).length;
  if (spare < min && state.target < maxWorkers) {
    return {
      ...state,
      target: Math.min(maxWorkers, state.target + Math.min(state.spawnRate, min - spare)),
      spawnRate: Math.min(MAX_SPAWN_RATE, state.spawnRate * 2),
    };
  }
  if (spare > max && state.target > 1) return { ...state, target: state.target - 1, spawnRate: 1 };
  return { ...state, spawnRate: 1 };
}

/**
 * Drains every worker when stopping; otherwise those that have a successor that is ready, those that a failed reload has
 * left before they were ready, and those above the target. The latter go on serving until every wanted slot does: when
 * one has just lost its worker, there might be none otherwise.
 */
function retire(state: ArbiterState, nowMs: number, policy: SupervisionPolicy, actions: ArbiterAction[]): ArbiterState {
  const alive = state.workers.filter((worker) => worker.at !== 'draining');
  const hasSuccessor = (worker: WorkerRecord): boolean =>
    alive.some((other) => other.slot === worker.slot && other.workerId > worker.workerId && other.at === 'ready');
  const isReady = (slot: number): boolean => alive.some((worker) => worker.slot === slot && worker.at === 'ready');
  const areWantedReady = slotsOf(state).every(isReady);
  const isUnwanted = (worker: WorkerRecord): boolean =>
    (worker.generation > state.generation && worker.at === 'starting') ||
    (worker.slot > state.target && (areWantedReady || worker.at === 'starting'));
  const surplus = alive.filter((worker) => state.stopping || isUnwanted(worker) || hasSuccessor(worker));
  if (surplus.length === 0) return state;
  for (const worker of surplus) actions.push({ do: 'drain', workerId: worker.workerId });
  const isKept = (worker: WorkerRecord): boolean =>
    state.keepsConnections && !state.stopping && worker.generation !== state.generation && worker.slot <= state.target;
  return {
    ...state,
    workers: state.workers.map((worker): WorkerRecord =>
      surplus.includes(worker)
        ? { ...worker, at: 'draining', sinceMs: nowMs, ...(isKept(worker) ? { isKept: true } : {}) }
        : worker,
    ),
  };
}

/**
 * Starts a worker for every empty slot, a few at a time while others serve, and one successor at a time for a slot whose
 * worker is due to be replaced.
 */
function startMissing(
  state: ArbiterState,
  nowMs: number,
  policy: SupervisionPolicy,
  random: () => number,
  actions: ArbiterAction[],
): ArbiterState {
  if (state.stopping) return state;
  const alive = state.workers.filter((worker) => worker.at !== 'draining');
  const slots: number[] = [];
  for (let slot = 1; slot <= state.target; slot += 1)
    if (!alive.some((worker) => worker.slot === slot) && mayStart(state.backOffs, slot, nowMs)) slots.push(slot);
  if (slots.length === 0 && alive.every((worker) => worker.at === 'ready')) {
    const due = alive.find(
      (worker) =>
        mayStart(state.backOffs, worker.slot, nowMs) &&
        (worker.generation !== state.generation || isWornOut(worker, nowMs, policy)),
    );
    if (due !== undefined) slots.push(due.slot);
  }
  const isServing = alive.some((worker) => worker.at === 'ready');
  const starting = alive.filter((worker) => worker.at === 'starting').length;
  const room = isServing ? Math.max(0, MAX_STARTING - starting) : slots.length;
  if (slots.length === 0 || room === 0) return state;
  const workers = [...state.workers];
  let { started } = state;
  for (const slot of slots.slice(0, room)) {
    started += 1;
    actions.push({ do: 'start', slot, workerId: started, generation: state.generation });
    workers.push({
      slot,
      workerId: started,
      generation: state.generation,
      at: 'starting',
      sinceMs: nowMs,
      lastBeatMs: nowMs,
      served: 0,
      eventLoop: IDLE_EVENT_LOOP,
      wear: 1 - random() / 10,
    });
  }
  return { ...state, workers, started };
}

const isWornOut = (worker: WorkerRecord, nowMs: number, policy: SupervisionPolicy): boolean =>
  worker.served >= policy.maxServed * worker.wear || nowMs - worker.sinceMs >= policy.maxAgeMs * worker.wear;
