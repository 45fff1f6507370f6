// How many connections of each address other machines hold, as they told last. Pure.

import type { AddressCounts } from '../limits-exchange.ts';

// About 6 MB for each machine. What is beyond it is not counted here: the other machine still counts it itself.
const MAX_ADDRESSES = 65_536;

export class HeldElsewhere {
  readonly #byMachine = new Map<string, Map<string, number>>();
  readonly #sums = new Map<string, number>();

  /** How many of an address all the others hold. */
  of(key: string): number {
    return this.#sums.get(key) ?? 0;
  }

  /** A machine has told what it holds of some addresses, 0 for none; with `isWhole` these are all. */
  told(machine: string, counts: AddressCounts, isWhole: boolean): void {
    if (isWhole) this.forget(machine);
    const held = this.#byMachine.get(machine) ?? new Map<string, number>();
    this.#byMachine.set(machine, held);
    for (const [key, count] of counts) {
      if (held.size >= MAX_ADDRESSES && !held.has(key)) continue;
      this.#add(key, count - (held.get(key) ?? 0));
      if (count === 0) held.delete(key);
      else held.set(key, count);
    }
  }

  /** A machine has gone. */
  forget(machine: string): void {
    for (const [key, count] of this.#byMachine.get(machine) ?? []) this.#add(key, -count);
    this.#byMachine.delete(machine);
  }

  #add(key: string, count: number): void {
    const sum = this.of(key) + count;
    if (sum === 0) this.#sums.delete(key);
    else this.#sums.set(key, sum);
  }
}
