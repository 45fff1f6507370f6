// Passwords against the hashes that `htpasswd` and `mkpasswd` write. The hashing is the libraries', each loaded when a hash
// of its kind is met; here is which is which, and what is too much to ask of one login.

import { createHash, timingSafeEqual } from 'node:crypto';
import { ShaCryptThread } from './sha-crypt-thread.ts';

/** `sha-crypt` is SHA-256 and SHA-512 crypt, `sha1` what LDAP and htpasswd write as `{SHA}`. */
export type HashKind = 'bcrypt' | 'sha-crypt' | 'apr1' | 'sha1';

interface HashFormat {
  /** What makes such hashes, for those who have another one. */
  readonly made: string;
  readonly form: RegExp;
  readonly verify: (password: string, hash: string) => boolean | Promise<boolean>;
}

const equal = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

/**
 * Its library takes characters for bytes, so it gets the bytes of UTF-8 as such. What it exports is the function itself; its
 * types say otherwise.
 */
const apr1 = async (): Promise<(password: string, salt: string) => string> =>
  (await import('apache-md5')).default as unknown as (password: string, salt: string) => string;

const thread = new ShaCryptThread();

// A login may cost seconds of CPU where whoever made the hash wanted that, and not minutes: bcrypt doubles with each step
// of its cost, sha-crypt grows with its rounds (5,000 of them take some 30 ms).
const FORMATS: Readonly<Record<HashKind, HashFormat>> = {
  // In the threads of libuv.
  bcrypt: {
    made: "bcrypt up to cost 14 ('htpasswd -B')",
    form: /^\$2[abxy]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/,
    verify: async (password, hash) => (await import('@node-rs/bcrypt')).verify(password, hash),
  },
  'sha-crypt': {
    made: "sha-256 or sha-512 up to 999,999 rounds ('mkpasswd', 'openssl passwd -6')",
    form: /^\$(?:5\$(?:rounds=\d{4,6}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43}|6\$(?:rounds=\d{4,6}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86})$/,
    verify: (password, hash) => thread.verify(password, hash),
  },
  // A thousand rounds of MD5, some ten milliseconds in the main thread.
  apr1: {
    made: "apr1 ('htpasswd')",
    form: /^\$apr1\$[^$:\s]{1,8}\$[./A-Za-z0-9]{22}$/,
    verify: async (password, hash) => equal((await apr1())(Buffer.from(password).toString('latin1'), hash), hash),
  },
  sha1: {
    made: "{SHA} ('htpasswd -s')",
    form: /^\{SHA\}[A-Za-z0-9+/]{27}=$/,
    verify: (password, hash) => equal(`{SHA}${createHash('sha1').update(password).digest('base64')}`, hash),
  },
};

/** All that `verifyPassword` knows. */
export const HASH_KINDS = Object.keys(FORMATS) as readonly HashKind[];

/** Undefined for what no kind is written like, and for what would cost too much. */
export const hashKindOf = (hash: string): HashKind | undefined =>
  HASH_KINDS.find((kind) => FORMATS[kind].form.test(hash));

/** What hashes of these kinds are called and made by, as a list for a sentence. */
export const namesOf = (kinds: readonly HashKind[]): string => kinds.map((kind) => FORMATS[kind].made).join(', ');

/** Whether the password is the one; false for a hash of no known kind. bcrypt looks at its first 72 bytes only. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const kind = hashKindOf(hash);
  return kind !== undefined && (await FORMATS[kind].verify(password, hash));
}
