// The methods of the IANA registry that a handler may be asked for, and what the engine does with each of its own
// accord.

export interface MethodSpec {
  /** `handler`: the handler decides. `refused-501`, `refused-405`: the engine answers. */
  readonly answered: 'handler' | 'refused-501' | 'refused-405';
}

const BY_HANDLER: MethodSpec = { answered: 'handler' };

/** RFC 9110 §9.3 and §16.1.1. Methods are case-sensitive: `get` is unknown. */
export const METHODS: ReadonlyMap<string, MethodSpec> = new Map<string, MethodSpec>([
  ...[
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'OPTIONS',
    'PATCH',
    'QUERY',
    'ACL',
    'BASELINE-CONTROL',
    'BIND',
    'CHECKIN',
    'CHECKOUT',
    'COPY',
    'LABEL',
    'LINK',
    'LOCK',
    'MERGE',
    'MKACTIVITY',
    'MKCALENDAR',
    'MKCOL',
    'MKREDIRECTREF',
    'MKWORKSPACE',
    'MOVE',
    'ORDERPATCH',
    'PROPFIND',
    'PROPPATCH',
    'REBIND',
    'REPORT',
    'SEARCH',
    'UNBIND',
    'UNCHECKOUT',
    'UNLINK',
    'UNLOCK',
    'UPDATE',
    'UPDATEREDIRECTREF',
    'VERSION-CONTROL',
    // Not registered, but spoken by caches, UPnP and streaming sources.
    'M-SEARCH',
    'NOTIFY',
    'PURGE',
    'SOURCE',
    'SUBSCRIBE',
    'UNSUBSCRIBE',
  ].map((name): [string, MethodSpec] => [name, BY_HANDLER]),
  // No proxy here: a tunnel can't be had (RFC 9110 §9.3.6).
  ['CONNECT', { answered: 'refused-501' }],
  // It would echo credentials to scripts (RFC 9110 §9.3.8).
  ['TRACE', { answered: 'refused-405' }],
]);

/** What a 405 and `OPTIONS *` of the engine name. */
export const ALLOWED_BY_ENGINE = 'GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH';

/** The longest name in the table; anything longer is unknown before it has ended. */
export const MAX_METHOD_BYTES = Math.max(...Array.from(METHODS.keys(), (name) => name.length));

/** False for a method that the engine answers by itself, and for `OPTIONS *`, whose path is empty. */
export const isForHandler = (method: string, path: string): boolean =>
  path !== '' && METHODS.get(method)?.answered === 'handler';
