// A token bucket: how often something may happen. It fills by itself at a steady rate up to its capacity, and each
// event takes from it. It owns no timer: the time comes in with each question.

export interface TokenRate {
  /** Tokens that come in a second, from 0; less than one is possible. `Infinity` is no limit. */
  readonly perSecond: number;
  /** So many are there after a silence, and may be taken at once. Default: those of one second, at least one. */
  readonly capacity?: number;
}

export class TokenBucket {
  #perSecond: number;
  #capacity: number;
  /** How many there were at that time. */
  #tokens: number;
  #atMs: number;

  /** Begins full. `nowMs` here and below is monotonic, as `Clock.nowMs`. */
  constructor(rate: TokenRate, nowMs: number) {
    this.#perSecond = rate.perSecond;
    this.#capacity = capacityOf(rate);
    this.#tokens = this.#capacity;
    this.#atMs = nowMs;
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  /** Takes `count` tokens; false, and takes none, when there are fewer. More than the capacity are never there. */
  take(nowMs: number, count = 1): boolean {
    const tokens = this.#tokensAt(nowMs);
    if (tokens < count) return false;
    this.#tokens = tokens - count;
    this.#atMs = nowMs;
    return true;
  }

  /**
   * Takes `count` tokens, there or not: what was let pass elsewhere. What is missing is owed, up to the capacity, and
   * has to come in before `take` succeeds again.
   */
  spend(nowMs: number, count: number): void {
    this.#tokens = Math.max(-this.#capacity, this.#tokensAt(nowMs) - count);
    this.#atMs = nowMs;
  }

  /**
   * The whole milliseconds until `take` of `count` tokens would succeed, and not one sooner; 0 when it would now. More
   * than the capacity count as the capacity. `Infinity` when they never come.
   */
  waitMs(nowMs: number, count = 1): number {
    const wanted = Math.min(count, this.#capacity);
    const missing = wanted - this.#tokensAt(nowMs);
    if (missing <= 0) return 0;
    const waitMs = Math.ceil((missing * 1000) / this.#perSecond);
    // Rounding may have put it off by one, to either side.
    if (this.#tokensAt(nowMs + waitMs) < wanted) return waitMs + 1;
    return waitMs > 1 && this.#tokensAt(nowMs + waitMs - 1) >= wanted ? waitMs - 1 : waitMs;
  }

  /** Another rate from now on. What is there stays, as far as it fits; a greater capacity has to fill up first. */
  change(rate: TokenRate, nowMs: number): void {
    this.#tokens = this.#tokensAt(nowMs);
    this.#atMs = nowMs;
    this.#perSecond = rate.perSecond;
    this.#capacity = capacityOf(rate);
    this.#tokens = Math.min(this.#tokens, this.#capacity);
  }

  /** True when it has filled up: then a new bucket of this rate would be no different. */
  isFull(nowMs: number): boolean {
    return this.#tokensAt(nowMs) >= this.#capacity;
  }

  // Always counted from the last change: many small steps would each round.
  #tokensAt(nowMs: number): number {
    const elapsedMs = nowMs - this.#atMs;
    return elapsedMs > 0 ? Math.min(this.#capacity, this.#tokens + (elapsedMs * this.#perSecond) / 1000) : this.#tokens;
  }
}

const capacityOf = ({ perSecond, capacity = Math.max(1, perSecond) }: TokenRate): number => capacity;
