// One door of inetd's `wait`: when to look whether somebody is there, when to run the program, when to keep it shut. A
// pure step: state, event and time in, state and action out; inetd/wait-server.ts carries the actions out.
//
//     watching ──ready──▶ running ──ended──▶ watching        closing: the program has been told to end
//         │ too often        │ failed early                  closed: nothing happens any more
//         └────▶ paused ◀────┘
//
// The program is trusted to take what waits at the socket. One that ends without taking it finds it there again, at
// once and for ever: that is what the limit on starts is for.

/** What a door allows its program; inetd/wait-server.ts documents the options. */
export interface WaitPolicy {
  readonly maxStartsPerMinute: number;
  /** How long nobody is let in once the program was started too often. */
  readonly pauseMs: number;
}

export const DEFAULT_WAIT_POLICY: WaitPolicy = {
  // As inetd: four a second is more than a program needs that serves for a while, and few enough that a loop costs
  // little.
  maxStartsPerMinute: 256,
  // Until then the minute that was counted is over.
  pauseMs: 60_000,
};

export type DoorState = 'watching' | 'running' | 'paused' | 'closing' | 'closed';

export interface Door {
  readonly at: DoorState;
  /** The starts of the last minute. */
  readonly startsMs: readonly number[];
  /** Programs in a row that failed as soon as they had begun. */
  readonly failures: number;
}

export type DoorEvent =
  | { readonly type: 'ready' }
  /** `failed`: by a status other than 0 or a signal, or it could not be started at all. */
  | { readonly type: 'ended'; readonly failed: boolean }
  | { readonly type: 'pause-over' }
  | { readonly type: 'close' };

export type DoorAction =
  | { readonly do: 'watch' }
  | { readonly do: 'run' }
  | { readonly do: 'pause'; readonly forMs: number; readonly why: 'too-many-starts' | 'program-fails' }
  | { readonly do: 'end-program' }
  | { readonly do: 'nothing' };

export interface DoorStep {
  readonly door: Door;
  readonly action: DoorAction;
}

/** Before the first look. */
export const NEW_DOOR: Door = { at: 'watching', startsMs: [], failures: 0 };

const MINUTE_MS = 60_000;
// A failure of a program that has served for longer is the end of its work, not a reason against the next one.
const EARLY_MS = 1_000;
// The same ladder as the arbiter's for workers that die early: growing by half from a tenth of a second to 15 s.
const FIRST_BACK_OFF_MS = 100;
const MAX_BACK_OFF_MS = 15_000;
const BACK_OFF_GROWTH = 1.5;

const NOTHING: DoorAction = { do: 'nothing' };
const stay = (door: Door): DoorStep => ({ door, action: NOTHING });
const watch = (door: Door): DoorStep => ({ door: { ...door, at: 'watching' }, action: { do: 'watch' } });

/** What one event makes of a door. An event that has no meaning in its state changes nothing. */
export function stepDoor(door: Door, event: DoorEvent, nowMs: number, policy: WaitPolicy): DoorStep {
  switch (event.type) {
    case 'ready':
      return door.at === 'watching' ? answer(door, nowMs, policy) : stay(door);
    case 'ended':
      if (door.at === 'closing') return stay({ ...door, at: 'closed' });
      return door.at === 'running' ? afterProgram(door, event.failed, nowMs) : stay(door);
    case 'pause-over':
      return door.at === 'paused' ? watch(door) : stay(door);
    case 'close':
      if (door.at === 'running') return { door: { ...door, at: 'closing' }, action: { do: 'end-program' } };
      return stay({ ...door, at: door.at === 'closing' ? 'closing' : 'closed' });
  }
}

function answer(door: Door, nowMs: number, { maxStartsPerMinute, pauseMs }: WaitPolicy): DoorStep {
  const startsMs = door.startsMs.filter((startMs) => nowMs - startMs < MINUTE_MS);
  // After the pause the count begins anew, else a short pause would be followed by another at once.
  if (startsMs.length >= maxStartsPerMinute)
    return {
      door: { ...door, at: 'paused', startsMs: [] },
      action: { do: 'pause', forMs: pauseMs, why: 'too-many-starts' },
    };
  return { door: { ...door, at: 'running', startsMs: [...startsMs, nowMs] }, action: { do: 'run' } };
}

function afterProgram(door: Door, failed: boolean, nowMs: number): DoorStep {
  const ranMs = nowMs - (door.startsMs.at(-1) ?? nowMs);
  if (!failed || ranMs >= EARLY_MS) return watch({ ...door, failures: 0 });
  const forMs = Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * BACK_OFF_GROWTH ** door.failures);
  return {
    door: { ...door, at: 'paused', failures: door.failures + 1 },
    action: { do: 'pause', forMs, why: 'program-fails' },
  };
}
