// Token buckets by source, in a table of bounded size. Pure: time comes in with each question.

export interface RateLimitOptions {
  /** Datagrams a second that one source (IPv4: address, IPv6: /64) may have answered, on average. */
  readonly perSecond: number;
  /** So many at once. */
  readonly burst: number;
  /** Sources remembered; the one that has been silent longest is forgotten for a new one. */
  readonly maxSources: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export class RateLimit {
  readonly #options: RateLimitOptions;
  /** In order of last use: the first key is the one that has been silent longest. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one token of `key`; false when it has none left. */
  take(key: string, nowMs: number): boolean {
    const { perSecond, burst, maxSources } = this.#options;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= maxSources) this.#forgetOldest();
      bucket = { tokens: burst, atMs: nowMs };
    } else {
      bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
      bucket.atMs = nowMs;
      this.#buckets.delete(key);
    }
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (oldest.done !== true) this.#buckets.delete(oldest.value);
  }
}
