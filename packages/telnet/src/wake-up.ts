// One timer for a deadline that moves.

import type { Clock, Timer } from '@wellknown/core';

export interface WakeUp {
  /** When to run; undefined for not at all. */
  set(atMs: number | undefined): void;
}

export function createWakeUp(clock: Clock, run: () => void): WakeUp {
  let setToMs: number | undefined;
  let timer: Timer | undefined;
  return {
    set(atMs) {
      if (atMs === setToMs) return;
      timer?.cancel();
      timer = undefined;
      setToMs = atMs;
      if (atMs === undefined) return;
      timer = clock.after(Math.max(0, atMs - clock.nowMs()), () => {
        setToMs = undefined;
        timer = undefined;
        run();
      });
    },
  };
}
