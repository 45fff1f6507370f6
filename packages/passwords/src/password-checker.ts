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

// As crypt(3) of libxcrypt. Without a bound the strings that strangers send as passwords cost as much as they are long.
const MAX_PASSWORD_BYTES = 512;

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
   * Whose hash stands in for a user of this name who is not there: the same for each name, and one of all, so that names
   * can't be told by what their checks cost where the hashes are of several kinds. Undefined where there is none.
   */
  standIn(name: string, hashes: Iterable<string>): string | undefined {
    const all = [...hashes];
    const draw = createHmac('sha256', this.#key).update(name).digest().readUInt32BE();
    return all[draw % Math.max(1, all.length)];
  }

  /**
   * `hash` is undefined for a user who is not there; `standIn`, that of another user, is then checked instead, so that
   * nothing tells such a name from a wrong password. A password of more than 512 bytes is wrong, and costs no more than one
   * of so many. Rejects where the library of the hash can't work.
   */
  async check(password: string, hash: string | undefined, standIn?: string): Promise<PasswordVerdict> {
    const digest = createHmac('sha256', this.#key)
      .update(`${hash ?? ''}:${password}`)
      .digest('base64');
    if (this.#remembered.has(digest)) return 'right';
    if (!(await this.#turn())) return 'busy';
    try {
      const bytes = Buffer.from(password);
      const isTooLong = bytes.length > MAX_PASSWORD_BYTES;
      const tried = isTooLong ? bytes.toString('latin1', 0, MAX_PASSWORD_BYTES / 2) : password;
      const isRight = (await verifyPassword(tried, hash ?? standIn ?? NOBODY)) && hash !== undefined && !isTooLong;
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
