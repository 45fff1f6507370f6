// A file of users in the format of htpasswd: `name:hash` a line, and if need be `name:hash:/home:rights`.

import { fail, ok, type Result } from '@wellknown/core';
import { isAnonymous } from './accounts.ts';
import { isPasswordHash } from './password-hash.ts';
import { NAMED_RIGHTS, type NamedRights } from './rights.ts';

export interface PasswordEntry {
  readonly name: string;
  readonly hash: string;
  /** A directory below the root that this user sees as `/`. */
  readonly home: string | undefined;
  readonly rights: NamedRights | undefined;
}

const isRights = (text: string): text is NamedRights => Object.hasOwn(NAMED_RIGHTS, text);

/**
 * The users of a file, by name. Empty lines and those that begin with `#` are passed over; a third field that is no path
 * is a comment, as other programs have it. The sentence about a mistake names the line and never what stands in it.
 */
export function parsePasswordEntries(text: string): Result<ReadonlyMap<string, PasswordEntry>, string> {
  const entries = new Map<string, PasswordEntry>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const entry = parseEntry(line);
    if (!entry.ok) return fail(`line ${index + 1}: ${entry.error}`);
    if (entries.has(entry.value.name)) return fail(`line ${index + 1}: the user of an earlier line`);
    entries.set(entry.value.name, entry.value);
  }
  return ok(entries);
}

function parseEntry(line: string): Result<PasswordEntry, string> {
  const [name = '', hash = '', home = '', rights = ''] = line.split(':');
  if (name === '') return fail('no user name');
  if (/[\0-\x20\x7f]/.test(name)) return fail('the name holds a space or a control character');
  if (isAnonymous(name)) return fail('this name belongs to anonymous users');
  if (!isPasswordHash(hash))
    return fail('no hash that htpasswd or mkpasswd writes: bcrypt (up to cost 14), sha-512, sha-256, apr1 or {SHA}');
  if (!home.startsWith('/')) return ok({ name, hash, home: undefined, rights: undefined });
  if (rights !== '' && !isRights(rights)) return fail(`the rights are none of ${Object.keys(NAMED_RIGHTS).join(', ')}`);
  return ok({ name, hash, home, rights: isRights(rights) ? rights : undefined });
}
