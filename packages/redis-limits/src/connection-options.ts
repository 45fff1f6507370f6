// Where a Redis is, as a URL names it. Text in, options of the client or a problem out; no IO.

import { fail, ok, type Result } from '@wellknown/core';

export interface RedisLimitsOptions {
  /**
   * `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://…` over TLS, `redis+socket:PATH` for a unix socket. Behind a
   * question mark `prefix=NAME`: servers with another prefix share nothing with these. Default `wellknown`.
   */
  readonly url: string;
  /** Kept out of the URL, which others can read on a command line. The one in the URL goes before. */
  readonly password?: string | undefined;
}

export interface ConnectionOptions {
  /** For people: without a password. */
  readonly name: string;
  readonly prefix: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly socket: { readonly path: string } | { readonly host: string; readonly port: number; readonly tls: boolean };
}

const DEFAULT_PORT = 6379;
const DEFAULT_PREFIX = 'wellknown';
const ALLOWED = 'redis://HOST:PORT, rediss://HOST:PORT or redis+socket:PATH';

/** A percent sign that begins no escape is one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Reads the URL. The problem says what was given and what is allowed, and holds no password. */
export function parseRedisUrl({ url: text, password }: RedisLimitsOptions): Result<ConnectionOptions, string> {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return fail(`is no URL, allowed is ${ALLOWED}`);
  }
  const { protocol, hostname, port, pathname, searchParams } = url;
  const name = `${protocol}${hostname === '' ? '' : `//${url.host}`}${pathname}`;
  if (!['redis:', 'rediss:', 'redis+socket:'].includes(protocol)) return fail(`is '${name}', allowed is ${ALLOWED}`);
  for (const parameter of searchParams.keys())
    if (!['prefix', 'db'].includes(parameter))
      return fail(`is '${name}' with ?${parameter}=, allowed are prefix and db`);
  const isSocket = protocol === 'redis+socket:';
  const path = decoded(pathname);
  const database = (isSocket ? '' : path.replace(/^\//, '')) || (searchParams.get('db') ?? '0');
  if (!/^\d{1,5}$/.test(database)) return fail(`is '${name}': the database '${database}' is no number`);
  if (isSocket ? path === '' : hostname === '') return fail(`is '${name}', allowed is ${ALLOWED}`);
  return ok({
    name,
    prefix: searchParams.get('prefix') ?? DEFAULT_PREFIX,
    username: url.username === '' ? undefined : decoded(url.username),
    password: url.password === '' ? password : decoded(url.password),
    database: Number(database),
    socket: isSocket
      ? { path }
      : {
          host: hostname.replace(/^\[(.*)\]$/, '$1'),
          port: port === '' ? DEFAULT_PORT : Number(port),
          tls: protocol === 'rediss:',
        },
  });
}
