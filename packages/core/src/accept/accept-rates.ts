// How fast connections may come: token buckets. A bucket holds one second's worth, so a burst of that size passes at
// once, and it fills again by itself. Time comes in as a number.

/** One bucket. */
export class AcceptRate {
  #perSecond: number;
  #perMs: number;
  #capacity: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#perMs = perSecond / 1000;
    this.#capacity = Math.max(1, perSecond);
    this.#tokens = this.#capacity;
    this.#filledAtMs = nowMs;
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  /** Fills at another rate from now on. */
  change(perSecond: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#perSecond = perSecond;
    this.#perMs = perSecond / 1000;
    this.#capacity = Math.max(1, perSecond);
    this.#tokens = Math.min(this.#tokens, this.#capacity);
  }

  /** Takes one token; false when there is none. */
  take(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** How long until there are `tokens` again (at most as many as the bucket holds); 0 when there are. */
  waitMs(nowMs: number, tokens = 1): number {
    this.#fill(nowMs);
    const missing = Math.min(tokens, this.#capacity) - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil(missing / this.#perMs);
  }

  /** True when it has filled up: then forgetting it changes nothing. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.#capacity;
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#capacity, this.#tokens + elapsedMs * this.#perMs);
  }
}

// About 6 MB of buckets. Beyond it the longest known are forgotten: memory stays bounded, and they start with a full
// bucket.
const MAX_ADDRESSES = 65_536;
/** So many old entries are looked at for each new one, so that full buckets leave as fast as new ones come. */
const SWEEP = 2;

/** A bucket for each address that has connected of late. */
export class AddressRates {
  readonly #perSecond: number;
  readonly #maxAddresses: number;
  readonly #rates = new Map<string, AcceptRate>();

  constructor(perSecond: number, maxAddresses: number = MAX_ADDRESSES) {
    this.#perSecond = perSecond;
    this.#maxAddresses = maxAddresses;
  }

  get size(): number {
    return this.#rates.size;
  }

  /** May this address open one more connection now? */
  take(key: string, nowMs: number): boolean {
    let rate = this.#rates.get(key);
    if (rate === undefined) {
      this.#sweep(nowMs);
      rate = new AcceptRate(this.#perSecond, nowMs);
      this.#rates.set(key, rate);
    }
    return rate.take(nowMs);
  }

  #sweep(nowMs: number): void {
    let looked = 0;
    for (const [key, rate] of this.#rates) {
      if (looked === SWEEP) break;
      looked += 1;
      this.#rates.delete(key);
      // Looked at and kept: it goes to the end of the line, except when there is no room.
      if (!rate.isFull(nowMs) && this.#rates.size < this.#maxAddresses - 1) this.#rates.set(key, rate);
    }
  }
}
