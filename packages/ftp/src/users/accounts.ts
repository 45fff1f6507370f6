// Users from a fixed list. The answer takes the same work for every name, so that its time does not show which names
// exist.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { FileSystem } from '../file-system.ts';
import type { Authenticate, Grant } from './login.ts';
import type { RightsOption } from './rights.ts';

export interface Account extends Omit<Grant, 'user'> {
  readonly name: string;
  readonly password: string;
  /** True is short for `rights: 'full'`. By default the user only reads. */
  readonly mayWrite?: boolean;
}

/** What anonymous users get. */
export interface AnonymousGrant {
  readonly fileSystem?: FileSystem;
  /** By default `read`. */
  readonly rights?: RightsOption;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Both of these names mean the anonymous user (RFC 1635). */
export const isAnonymous = (user: string): boolean => /^(?:anonymous|ftp)$/i.test(user);

/** Authentication against a fixed list. With `anonymous`, that user gets in with any password. */
export function accountsAuthenticator(options: {
  readonly accounts?: readonly Account[];
  readonly anonymous?: AnonymousGrant | undefined;
}): Authenticate {
  const { anonymous } = options;
  const accounts = new Map(
    (options.accounts ?? []).map((account) => [account.name, { account, digest: digest(account.password) }]),
  );
  const noAccount = digest('');
  return ({ user, password }) => {
    if (anonymous !== undefined && isAnonymous(user)) return { ...anonymous, user: 'anonymous', anonymous: true };
    const known = accounts.get(user);
    // Digests have one length, whatever the password's: the comparison takes the same time for all.
    const matches = timingSafeEqual(digest(password), known?.digest ?? noAccount);
    return known !== undefined && matches ? grantOf(known.account) : undefined;
  };
}

/**
 * Users from several places; the first that knows them counts. All are asked, so that the time shows nothing of where a name
 * is known. Where none knows them and one had no time to look, the answer is `busy`.
 */
export const anyAuthenticator =
  (authenticators: readonly Authenticate[]): Authenticate =>
  async (credentials) => {
    const verdicts = await Promise.all(authenticators.map(async (authenticate) => authenticate(credentials)));
    return verdicts.find((verdict) => typeof verdict === 'object') ?? verdicts.find((verdict) => verdict === 'busy');
  };

const grantOf = ({ name, mayWrite = false, ...account }: Account): Grant => ({
  rights: mayWrite ? 'full' : 'read',
  ...account,
  user: name,
});
