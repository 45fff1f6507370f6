// Users from a file, read again whenever it has changed: a user who is added may log in, one who is removed may not.

import { ok, type Result } from '@wellknown/core';
import { PasswordChecker, PasswordFile, type PasswordCheckLimits } from '@wellknown/passwords';
import type { Authenticate, Grant } from './login.ts';
import { readPasswordEntry, type PasswordEntry } from './password-entries.ts';

export interface PasswordFileOptions {
  /** What a user gets whose password was right. */
  readonly grant: (entry: PasswordEntry) => Grant | Promise<Grant>;
  /** Told when the file can no longer be read or has a mistake: the users of before stay. */
  readonly changedBadly?: (problem: string) => void;
  /** Where they differ from those of @wellknown/passwords; of `maxWaiting` the default is 512 here. */
  readonly limits?: Partial<PasswordCheckLimits>;
}

// Devices that have lost their server come back all at once. The last of these waits for some 13 s, and clients for an
// answer at least 20 (FileZilla).
const MAX_WAITING = 512;

/** Users of an htpasswd file. The sentence says why the file can't be used. */
export async function passwordFile(file: string, options: PasswordFileOptions): Promise<Result<Authenticate, string>> {
  const opened = await PasswordFile.open(file, {
    read: readPasswordEntry,
    failed: (problem) => options.changedBadly?.(problem),
  });
  if (!opened.ok) return opened;
  const users = opened.value;
  const checker = new PasswordChecker({ maxWaiting: MAX_WAITING, ...options.limits });
  return ok(async ({ user, password }) => {
    const entry = await users.get(user);
    const hashes = Array.from(users.values(), ({ hash }) => hash);
    const verdict = await checker.check(password, entry?.hash, checker.standIn(user, hashes));
    if (verdict === 'busy') return verdict;
    return entry !== undefined && verdict === 'right' ? options.grant(entry) : undefined;
  });
}
