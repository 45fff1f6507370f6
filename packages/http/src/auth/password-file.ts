// A file of users and the hashes of their passwords, as `htpasswd -B` writes it: text in, a table or the fault out.

import { fail, ok, type Result } from '@wellknown/core';

/** Names to hashes. */
export type PasswordHashes = ReadonlyMap<string, string>;

// The format of bcrypt: version, cost, 22 characters of salt and 31 of hash. A check of cost 14 takes a second; one of 31, a day.
const BCRYPT = /^\$2[abxy]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/;
// A file of this size names some 15,000 users; more belong into a database.
export const MAX_PASSWORD_FILE_BYTES = 1_048_576;

/**
 * Lines of `NAME:HASH`; empty ones and those that begin with `#` are skipped, and what follows a second colon too. Only
 * bcrypt is taken: what else such files hold (MD5, SHA-1, crypt, clear text) is found out from the file in no time.
 */
export function parsePasswordFile(text: string): Result<PasswordHashes, string> {
  const hashes = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const [name = '', hash = ''] = line.split(':');
    if (name === '') return fail(`line ${index + 1} has no user name before a colon`);
    if (!BCRYPT.test(hash))
      return fail(`line ${index + 1}: the password of '${name}' is no bcrypt hash; 'htpasswd -B' makes one`);
    if (hashes.has(name)) return fail(`line ${index + 1}: '${name}' is named twice`);
    hashes.set(name, hash);
  }
  return ok(hashes);
}
