// What the processes of one service have together: named places, such as the sessions of a user, or the transfers that
// share a rate. A limit on places holds over all processes; of what is divided among all places each process has the
// part that its own places are.
//
// With workers, the primary counts.

import type { Place, SharedPlaces } from '../protocol.ts';

/** Who has which places, over all workers; pure. */
export class PlaceLedger {
  readonly #held = new Map<string, Map<number, number>>();

  /** Takes a place, unless there are `max` already. */
  take(worker: number, name: string, max: number): boolean {
    if (this.total(name) >= max) return false;
    const holders = this.#held.get(name) ?? new Map<number, number>();
    this.#held.set(name, holders);
    holders.set(worker, (holders.get(worker) ?? 0) + 1);
    return true;
  }

  release(worker: number, name: string): void {
    const holders = this.#held.get(name);
    const count = holders?.get(worker);
    if (holders === undefined || count === undefined) return;
    if (count > 1) holders.set(worker, count - 1);
    else holders.delete(worker);
    if (holders.size === 0) this.#held.delete(name);
  }

  /** A worker has ended: what it held is free. Returns the names that others hold places of. */
  forget(worker: number): readonly string[] {
    const names = [...this.#held].filter(([, holders]) => holders.delete(worker)).map(([name]) => name);
    for (const name of names) if (this.#held.get(name)?.size === 0) this.#held.delete(name);
    return names.filter((name) => this.#held.has(name));
  }

  total(name: string): number {
    let total = 0;
    for (const count of this.#held.get(name)?.values() ?? []) total += count;
    return total;
  }

  /** The workers that have at least one. */
  holders(name: string): readonly number[] {
    return [...(this.#held.get(name)?.keys() ?? [])];
  }
}

/** What a worker says to the primary, which counts. */
export interface PlaceMessages {
  /** Asks for one of at most `max`; false when there is none, or nobody to ask. */
  ask(name: string, max: number): Promise<boolean>;
  /** Has taken one of any number. */
  joined(name: string): void;
  released(name: string): void;
}

interface OwnPlaces {
  own: number;
  /** Over all workers, as the primary has last told; less than `own` where that has changed since. */
  total: number;
}

/** The places of one service in one process. */
export class ServicePlaces implements SharedPlaces {
  readonly #primary: PlaceMessages | undefined;
  readonly #places = new Map<string, OwnPlaces>();

  /** Without a primary this process counts by itself. */
  constructor(primary?: PlaceMessages) {
    this.#primary = primary;
  }

  async take(name: string, max: number): Promise<Place | undefined> {
    const isGranted =
      this.#primary === undefined ? (this.#places.get(name)?.own ?? 0) < max : await this.#primary.ask(name, max);
    return isGranted ? this.#place(name) : undefined;
  }

  join(name: string): Place {
    this.#primary?.joined(name);
    return this.#place(name);
  }

  /** So many places of this name all workers have now. */
  told(name: string, total: number): void {
    const places = this.#places.get(name);
    if (places !== undefined) places.total = total;
  }

  #place(name: string): Place {
    const places = this.#places.get(name) ?? { own: 0, total: 0 };
    this.#places.set(name, places);
    places.own += 1;
    let isReleased = false;
    return {
      get share() {
        return places.own / Math.max(places.own, places.total);
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        places.own -= 1;
        if (places.own === 0) this.#places.delete(name);
        this.#primary?.released(name);
      },
    };
  }
}
