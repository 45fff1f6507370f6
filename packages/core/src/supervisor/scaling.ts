// Who waits for as many workers as there should be.

import { WellknownError } from '../errors.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Scaling {
  readonly #waiters: Waiter[] = [];

  /** Resolves once there are as many, rejects where one can't start or the server closes. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  done(): void {
    for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  /** The new worker of a slot has ended before it was ready. */
  failed(slot: number, hint: string): void {
    const message = `the new worker of slot ${slot} ended before it was ready, it is tried again`;
    this.#reject(new WellknownError('SCALE_FAILED', message, { fault: 'local', hint }));
  }

  closed(): void {
    const message = 'the server was closed before its workers were ready';
    this.#reject(new WellknownError('WRONG_STATE', message, { fault: 'local' }));
  }

  #reject(error: Error): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }
}
