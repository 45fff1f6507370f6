// Items that came before they were asked for, and callers that asked before there was one: first come, first served,
// and bounded.

import { onAbort } from '../abort.ts';

interface Asker<Item> {
  resolve(item: Item): void;
  reject(error: Error): void;
}

export class BoundedQueue<Item> {
  readonly #maxItems: number;
  #items: Item[] = [];
  #askers: Asker<Item>[] = [];
  #failure: Error | undefined;

  /** At most `maxItems` wait; the next one is refused. */
  constructor(maxItems: number) {
    this.#maxItems = maxItems;
  }

  get size(): number {
    return this.#items.length;
  }

  /**
   * Hands the item to who has waited longest, or keeps it. False when it is full or has ended: the item stays the
   * caller's.
   */
  offer(item: Item): boolean {
    if (this.#failure !== undefined) return false;
    const asker = this.#askers.shift();
    if (asker !== undefined) {
      asker.resolve(item);
      return true;
    }
    if (this.#items.length >= this.#maxItems) return false;
    this.#items.push(item);
    return true;
  }

  /** The oldest item, now or when there is one. An aborted wait takes nothing. */
  take(signal?: AbortSignal): Promise<Item> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        onAbort(signal, reject);
        return;
      }
      const item = this.#items.shift();
      if (item !== undefined) {
        resolve(item);
        return;
      }
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const asker: Asker<Item> = {
        resolve: (taken) => {
          forget();
          resolve(taken);
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      };
      const forget = onAbort(signal, (reason) => {
        this.#askers = this.#askers.filter((other) => other !== asker);
        reject(reason);
      });
      this.#askers.push(asker);
    });
  }

  /** Lets go of the items that are not `wanted`. */
  keep(wanted: (item: Item) => boolean): void {
    this.#items = this.#items.filter(wanted);
  }

  /** Rejects every caller that waits or will wait, and gives back what was not taken. */
  end(failure: Error): Item[] {
    this.#failure ??= failure;
    const left = this.#items;
    const askers = this.#askers;
    this.#items = [];
    this.#askers = [];
    for (const asker of askers) asker.reject(failure);
    return left;
  }

  /** Rejects only the caller that has waited longest, if there is one: an error that belongs to one call. */
  failNext(error: Error): boolean {
    const asker = this.#askers.shift();
    asker?.reject(error);
    return asker !== undefined;
  }
}
