// Which users may log in, and what they may do. The answer takes the same work for every name, so that its time does
// not show which names exist.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Address } from '@wellknown/core';
import type { FileSystem } from './file-system.ts';

/** A user who has logged in. */
export interface Login {
  readonly user: string;
  /** What this user sees as `/`. */
  readonly fileSystem: FileSystem;
  readonly mayWrite: boolean;
}

/** Answers with the login, or undefined for a wrong name or password. A rejection counts as wrong. */
export type Authenticate = (credentials: {
  readonly user: string;
  readonly password: string;
  readonly remote: Address;
}) => Promise<Login | undefined>;

export interface Account {
  readonly name: string;
  readonly password: string;
  /** What this user sees as `/`; by default the server's file system. */
  readonly fileSystem?: FileSystem;
  /** By default the user only reads. */
  readonly mayWrite?: boolean;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Both of these names mean the anonymous user (RFC 1635). */
export const isAnonymous = (user: string): boolean => /^(?:anonymous|ftp)$/i.test(user);

/** Authentication against a fixed list. With `anonymous`, that user gets in with any password and only reads. */
export function accountsAuthenticator(options: {
  readonly accounts?: readonly Account[];
  readonly anonymous?: FileSystem | undefined;
  readonly fileSystem: FileSystem;
}): Authenticate {
  const { anonymous, fileSystem } = options;
  const accounts = new Map(
    (options.accounts ?? []).map((account) => [account.name, { account, digest: digest(account.password) }]),
  );
  const noAccount = digest('');
  return ({ user, password }) => {
    if (anonymous !== undefined && isAnonymous(user))
      return Promise.resolve({ user: 'anonymous', fileSystem: anonymous, mayWrite: false });
    const known = accounts.get(user);
    // Digests have one length, whatever the password's: the comparison takes the same time for all.
    const matches = timingSafeEqual(digest(password), known?.digest ?? noAccount);
    if (known === undefined || !matches) return Promise.resolve(undefined);
    return Promise.resolve({
      user,
      fileSystem: known.account.fileSystem ?? fileSystem,
      mayWrite: known.account.mayWrite ?? false,
    });
  };
}
