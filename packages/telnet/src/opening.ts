// How long the beginning of a session waits for what the client has to tell. A client that says nothing is greeted
// after a moment of silence; one that answers is heard out, however far away it is, up to a limit. What comes later is
// an event.

import type { Clock, Timer } from '@wellknown/core';

export interface OpeningParts {
  readonly clock: Clock;
  /** The silence after which a session goes on with what is known. */
  readonly silenceMs: number;
  readonly maxOpeningMs: number;
  /** All that was asked is answered. */
  readonly isSettled: () => boolean;
}

export interface Opening {
  /** Resolves after a silence, or when `settled` does. Never rejects. */
  readonly ready: Promise<void>;
  /** Resolves when all is known, or after `maxOpeningMs`. Never rejects. */
  readonly settled: Promise<void>;
  /** The client has answered. */
  heard(): void;
  /** What was asked may be answered by now. */
  notice(): void;
  /** The session is over, or no more will come. */
  finish(): void;
}

// Each answer was asked for by the one before, so the next takes as long to come as the last did: half as much again is
// enough for it, unless the line is gone.
const PATIENCE = 1.5;

export function createOpening({ clock, silenceMs, maxOpeningMs, isSettled }: OpeningParts): Opening {
  const startedMs = clock.nowMs();
  let lastMs = startedMs;
  let longestGapMs = 0;
  let resolveReady: () => void = () => undefined;
  let resolveSettled: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (resolveReady = resolve));
  const settled = new Promise<void>((resolve) => (resolveSettled = resolve));
  let over = false;

  const finish = (): void => {
    over = true;
    silence.cancel();
    limit.cancel();
    resolveReady();
    resolveSettled();
  };
  let silence: Timer = clock.after(silenceMs, () => resolveReady());
  const limit = clock.after(maxOpeningMs, finish);

  return {
    ready,
    settled,
    heard() {
      if (over) return;
      const nowMs = clock.nowMs();
      longestGapMs = Math.max(longestGapMs, nowMs - lastMs);
      lastMs = nowMs;
      silence.cancel();
      silence = clock.after(Math.max(silenceMs, PATIENCE * longestGapMs), () => resolveReady());
    },
    notice() {
      if (!over && isSettled()) finish();
    },
    finish,
  };
}
