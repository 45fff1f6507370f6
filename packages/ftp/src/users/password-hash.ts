// Passwords against the hashes that `htpasswd` and `mkpasswd` write. The hashing is the libraries', each loaded when a hash
// of its kind is met; here is which is which, and what is too much to ask of one login.

import { createHash, timingSafeEqual } from 'node:crypto';

interface Kind {
  readonly form: RegExp;
  readonly verify: (password: string, hash: string) => boolean | Promise<boolean>;
}

const equal = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

/** What the package exports is the function itself; its types say otherwise. */
const apr1 = async (): Promise<(password: string, salt: string) => string> =>
  (await import('apache-md5')).default as unknown as (password: string, salt: string) => string;

// A login may cost some 100 ms of CPU, not minutes of it: bcrypt doubles with each step of its cost, sha-crypt grows with
// its rounds.
const KINDS: Readonly<Record<string, Kind>> = {
  bcrypt: {
    form: /^\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/,
    verify: async (password, hash) => (await import('bcryptjs')).default.compare(password, hash),
  },
  'sha-crypt': {
    form: /^\$[56]\$(?:rounds=\d{4,6}\$)?[^$:\s]{1,16}\$(?:[./A-Za-z0-9]{43}|[./A-Za-z0-9]{86})$/,
    verify: async (password, hash) => (await import('unixcrypt')).verify(password, hash),
  },
  apr1: {
    form: /^\$apr1\$[^$:\s]{1,8}\$[./A-Za-z0-9]{22}$/,
    verify: async (password, hash) => equal((await apr1())(password, hash), hash),
  },
  sha1: {
    form: /^\{SHA\}[A-Za-z0-9+/]{27}=$/,
    verify: (password, hash) => equal(`{SHA}${createHash('sha1').update(password).digest('base64')}`, hash),
  },
};

const kindOf = (hash: string): Kind | undefined => Object.values(KINDS).find(({ form }) => form.test(hash));

/** Whether `verifyPassword` can work with this hash. */
export const isPasswordHash = (hash: string): boolean => kindOf(hash) !== undefined;

/** Whether the password is the one. False for a hash that is none. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  return (await kindOf(hash)?.verify(password, hash)) ?? false;
}
