// How fast connections may come: one token bucket for all, and one for each address that has connected of late.

import type { ServerLimits } from '../options.ts';
import { TokenBucket } from '../time/token-bucket.ts';

// About 6 MB of buckets. Beyond it the longest known are forgotten: memory stays bounded, and they start with a full
// bucket.
const MAX_ADDRESSES = 65_536;
/** So many old entries are looked at for each new one, so that full buckets leave as fast as new ones come. */
const SWEEP = 2;

/** A bucket for each address that has connected of late. */
export class AddressRates {
  readonly #perSecond: number;
  readonly #maxAddresses: number;
  readonly #rates = new Map<string, TokenBucket>();

  constructor(perSecond: number, maxAddresses: number = MAX_ADDRESSES) {
    this.#perSecond = perSecond;
    this.#maxAddresses = maxAddresses;
  }

  get size(): number {
    return this.#rates.size;
  }

  /** May this address open one more connection now? */
  take(key: string, nowMs: number): boolean {
    return this.#rateOf(key, nowMs).take(nowMs);
  }

  /** It has opened so many on another machine. */
  spend(key: string, count: number, nowMs: number): void {
    this.#rateOf(key, nowMs).spend(nowMs, count);
  }

  #rateOf(key: string, nowMs: number): TokenBucket {
    const known = this.#rates.get(key);
    if (known !== undefined) return known;
    this.#sweep(nowMs);
    const rate = new TokenBucket({ perSecond: this.#perSecond }, nowMs);
    this.#rates.set(key, rate);
    return rate;
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

/**
 * The rates of a process that is one of `workerCount`: the total is split over them, as the total of connections is,
 * and an address is counted here as if there were no others.
 */
export function acceptRates(
  limits: Pick<ServerLimits, 'maxAcceptsPerSecond' | 'maxAcceptsPerSecondPerAddress'>,
  workerCount: number,
  nowMs: number,
): { readonly rate?: TokenBucket; readonly addressRates?: AddressRates } {
  const { maxAcceptsPerSecond, maxAcceptsPerSecondPerAddress } = limits;
  return {
    ...(maxAcceptsPerSecond > 0 && { rate: new TokenBucket({ perSecond: maxAcceptsPerSecond / workerCount }, nowMs) }),
    ...(maxAcceptsPerSecondPerAddress > 0 && { addressRates: new AddressRates(maxAcceptsPerSecondPerAddress) }),
  };
}
