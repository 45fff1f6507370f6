// Work that outlives the connection it began on, such as what an HTTP handler does after its answer. A drain waits for
// it as it waits for connections.

import type { Clock } from '../time/clock.ts';

export class PendingWork {
  #count = 0;
  #isGivenUp = false;
  #whenDone: (() => void)[] = [];

  /** Makes the next drain wait for this. Its failure is for the caller to handle. */
  add(work: PromiseLike<unknown>): void {
    this.#count += 1;
    const done = (): void => {
      this.#count -= 1;
      if (this.#count === 0) this.#release();
    };
    work.then(done, done);
  }

  get isDone(): boolean {
    return this.#count === 0;
  }

  /**
   * Resolves once all of it has settled, at the latest after `graceMs`, with how much was given up. Whatever is added
   * before `producers` resolves is waited for too. May be called again with less: the shorter time wins.
   */
  async drain(graceMs: number, clock: Clock, producers: Promise<unknown>): Promise<number> {
    const giveUp = (): void => {
      this.#isGivenUp = true;
      this.#release();
    };
    if (graceMs <= 0) giveUp();
    // A promise by itself keeps no process alive.
    const timer = clock.every(Math.max(1, graceMs), giveUp, { keepAlive: true });
    await producers;
    if (this.#count > 0 && !this.#isGivenUp) await new Promise<void>((resolve) => this.#whenDone.push(resolve));
    timer.cancel();
    return this.#count;
  }

  #release(): void {
    for (const done of this.#whenDone.splice(0)) done();
  }
}
