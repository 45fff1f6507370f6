// Whether a password is the one of a hash. A hash is made to cost time, so checks are bounded, and what was found right
// is remembered: a browser sends its password with every request, a camera logs in for every picture.

import { createHmac, randomBytes } from 'node:crypto';
import { verifyPassword } from './hashes.ts';

/** `busy`: too many are being checked. */
export type PasswordVerdict = 'right' | 'wrong' | 'busy';

export interface PasswordCheckLimits {
  /** Checked at the same time. */
  readonly maxConcurrent: number;
  /** Waiting for their turn. */
  readonly maxWaiting: number;
  /** Right passwords that are remembered, as digests. */
  readonly maxRemembered: number;
}

export const DEFAULT_PASSWORD_CHECKS: PasswordCheckLimits = {
  // Of the four threads that libuv has; compression takes two as well.
  maxConcurrent: 2,
  // At some 50 ms each, the last one waits for less than two seconds.
  maxWaiting: 64,
  // The users of a site; 100 bytes each.
  maxRemembered: 1_000,
};

// For names that are not there, where no user's hash can stand in: their check takes time too.
const NOBODY = '$2b$10$vpx.No7g6IOXaWHeG.Qi9.CsHLeI2GsrJVYm9dAbu6gsPjh5LaR62';

export class PasswordChecker {
  readonly #limits: PasswordCheckLimits;
  readonly #remembered = new Set<string>();
  // No digest can be computed beforehand, or found in a dump of another process.
  readonly #key = randomBytes(32);
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limits: Partial<PasswordCheckLimits> = {}) {
    this.#limits = { ...DEFAULT_PASSWORD_CHECKS, ...limits };
  }

  /**
   * `hash` is undefined for a user who is not there; `standIn`, that of another user, is then checked instead, so that
   * nothing tells such a name from a wrong password. Rejects where the library of the hash can't work.
   */
  async check(password: string, hash: string | undefined, standIn?: string): Promise<PasswordVerdict> {
    const digest = createHmac('sha256', this.#key)
      .update(`${hash ?? ''}:${password}`)
      .digest('base64');
    if (this.#remembered.has(digest)) return 'right';
    if (!(await this.#turn())) return 'busy';
    try {
      const isRight = (await verifyPassword(password, hash ?? standIn ?? NOBODY)) && hash !== undefined;
      if (isRight) this.#remember(digest);
      return isRight ? 'right' : 'wrong';
    } finally {
      const next = this.#waiting.shift();
      // The turn goes on to the next, so that nobody who comes now takes it.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** False when too many wait already. */
  async #turn(): Promise<boolean> {
    if (this.#running < this.#limits.maxConcurrent) {
      this.#running += 1;
      return true;
    }
    if (this.#waiting.length >= this.#limits.maxWaiting) return false;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  #remember(digest: string): void {
    this.#remembered.add(digest);
    if (this.#remembered.size <= this.#limits.maxRemembered) return;
    for (const oldest of this.#remembered) {
      this.#remembered.delete(oldest);
      return;
    }
  }
}
