// Files of users and the hashes of their passwords, as `htpasswd -B` writes them.

import { ok, type Result } from '@wellknown/core';
import { parsePasswordUsers, PasswordFile, type PasswordFileOptions, type PasswordUser } from '@wellknown/passwords';
import type { BasicAuthOptions } from './basic-auth.ts';

/** Names to hashes. */
export type PasswordHashes = ReadonlyMap<string, string>;

// A user who was removed is out within a second.
const LOOK_AGAIN_MS = 1_000;

// What else such files hold (MD5, SHA-1, crypt, clear text) is found out from the file in no time.
const LINES = { kinds: ['bcrypt'], read: (user: PasswordUser) => ok(user) } as const;

/**
 * Lines of `NAME:HASH`; empty ones and those that begin with `#` are skipped, and what follows a second colon too. Only
 * bcrypt is taken. The sentence about a mistake names its line.
 */
export function parsePasswordFile(text: string): Result<PasswordHashes, string> {
  const users = parsePasswordUsers(text, LINES);
  return users.ok ? ok(new Map([...users.value.values()].map(({ name, hash }) => [name, hash]))) : users;
}

/** The users of such a file, which is looked at again a second later at the earliest. */
export async function openPasswordFile(
  path: string,
  options: Pick<PasswordFileOptions<PasswordUser>, 'failed' | 'clock'>,
): Promise<Result<BasicAuthOptions['users'], string>> {
  const opened = await PasswordFile.open(path, { ...LINES, ...options, lookAgainMs: LOOK_AGAIN_MS });
  if (!opened.ok) return opened;
  const file = opened.value;
  return ok({
    get: async (name) => (await file.get(name))?.hash,
    *values() {
      for (const { hash } of file.values()) yield hash;
    },
  });
}
