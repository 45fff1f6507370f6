// When to start, replace, retire and give up on workers. A pure step: state, time and events in, state and actions out;
// the supervisor carries the actions out. It runs on every event and once a second besides.

/** A worker's place. Slots are numbered from 1 and are taken over by replacements. */
export interface WorkerRecord {
  readonly slot: number;
  /** Tells the lives of one slot apart. */
  readonly life: number;
  readonly at: 'starting' | 'ready' | 'draining';
  readonly sinceMs: number;
}

export interface ArbiterState {
  readonly target: number;
  readonly workers: readonly WorkerRecord[];
  readonly lives: number;
  readonly everReady: boolean;
  /** Deaths in a row without a stable stretch between them. */
  readonly failures: number;
  readonly mayStartAtMs: number;
  readonly stopping: boolean;
}

export interface ArbiterPolicy {
  /** A worker that has not become ready within this is killed. */
  readonly startTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** A worker that lived this long has shown that the code works: the back-off starts again. */
  readonly stableMs: number;
  readonly firstBackOffMs: number;
  readonly maxBackOffMs: number;
  /** So many deaths before any worker became ready mean that none ever will. */
  readonly maxStartFailures: number;
}

export const DEFAULT_POLICY: ArbiterPolicy = {
  startTimeoutMs: 30_000,
  drainTimeoutMs: 30_000,
  stableMs: 30_000,
  // Growing by half from a tenth of a second to 15 s, as process managers of other platforms do.
  firstBackOffMs: 100,
  maxBackOffMs: 15_000,
  maxStartFailures: 5,
};

export type ArbiterEvent =
  | { readonly type: 'ready'; readonly life: number }
  | { readonly type: 'exited'; readonly life: number }
  | { readonly type: 'scale'; readonly by: number }
  | { readonly type: 'stop' };

export type ArbiterAction =
  | { readonly do: 'start'; readonly slot: number; readonly life: number }
  | { readonly do: 'drain'; readonly life: number }
  | { readonly do: 'kill'; readonly life: number; readonly why: 'start-timeout' | 'drain-timeout' }
  | { readonly do: 'give-up'; readonly failures: number }
  | { readonly do: 'stopped' };

// After its own deadline a draining worker needs a moment to destroy what is left and to exit.
const KILL_AFTER_DRAIN_MS = 2_000;

export const initialArbiterState = (target: number): ArbiterState => ({
  target, workers: [], lives: 0, everReady: false, failures: 0, mayStartAtMs: 0, stopping: false,
});

export interface ArbiterStep {
  readonly state: ArbiterState;
  readonly actions: readonly ArbiterAction[];
}

/** One step. Calling it again at the same time with no events changes nothing. */
export function tick(before: ArbiterState, nowMs: number, events: readonly ArbiterEvent[], policy: ArbiterPolicy = DEFAULT_POLICY): ArbiterStep {
  const actions: ArbiterAction[] = [];
  let state = before;
  for (const event of events) state = observe(state, event, nowMs, policy);

  if (!state.everReady && state.failures >= policy.maxStartFailures && !state.stopping) {
    if (before.failures < state.failures) actions.push({ do: 'give-up', failures: state.failures });
    return { state, actions };
  }
  for (const worker of state.workers) {
    const ageMs = nowMs - worker.sinceMs;
    if (worker.at === 'starting' && ageMs >= policy.startTimeoutMs) actions.push({ do: 'kill', life: worker.life, why: 'start-timeout' });
    if (worker.at === 'draining' && ageMs >= policy.drainTimeoutMs + KILL_AFTER_DRAIN_MS) actions.push({ do: 'kill', life: worker.life, why: 'drain-timeout' });
  }
  state = retire(state, nowMs, actions);
  state = start(state, nowMs, actions);
  if (state.stopping && state.workers.length === 0 && (before.workers.length > 0 || !before.stopping)) actions.push({ do: 'stopped' });
  return { state, actions };
}

function observe(state: ArbiterState, event: ArbiterEvent, nowMs: number, policy: ArbiterPolicy): ArbiterState {
  switch (event.type) {
    case 'ready': {
      const workers = state.workers.map((worker): WorkerRecord => (worker.life === event.life && worker.at === 'starting' ? { ...worker, at: 'ready', sinceMs: nowMs } : worker));
      return { ...state, workers, everReady: state.everReady || workers.some((worker) => worker.at === 'ready') };
    }
    case 'exited': {
      const dead = state.workers.find((worker) => worker.life === event.life);
      if (dead === undefined) return state;
      const workers = state.workers.filter((worker) => worker !== dead);
      if (dead.at === 'draining') return { ...state, workers };
      const wasStable = dead.at === 'ready' && nowMs - dead.sinceMs >= policy.stableMs;
      const failures = wasStable ? 0 : state.failures + 1;
      const backOffMs = failures === 0 ? 0 : Math.min(policy.maxBackOffMs, policy.firstBackOffMs * 1.5 ** (failures - 1));
      return { ...state, workers, failures, mayStartAtMs: nowMs + backOffMs };
    }
    case 'scale':
      return { ...state, target: Math.max(1, state.target + event.by) };
    case 'stop':
      return { ...state, stopping: true };
  }
}

/** Drains everybody when stopping, otherwise the youngest above the target. */
function retire(state: ArbiterState, nowMs: number, actions: ArbiterAction[]): ArbiterState {
  const alive = state.workers.filter((worker) => worker.at !== 'draining');
  const surplus = state.stopping ? alive : [...alive].sort((a, b) => a.slot - b.slot).slice(state.target);
  if (surplus.length === 0) return state;
  for (const worker of surplus) actions.push({ do: 'drain', life: worker.life });
  return { ...state, workers: state.workers.map((worker) => (surplus.includes(worker) ? { ...worker, at: 'draining', sinceMs: nowMs } : worker)) };
}

function start(state: ArbiterState, nowMs: number, actions: ArbiterAction[]): ArbiterState {
  if (state.stopping || nowMs < state.mayStartAtMs) return state;
  const taken = new Set(state.workers.filter((worker) => worker.at !== 'draining').map((worker) => worker.slot));
  const workers = [...state.workers];
  let { lives } = state;
  for (let slot = 1; slot <= state.target; slot += 1) {
    if (taken.has(slot)) continue;
    lives += 1;
    actions.push({ do: 'start', slot, life: lives });
    workers.push({ slot, life: lives, at: 'starting', sinceMs: nowMs });
  }
  return lives === state.lives ? state : { ...state, workers, lives };
}
