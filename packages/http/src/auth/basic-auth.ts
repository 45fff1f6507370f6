// Basic authentication (RFC 7617) in front of a handler.

import { PasswordChecker, type PasswordCheckLimits } from '@wellknown/passwords';
import type { FetchHandler } from '../handler.ts';
import { responseOf, type HttpResponse } from '../fetch/response.ts';
import { setUser } from './user-of.ts';

export interface BasicAuthOptions {
  /**
   * The hash of a user's password, of any kind that @wellknown/passwords knows; undefined for one who is not there. A
   * `Map` of names will do. The check of a name that is not there takes the work of the first of `values`.
   */
  readonly users: {
    get(name: string): string | undefined | Promise<string | undefined>;
    values?(): Iterable<string>;
  };
  /** What a browser shows when it asks. Default: `Restricted`. */
  readonly realm?: string;
  /** Where they differ from DEFAULT_PASSWORD_CHECKS. */
  readonly limits?: Partial<PasswordCheckLimits>;
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

// bcrypt looks at 72 bytes of a password; nobody has a name of more than these.
const MAX_CREDENTIALS_CHARACTERS = 1_024;
const RETRY_SOON = { 'Retry-After': '1' };

/**
 * Asks for a user name and a password before `handler` sees a request. Anybody on the way can read them, unless the
 * connection is over TLS.
 */
export function basicAuth(
  handler: FetchHandler,
  { users, realm = 'Restricted', limits }: BasicAuthOptions,
): FetchHandler {
  if (!/^[\x20-\x7e]*$/.test(realm)) throw new TypeError('a realm is printable ASCII');
  const checker = new PasswordChecker(limits);
  const challenge = `Basic realm="${realm.replace(/["\\]/g, '\\$&')}", charset="UTF-8"`;
  // Each its own: what stands around this handler may add fields.
  const unauthorized = (): HttpResponse =>
    responseOf('A user name and a password are needed.\n', {
      status: 401,
      headers: {
        'WWW-Authenticate': challenge,
        'Content-Type': 'text/plain;charset=utf-8',
        'Cache-Control': 'no-store',
      },
    });
  return async (request, context) => {
    const credentials = parseCredentials(request.headers.get('authorization'));
    if (credentials === undefined) return unauthorized();
    const hash = await users.get(credentials.name);
    const standIn = hash === undefined ? checker.standIn(credentials.name, users.values?.() ?? []) : undefined;
    const verdict = await checker.check(credentials.password, hash, standIn);
    if (verdict === 'right') {
      setUser(request, credentials.name);
      return handler(request, context);
    }
    return verdict === 'wrong'
      ? unauthorized()
      : responseOf('Too many are logging in. Try again.\n', { status: 503, headers: RETRY_SOON });
  };
}

/** What an Authorization field says; undefined where it is of another scheme, or malformed (RFC 7617 §2). */
export function parseCredentials(value: string | null): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value ?? '')?.[1];
  if (encoded === undefined || encoded.length > MAX_CREDENTIALS_CHARACTERS) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  // No name and no password holds control characters.
  if (colon < 0 || /[\x00-\x1f\x7f\ufffd]/.test(text)) return undefined;
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
