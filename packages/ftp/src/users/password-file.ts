// Users from a file, read again whenever it has changed: a user who is added may log in, one who is removed may not.

import { ok, type Result } from '@wellknown/core';
import { PasswordChecker, PasswordFile } from '@wellknown/passwords';
import type { Authenticate, Grant } from './login.ts';
import { readPasswordEntry, type PasswordEntry } from './password-entries.ts';

export interface PasswordFileOptions {
  /** What a user gets whose password was right. */
  readonly grant: (entry: PasswordEntry) => Grant | Promise<Grant>;
  /** Told when the file can no longer be read or has a mistake: the users of before stay. */
  readonly changedBadly?: (problem: string) => void;
}

/** Users of an htpasswd file. The sentence says why the file can't be used. */
export async function passwordFile(file: string, options: PasswordFileOptions): Promise<Result<Authenticate, string>> {
  const opened = await PasswordFile.open(file, {
    read: readPasswordEntry,
    failed: (problem) => options.changedBadly?.(problem),
  });
  if (!opened.ok) return opened;
  const users = opened.value;
  // However many log in, each waits: on one connection there is one at a time, and connections are limited.
  const checker = new PasswordChecker({ maxWaiting: Number.POSITIVE_INFINITY });
  return ok(async ({ user, password }) => {
    const entry = await users.get(user);
    const hashes = Array.from(users.values(), ({ hash }) => hash);
    const verdict = await checker.check(password, entry?.hash, checker.standIn(user, hashes));
    return entry !== undefined && verdict === 'right' ? options.grant(entry) : undefined;
  });
}
