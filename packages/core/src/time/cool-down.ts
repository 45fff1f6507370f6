// What a flood repeats is said once in so long. Pure: the time is passed in.

export class CoolDown {
  readonly #intervalMs: number;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** True when it is to be said: for the first time, or again after the interval. */
  passes(nowMs: number): boolean {
    if (nowMs - this.#saidAtMs < this.#intervalMs) return false;
    this.#saidAtMs = nowMs;
    return true;
  }
}
