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
   * can't be told by what their checks cost where the hashes are of several kinds. Every process that reads the same file
   * draws the same, and a user who is added at its end changes it for few. Undefined where there is none.
   */
  standIn(name: string, hashes: Iterable<string>): string | undefined {
    const all = [...hashes];
    const [first] = all;
    if (first === undefined) return undefined;
    // A hash is as secret as a key of our own, and the same in every worker.
    const draw = createHmac('sha256', first).update(name).digest().readBigUInt64BE();
    return all[consistentIndex(draw, all.length)];
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

/**
 * A number below `count` drawn from `key`, even over all keys; where `count` grows, a key keeps its number or gets one of
 * the new (jump consistent hash, Lamping and Veach 2014).
 */
function consistentIndex(key: bigint, count: number): number {
  let drawn = 0;
  let state = key;
  for (let next = 0; next < count;) {
    drawn = next;
    state = BigInt.asUintN(64, state * 2_862_933_555_777_941_757n + 1n);
    next = Math.floor((drawn + 1) * (2 ** 31 / (Number(state >> 33n) + 1)));
  }
  return drawn;
}
