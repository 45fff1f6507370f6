import type { Clock, Timer } from '../time/clock.ts';

interface Scheduled {
  dueMs: number;
  readonly everyMs: number | undefined;
  readonly run: () => void;
}

/** A clock that stands still until `advance` moves it, firing what is due on the way in order. */
export interface FakeClock extends Clock {
  advance(byMs: number): void;
}

export function createFakeClock(options: { readonly startMs?: number; readonly wallMs?: number } = {}): FakeClock {
  let nowMs = options.startMs ?? 0;
  const wallOffsetMs = (options.wallMs ?? Date.UTC(2026, 0, 1)) - nowMs;
  const scheduled = new Set<Scheduled>();
  const add = (item: Scheduled): Timer => {
    scheduled.add(item);
    return { cancel: () => void scheduled.delete(item) };
  };
  const earliest = (limitMs: number): Scheduled | undefined => {
    let first: Scheduled | undefined;
    for (const item of scheduled)
      if (item.dueMs <= limitMs && (first === undefined || item.dueMs < first.dueMs)) first = item;
    return first;
  };
  return {
    nowMs: () => nowMs,
    wallMs: () => nowMs + wallOffsetMs,
    after: (delayMs, run) => add({ dueMs: nowMs + delayMs, everyMs: undefined, run }),
    every: (intervalMs, run) => add({ dueMs: nowMs + intervalMs, everyMs: intervalMs, run }),
    advance(byMs) {
      const targetMs = nowMs + byMs;
      for (let item = earliest(targetMs); item !== undefined; item = earliest(targetMs)) {
        nowMs = item.dueMs;
        if (item.everyMs === undefined) scheduled.delete(item);
        else item.dueMs += item.everyMs;
        item.run();
      }
      nowMs = targetMs;
    },
  };
}
