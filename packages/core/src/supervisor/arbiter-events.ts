// What the arbiter is told of workers and asked for, and what it knows then. A worker that ends early is judged here: its
// slot waits before the next try, and of a reload it may be the failure.

import type { SupervisionPolicy } from '../supervision-policy.ts';
import type { ArbiterAction, ArbiterEvent, ArbiterState, WorkerRecord } from './arbiter-state.ts';
import { countEnd } from './back-off.ts';

/** The state after an event. What has to be told of it at once is added to `actions`. */
export function observe(
  state: ArbiterState,
  event: ArbiterEvent,
  nowMs: number,
  policy: SupervisionPolicy,
  actions: ArbiterAction[],
): ArbiterState {
  switch (event.type) {
    case 'ready': {
      const worker = state.workers.find(
        (candidate) => candidate.workerId === event.workerId && candidate.at === 'starting',
      );
      if (worker === undefined) return state;
      const workers = state.workers.map((one): WorkerRecord =>
        one === worker ? { ...one, at: 'ready', sinceMs: nowMs, lastBeatMs: nowMs } : one,
      );
      const { pendingReload: pending } = state;
      const isFirst = pending?.generation === worker.generation && !pending.wasReady;
      return {
        ...state,
        workers,
        everReady: true,
        ...(isFirst ? { pendingReload: { ...pending, wasReady: true } } : {}),
      };
    }
    case 'beat':
      return {
        ...state,
        workers: state.workers.map((worker) =>
          worker.workerId === event.workerId
            ? { ...worker, lastBeatMs: nowMs, served: event.served, eventLoop: event.eventLoop }
            : worker,
        ),
      };
    case 'exited':
      return observeExit(state, event.workerId, nowMs, policy, actions);
    case 'refused': {
      // Its end follows. Once one was ready the file is a new one: that is a failed reload, or is tried again.
      if (!state.everReady) return { ...state, startFailures: Math.max(state.startFailures, policy.maxStartFailures) };
      const refused = state.workers.find(({ workerId }) => workerId === event.workerId);
      return refused === undefined ? state : isHopeless(state, refused.generation, policy);
    }
    case 'leaving':
      return observeLeaving(state, event.workerId, nowMs, policy, actions);
    case 'scale':
      return { ...state, target: Math.max(1, state.target + event.by) };
    case 'reload': {
      const generation = state.lastGeneration + 1;
      const target = Math.max(1, event.target ?? state.target);
      return {
        ...state,
        ...{ generation, lastGeneration: generation, target },
        pendingReload: { generation, wasReady: false, failures: 0, target, targetBefore: state.target },
        backOffs: [],
        keepsConnections: event.keeps === true,
      };
    }
    case 'stop':
      return { ...state, stopping: true, pendingReload: undefined };
  }
}

function observeExit(
  state: ArbiterState,
  workerId: number,
  nowMs: number,
  policy: SupervisionPolicy,
  actions: ArbiterAction[],
): ArbiterState {
  const dead = state.workers.find((worker) => worker.workerId === workerId);
  if (dead === undefined) return state;
  const workers = state.workers.filter((worker) => worker !== dead);
  if (dead.at === 'draining') return { ...state, workers };
  // Another one of its generation has failed before: that was told.
  if (dead.at === 'starting' && dead.generation > state.generation) return { ...state, workers };
  return noteEnd({ ...state, workers }, dead, nowMs, policy, actions);
}

/** What this generation begins with is wrong: no further worker of it is tried. */
export function isHopeless(state: ArbiterState, generation: number, policy: SupervisionPolicy): ArbiterState {
  const { pendingReload: pending } = state;
  return pending?.generation === generation
    ? { ...state, pendingReload: { ...pending, failures: Math.max(pending.failures, policy.maxStartFailures - 1) } }
    : state;
}

/**
 * A worker of the generation that a reload brings has ended early. The first of all is enough; once one was ready, another
 * cause than the new code is likely enough to try again.
 */
function noteReloadFailure(state: ArbiterState, policy: SupervisionPolicy, actions: ArbiterAction[]): ArbiterState {
  const { pendingReload: pending } = state;
  if (pending === undefined) return state;
  const failures = pending.failures + 1;
  if (pending.wasReady && failures < policy.maxStartFailures)
    return { ...state, pendingReload: { ...pending, failures } };
  const { generation } = pending;
  actions.push({ do: 'reload-failed', generation, ...(pending.wasReady ? { failures } : {}) });
  return {
    ...state,
    generation: state.lastGoodGeneration,
    pendingReload: undefined,
    // The old code has not failed.
    backOffs: [],
    // Who has scaled meanwhile has meant it.
    target: state.target === pending.target ? pending.targetBefore : state.target,
  };
}

/**
 * Its slot is empty although its process still runs: the successor does not wait for its end. One that has not become
 * ready is judged by its end.
 */
function observeLeaving(
  state: ArbiterState,
  workerId: number,
  nowMs: number,
  policy: SupervisionPolicy,
  actions: ArbiterAction[],
): ArbiterState {
  const leaving = state.workers.find((worker) => worker.workerId === workerId && worker.at === 'ready');
  if (leaving === undefined) return state;
  const workers = state.workers.map((one): WorkerRecord =>
    one === leaving ? { ...one, at: 'draining', sinceMs: nowMs } : one,
  );
  return noteEnd({ ...state, workers }, leaving, nowMs, policy, actions);
}

/** `gone` serves no more, without having been told to. */
function noteEnd(
  state: ArbiterState,
  gone: WorkerRecord,
  nowMs: number,
  policy: SupervisionPolicy,
  actions: ArbiterAction[],
): ArbiterState {
  const end = {
    slot: gone.slot,
    readyForMs: gone.at === 'ready' ? nowMs - gone.sinceMs : undefined,
    wasLast: state.workers.every(({ at }) => at === 'draining'),
  };
  const counted: ArbiterState = {
    ...state,
    startFailures: state.everReady ? state.startFailures : state.startFailures + 1,
    backOffs: countEnd(state.backOffs, end, nowMs, policy),
  };
  const isEarly = end.readyForMs === undefined || end.readyForMs < policy.stableMs;
  return isEarly && gone.generation === state.pendingReload?.generation && !state.stopping
    ? noteReloadFailure(counted, policy, actions)
    : counted;
}
