// How many connections of a service each worker may have open: fixed shares, and where workers that drain hold some, what
// these leave. All of them together have no more than there may be. Pure.

/** The whole divided over the slots, the remainder to the first ones. */
export function shareOf(whole: number, slot: number, workerCount: number): number {
  if (!Number.isFinite(whole)) return whole;
  return Math.floor(whole / workerCount) + (slot <= whole % workerCount ? 1 : 0);
}

export interface ShareHolder {
  readonly workerId: number;
  /** As of its last beat. */
  readonly open: number;
}

/**
 * Divides what those that drain leave of `maxConnections` evenly over those that serve. One that has more open than that
 * keeps it, and opens nothing; the others divide the rest.
 */
export function sharesBeside(
  kept: number,
  maxConnections: number,
  serving: readonly ShareHolder[],
): ReadonlyMap<number, number> {
  const shares = new Map<number, number>();
  let rest = Math.max(0, maxConnections - kept);
  let others = [...serving];
  for (;;) {
    const even = Math.floor(rest / Math.max(1, others.length));
    const beyond = others.filter(({ open }) => open > even);
    if (beyond.length === 0) break;
    for (const { workerId, open } of beyond) shares.set(workerId, open);
    rest = Math.max(0, rest - beyond.reduce((sum, { open }) => sum + open, 0));
    others = others.filter((one) => !beyond.includes(one));
  }
  for (const [index, { workerId }] of others.entries()) {
    const more = index < rest % others.length ? 1 : 0;
    shares.set(workerId, Math.floor(rest / others.length) + more);
  }
  return shares;
}
