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
export interface Pace {
  /** So many bytes are a good portion: some eight of them in a second. `Infinity` where nothing slows it down. */
  readonly portionBytes: number;
  /** Nothing slows it down. */
  readonly isFree: boolean;
  /** Resolves when the next bytes may move; also when the signal aborts. */
  moved(byteLength: number, signal: AbortSignal): Promise<void>;
}

const MIN_PORTION_BYTES = 1024;
const PORTIONS_PER_SECOND = 8;

export function createPace(throttles: readonly Throttle[], clock: Clock): Pace {
  return {
    isFree: throttles.length === 0,
    get portionBytes() {
      if (throttles.length === 0) return Number.POSITIVE_INFINITY;
      const slowest = Math.min(...throttles.map(({ bytesPerSecond }) => bytesPerSecond));
      return Math.max(MIN_PORTION_BYTES, Math.floor(slowest / PORTIONS_PER_SECOND));
    },
    async moved(byteLength, signal) {
      let waitMs = 0;
      for (const throttle of throttles) waitMs = Math.max(waitMs, throttle.moved(byteLength));
      if (waitMs < 1 || signal.aborted) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          timer.cancel();
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = clock.after(waitMs, done);
        signal.addEventListener('abort', done, { once: true });
      });
    },
  };
}
