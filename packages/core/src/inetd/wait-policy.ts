// One listener of inetd's `wait`: when to watch for a peer, when to run the program, when to pause before the next
// start. A pure step: state, event and time in, state and action out; inetd/wait-server.ts carries the actions out.
//
//     watching ──ready──▶ running ──ended──▶ watching        closing: the program has been told to end
//         │ too often        │ failed early                  closed: nothing happens any more
//         └────▶ paused ◀────┘
//
// The program is trusted to take what waits at the socket. One that ends without taking it finds it there again, at
// once and for ever: that is what the limit on starts is for.

/** What a listener allows its program; inetd/wait-server.ts documents the options. */
export interface WaitPolicy {
  readonly maxStartsPerMinute: number;
  /** How long it is not started once it was started too often. */
  readonly pauseMs: number;
}

export const DEFAULT_WAIT_POLICY: WaitPolicy = {
  // As inetd: four a second is more than a program needs that serves for a while, and few enough that a loop costs
  // little.
  maxStartsPerMinute: 256,
  // Until then the minute that was counted is over.
  pauseMs: 60_000,
};

export type WaitPhase = 'watching' | 'running' | 'paused' | 'closing' | 'closed';

export interface WaitState {
  readonly at: WaitPhase;
  /** The starts of the last minute. */
  readonly startsMs: readonly number[];
  /** Programs in a row that failed as soon as they had begun. */
  readonly failures: number;
}

export type WaitEvent =
  | { readonly type: 'ready' }
  /** `failed`: by a status other than 0 or a signal, or it could not be started at all. */
  | { readonly type: 'ended'; readonly failed: boolean }
  | { readonly type: 'pause-over' }
  | { readonly type: 'close' };

export type WaitAction =
  | { readonly do: 'watch' }
  | { readonly do: 'run' }
  | { readonly do: 'pause'; readonly forMs: number; readonly why: 'too-many-starts' | 'program-fails' }
  | { readonly do: 'end-program' }
  | { readonly do: 'nothing' };

export interface WaitStep {
  readonly state: WaitState;
  readonly action: WaitAction;
}

/** Before the first look. */
export const INITIAL_WAIT_STATE: WaitState = { at: 'watching', startsMs: [], failures: 0 };

const MINUTE_MS = 60_000;
// A failure of a program that has served for longer is the end of its work, not a reason against the next one.
const EARLY_MS = 1_000;
// The same ladder as the arbiter's for workers that die early: growing by half from a tenth of a second to 15 s.
const FIRST_BACK_OFF_MS = 100;
const MAX_BACK_OFF_MS = 15_000;
const BACK_OFF_GROWTH = 1.5;

const NOTHING: WaitAction = { do: 'nothing' };
const stay = (state: WaitState): WaitStep => ({ state, action: NOTHING });
const watch = (state: WaitState): WaitStep => ({ state: { ...state, at: 'watching' }, action: { do: 'watch' } });

/** What one event makes of a listener's state. An event that has no meaning in its state changes nothing. */
export function stepWait(state: WaitState, event: WaitEvent, nowMs: number, policy: WaitPolicy): WaitStep {
  switch (event.type) {
    case 'ready':
      return state.at === 'watching' ? answer(state, nowMs, policy) : stay(state);
    case 'ended':
      if (state.at === 'closing') return stay({ ...state, at: 'closed' });
      return state.at === 'running' ? afterProgram(state, event.failed, nowMs) : stay(state);
    case 'pause-over':
      return state.at === 'paused' ? watch(state) : stay(state);
    case 'close':
      if (state.at === 'running') return { state: { ...state, at: 'closing' }, action: { do: 'end-program' } };
      return stay({ ...state, at: state.at === 'closing' ? 'closing' : 'closed' });
  }
}

function answer(state: WaitState, nowMs: number, { maxStartsPerMinute, pauseMs }: WaitPolicy): WaitStep {
  const startsMs = state.startsMs.filter((startMs) => nowMs - startMs < MINUTE_MS);
  // After the pause the count begins anew, else a short pause would be followed by another at once.
  if (startsMs.length >= maxStartsPerMinute)
    return {
      state: { ...state, at: 'paused', startsMs: [] },
      action: { do: 'pause', forMs: pauseMs, why: 'too-many-starts' },
    };
  return { state: { ...state, at: 'running', startsMs: [...startsMs, nowMs] }, action: { do: 'run' } };
}

function afterProgram(state: WaitState, failed: boolean, nowMs: number): WaitStep {
  const ranMs = nowMs - (state.startsMs.at(-1) ?? nowMs);
  if (!failed || ranMs >= EARLY_MS) return watch({ ...state, failures: 0 });
  const forMs = Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * BACK_OFF_GROWTH ** state.failures);
  return {
    state: { ...state, at: 'paused', failures: state.failures + 1 },
    action: { do: 'pause', forMs, why: 'program-fails' },
  };
}
