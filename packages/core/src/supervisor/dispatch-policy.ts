// To which worker a connection goes when the primary accepts for all of them. Pure.

import type { DispatchPolicy } from '../options.ts';

export interface DispatchTarget {
  readonly workerId: number;
  readonly slot: number;
  /** Connections that it has been given and that are still open. */
  readonly open: number;
}

/** A number from text that is spread evenly (FNV-1a, 32 bits). */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/**
 * Chooses among `targets`, none of them full. `turn` counts choices, for the round. `source-hash` keeps the peers of one
 * address on one slot, also while another slot's worker is being replaced (rendezvous hashing).
 */
export function chooseTarget(
  policy: DispatchPolicy,
  targets: readonly DispatchTarget[],
  peer: string,
  turn: number,
): DispatchTarget | undefined {
  if (targets.length === 0) return undefined;
  const bySlot = [...targets].sort((a, b) => a.slot - b.slot || a.workerId - b.workerId);
  switch (policy) {
    case 'round-robin':
      return bySlot[turn % bySlot.length];
    case 'least-connections':
      return bySlot.reduce((least, target) => (target.open < least.open ? target : least));
    case 'source-hash':
      return bySlot.reduce((best, target) =>
        hash(`${peer}/${target.slot}`) > hash(`${peer}/${best.slot}`) ? target : best,
      );
  }
}
