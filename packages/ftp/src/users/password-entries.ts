// What a line of a password file gives a user beside the password: `name:hash`, and if need be `name:hash:/home:rights`.

import { fail, ok, type Result } from '@wellknown/core';
import type { PasswordUser } from '@wellknown/passwords';
import { isAnonymous } from './accounts.ts';
import { isNamedRights, NAMED_RIGHTS, type NamedRights } from './rights.ts';

export interface PasswordEntry extends PasswordUser {
  /** A directory below the root that this user sees as `/`. */
  readonly home: string | undefined;
  readonly rights: NamedRights | undefined;
}

/** A third field that is no path is a comment, as other programs have it. */
export function readPasswordEntry(
  user: PasswordUser,
  [home = '', rights = '']: readonly string[],
): Result<PasswordEntry, string> {
  if (user.name.includes(' ')) return fail('the name holds a space');
  if (isAnonymous(user.name)) return fail('this name belongs to anonymous users');
  if (!home.startsWith('/')) return ok({ ...user, home: undefined, rights: undefined });
  if (rights === '') return ok({ ...user, home, rights: undefined });
  if (!isNamedRights(rights)) return fail(`the rights are none of ${Object.keys(NAMED_RIGHTS).join(', ')}`);
  return ok({ ...user, home, rights });
}
