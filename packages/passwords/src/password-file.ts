// The users of a file that may change while the server runs: who is added may log in, who is removed may not.

import { readFile, stat } from 'node:fs/promises';
import { fail, fileProblem, ok, systemClock, type Clock, type Result } from '@wellknown/core';
import { parsePasswordUsers, type PasswordUser, type PasswordUsersOptions } from './password-users.ts';

export interface PasswordFileOptions<User extends PasswordUser> extends PasswordUsersOptions<User> {
  /** So long the file is not looked at again. Default 0: each question looks whether it has changed. */
  readonly lookAgainMs?: number;
  /** Told once for each state of the file that can't be used: the users of before stay. */
  readonly failed: (problem: string) => void;
  readonly clock?: Clock;
}

/** A file of this size names some 15,000 users; more belong into a database. */
export const MAX_PASSWORD_FILE_BYTES = 1_048_576;

export class PasswordFile<User extends PasswordUser> {
  readonly #file: string;
  readonly #options: PasswordFileOptions<User>;
  readonly #clock: Clock;
  #users: ReadonlyMap<string, User> = new Map();
  /** Another text for another state of the file, or for why it can't be told. */
  #seen = '';
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  private constructor(file: string, options: PasswordFileOptions<User>) {
    this.#file = file;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * The sentence says why the file can't be used, as in "can't be read (ENOENT): it does not exist" or with the number
   * of a line.
   */
  static async open<User extends PasswordUser>(
    file: string,
    options: PasswordFileOptions<User>,
  ): Promise<Result<PasswordFile<User>, string>> {
    const opened = new PasswordFile(file, options);
    const looked = await opened.#look();
    return looked.ok ? ok(opened) : looked;
  }

  /** The user of this name, as the file has it now. */
  async get(name: string): Promise<User | undefined> {
    if (this.#clock.nowMs() - this.#lookedMs >= (this.#options.lookAgainMs ?? 0)) {
      // Those who come meanwhile wait for the same look.
      this.#looking ??= this.#lookAgain().finally(() => (this.#looking = undefined));
      await this.#looking;
    }
    return this.#users.get(name);
  }

  /** All users, as the last question has found them. */
  values(): Iterable<User> {
    return this.#users.values();
  }

  async #lookAgain(): Promise<void> {
    const looked = await this.#look();
    if (!looked.ok) this.#options.failed(looked.error);
  }

  /** Fails once for each state of the file that is no good. */
  async #look(): Promise<Result<void, string>> {
    try {
      const state = await stateOf(this.#file);
      if (state.seen === this.#seen) return ok(undefined);
      if (state.problem !== undefined) {
        this.#seen = state.seen;
        return fail(state.problem);
      }
      const text = await this.#read();
      // A state that could not be read is not seen: it is tried again, and told of once.
      const seen = text.ok ? state.seen : text.error;
      if (!text.ok && seen === this.#seen) return ok(undefined);
      this.#seen = seen;
      if (!text.ok) return text;
      const users = parsePasswordUsers(text.value, this.#options);
      if (!users.ok) return users;
      this.#users = users.value;
      return ok(undefined);
    } finally {
      this.#lookedMs = this.#clock.nowMs();
    }
  }

  async #read(): Promise<Result<string, string>> {
    try {
      return ok(await readFile(this.#file, 'utf8'));
    } catch (error) {
      return fail(unreadable(error));
    }
  }
}

async function stateOf(file: string): Promise<{ readonly seen: string; readonly problem?: string }> {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = await stat(file);
    const seen = `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
    return size > MAX_PASSWORD_FILE_BYTES
      ? { seen, problem: `is larger than ${MAX_PASSWORD_FILE_BYTES} bytes` }
      : { seen };
  } catch (error) {
    return { seen: unreadable(error), problem: unreadable(error) };
  }
}

const unreadable = (error: unknown): string => fileProblem('read', error);
