// When the successor of a worker that ended without having been told to may start. Each slot has its own count: what
// ends one worker again and again delays none of the others. Pure.

import type { SupervisionPolicy } from '../supervision-policy.ts';

export interface SlotBackOff {
  readonly slot: number;
  /** Early ends in a row. */
  readonly failures: number;
  readonly mayStartAtMs: number;
}

/** How a worker has ended. */
export interface EarlyEnd {
  readonly slot: number;
  /** For how long it was ready; undefined when it never was. */
  readonly readyForMs: number | undefined;
  /** No other worker serves, or is about to. */
  readonly wasLast: boolean;
}

// One that comes up and goes again serves in between. A start each second is what a program with such a fault may cost.
const MAX_BACK_OFF_AFTER_READY_MS = 1_000;

/** Counts an end. One that had served for `stableMs` is followed at once, and its slot has no failures any more. */
export function countEnd(
  backOffs: readonly SlotBackOff[],
  { slot, readyForMs, wasLast }: EarlyEnd,
  nowMs: number,
  policy: SupervisionPolicy,
): readonly SlotBackOff[] {
  const others = backOffs.filter((one) => one.slot !== slot);
  if (readyForMs !== undefined && readyForMs >= policy.stableMs) return others;
  const failures = (backOffs.find((one) => one.slot === slot)?.failures ?? 0) + 1;
  const longestMs = readyForMs === undefined ? policy.maxBackOffMs : MAX_BACK_OFF_AFTER_READY_MS;
  const grownMs = policy.firstBackOffMs * 1.5 ** (failures - 1);
  // With none left there are clients that nothing serves.
  const delayMs = wasLast && readyForMs !== undefined ? policy.firstBackOffMs : Math.min(longestMs, grownMs);
  return [...others, { slot, failures, mayStartAtMs: nowMs + delayMs }];
}

export const mayStart = (backOffs: readonly SlotBackOff[], slot: number, nowMs: number): boolean =>
  backOffs.every((one) => one.slot !== slot || one.mayStartAtMs <= nowMs);

/** When the next slot that waits has waited long enough; undefined when none waits. */
export function nextStartAtMs(backOffs: readonly SlotBackOff[], nowMs: number): number | undefined {
  const times = backOffs.map(({ mayStartAtMs }) => mayStartAtMs).filter((atMs) => atMs > nowMs);
  return times.length === 0 ? undefined : Math.min(...times);
}
