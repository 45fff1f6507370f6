// A file of users and the hashes of their passwords: text in, a table or the first mistake out.

import { fail, ok, type Result } from '@wellknown/core';
import { HASH_KINDS, hashKindOf, namesOf, type HashKind } from './hashes.ts';

/** A line of the file. */
export interface PasswordUser {
  readonly name: string;
  readonly hash: string;
}

export interface PasswordUsersOptions<User extends PasswordUser> {
  /** Hashes of other kinds are mistakes. Default: all kinds. */
  readonly kinds?: readonly HashKind[];
  /**
   * What the server makes of a line. `fields` is what follows the hash, parted at colons; other programs have comments
   * there. A sentence is a mistake, and must not hold what stands in the line.
   */
  readonly read: (user: PasswordUser, fields: readonly string[]) => Result<User, string>;
}

/**
 * The users of lines `NAME:HASH`, by name. Empty lines and those that begin with `#` are passed over. The sentence about a
 * mistake names the line and never what stands in it: it ends up in logs.
 */
export function parsePasswordUsers<User extends PasswordUser>(
  text: string,
  options: PasswordUsersOptions<User>,
): Result<ReadonlyMap<string, User>, string> {
  const users = new Map<string, User>();
  // Editors of Windows begin a file with a byte order mark.
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const user = parseLine(line, options);
    if (!user.ok) return fail(`line ${index + 1}: ${user.error}`);
    if (users.has(user.value.name)) return fail(`line ${index + 1}: the user of an earlier line`);
    users.set(user.value.name, user.value);
  }
  return ok(users);
}

function parseLine<User extends PasswordUser>(
  line: string,
  { kinds = HASH_KINDS, read }: PasswordUsersOptions<User>,
): Result<User, string> {
  const [name = '', hash = '', ...fields] = line.split(':');
  if (name === '') return fail('no user name before a colon');
  if (/[\0-\x1f\x7f]/.test(name)) return fail('the name holds a control character');
  const kind = hashKindOf(hash);
  if (kind === undefined || !kinds.includes(kind)) return fail(`no hash of a kind that is taken: ${namesOf(kinds)}`);
  return read({ name, hash }, fields);
}
