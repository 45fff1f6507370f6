// A token bucket for each source of datagrams, in a table of fixed size. Pure: time comes in with each question.
//
// The table is a cache of sets: a source's hash names a set of eight places, and the one in it that has been silent
// longest is forgotten for a new source. So a question costs the same whether ten sources ask or ten million forged
// ones do, and the memory is what it was at the start. The hash is seeded, so that no peer can aim at the set of
// another source.
//
// Its buckets are columns of numbers and not objects of core's TokenBucket: at a new source for each datagram those
// would be garbage at the rate of the flood, and `sentMs` serves the search for the oldest place and for loops too.

import { readSourceKey, type SourceKey } from './source-key.ts';

export interface SourceLimitOptions {
  /** Datagrams a second that one source (IPv4: address, IPv6: /64) may have answered, on average. */
  readonly perSecond: number;
  /** So many at once. */
  readonly burst: number;
  /** Sources remembered, rounded up to a power of two, at least eight. */
  readonly maxSources: number;
  /**
   * After so many answers to one source without a pause of a second between them, one of its datagrams is dropped. A
   * client loses one in so many; two services that send each other the same datagram for ever have lost it. 0: never.
   */
  readonly maxUnbrokenAnswers: number;
  readonly seed: number;
}

export type SourceVerdict = 'ok' | 'rate' | 'loop';

const PLACES_PER_SET = 8;
const PAUSE_MS = 1_000;

export class SourceLimit {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #maxUnbroken: number;
  readonly #seed: number;
  readonly #setMask: number;
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #tokens: Float64Array;
  /** When it last sent; before any time for an empty place, which is therefore the first to be taken. */
  readonly #sentMs: Float64Array;
  readonly #unbroken: Uint32Array;
  readonly #key: SourceKey = { high: 0, low: 0 };

  constructor({ perSecond, burst, maxSources, maxUnbrokenAnswers, seed }: SourceLimitOptions) {
    let places = PLACES_PER_SET;
    while (places < maxSources) places *= 2;
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#maxUnbroken = maxUnbrokenAnswers === 0 ? Number.POSITIVE_INFINITY : maxUnbrokenAnswers;
    this.#seed = seed | 0;
    this.#setMask = places / PLACES_PER_SET - 1;
    this.#high = new Uint32Array(places);
    this.#low = new Uint32Array(places);
    this.#tokens = new Float64Array(places);
    this.#sentMs = new Float64Array(places).fill(Number.NEGATIVE_INFINITY);
    this.#unbroken = new Uint32Array(places);
  }

  /** How many sources are remembered. */
  get size(): number {
    return this.#sentMs.reduce((count, sentMs) => (sentMs === Number.NEGATIVE_INFINITY ? count : count + 1), 0);
  }

  /** Takes one token of the source. */
  take(address: string, nowMs: number): SourceVerdict {
    const place = this.#placeOf(address, nowMs);
    const sentMs = this.#sentMs[place] ?? nowMs;
    const tokens = Math.min(this.#burst, (this.#tokens[place] ?? 0) + (nowMs - sentMs) * this.#perMs);
    const unbroken = nowMs - sentMs >= PAUSE_MS ? 0 : (this.#unbroken[place] ?? 0);
    this.#sentMs[place] = nowMs;
    if (tokens < 1) {
      this.#tokens[place] = tokens;
      this.#unbroken[place] = 0;
      return 'rate';
    }
    if (unbroken >= this.#maxUnbroken) {
      this.#tokens[place] = tokens;
      this.#unbroken[place] = 0;
      return 'loop';
    }
    this.#tokens[place] = tokens - 1;
    this.#unbroken[place] = unbroken + 1;
    return 'ok';
  }

  /** The place of the source. A new one takes that of the source in its set that was silent longest, and full. */
  #placeOf(address: string, nowMs: number): number {
    const key = this.#key;
    readSourceKey(address, key);
    const { high, low } = key;
    let hash = Math.imul(low ^ this.#seed, 0x9e3779b1) ^ Math.imul(high + this.#seed, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    const first = ((hash ^ (hash >>> 13)) & this.#setMask) * PLACES_PER_SET;
    let oldest = first;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (let place = first; place < first + PLACES_PER_SET; place += 1) {
      const sentMs = this.#sentMs[place] ?? 0;
      if (this.#low[place] === low && this.#high[place] === high && sentMs !== Number.NEGATIVE_INFINITY) return place;
      if (sentMs < oldestMs) {
        oldest = place;
        oldestMs = sentMs;
      }
    }
    this.#high[oldest] = high;
    this.#low[oldest] = low;
    this.#tokens[oldest] = this.#burst;
    this.#sentMs[oldest] = nowMs;
    this.#unbroken[oldest] = 0;
    return oldest;
  }
}
