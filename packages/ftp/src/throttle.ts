// How fast bytes may move. A throttle may be shared: those who use it at the same time divide its rate among them.

import type { Clock } from '@wellknown/core';

/** One rate. Whoever has moved bytes waits until they are paid for; a pause gives no credit. */
export class Throttle {
  readonly #clock: Clock;
  readonly #bytesPerSecond: () => number;
  #paidUntilMs = 0;

  /** The rate is asked for anew each time: a server's share of one changes with the number of workers. */
  constructor(bytesPerSecond: () => number, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond();
  }

  /** Takes note of bytes that have moved. Returns how long to wait before the next. */
  moved(byteLength: number): number {
    const nowMs = this.#clock.nowMs();
    this.#paidUntilMs = Math.max(nowMs, this.#paidUntilMs) + (byteLength * 1000) / this.#bytesPerSecond();
    return this.#paidUntilMs - nowMs;
  }
}

/** All that slows one transfer down. */
export class Pace {
  readonly #throttles: readonly Throttle[];
  readonly #clock: Clock;
  /** Nothing slows it down. */
  readonly isFree: boolean;

  constructor(throttles: readonly Throttle[], clock: Clock) {
    this.#throttles = throttles;
    this.#clock = clock;
    this.isFree = throttles.length === 0;
  }

  /** So many bytes are a good portion: some eight of them in a second. `Infinity` where nothing slows it down. */
  get portionBytes(): number {
    if (this.isFree) return Number.POSITIVE_INFINITY;
    const slowest = Math.min(...this.#throttles.map(({ bytesPerSecond }) => bytesPerSecond));
    return Math.max(MIN_PORTION_BYTES, Math.floor(slowest / PORTIONS_PER_SECOND));
  }

  /** Resolves when the next bytes may move; also when the signal aborts. */
  async moved(byteLength: number, signal: AbortSignal): Promise<void> {
    let waitMs = 0;
    for (const throttle of this.#throttles) waitMs = Math.max(waitMs, throttle.moved(byteLength));
    if (waitMs < 1 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#clock.after(waitMs, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

const MIN_PORTION_BYTES = 1024;
const PORTIONS_PER_SECOND = 8;
