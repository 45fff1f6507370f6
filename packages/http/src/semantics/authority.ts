// Host and request-target syntax (RFC 9110 §4.2, RFC 9112 §3.2). Text in, a verdict out.

import { isIpv4, isIpv6 } from '@wellknown/core/endpoint';
import { everyOctet, REG_NAME } from './char-classes.ts';

// A domain name has at most 253; an IPv6 literal with a port is shorter.
const MAX_AUTHORITY_BYTES = 300;

/**
 * True for `host`, `host:port`, `[v6]` and `[v6]:port`, without user information. The port may be empty (RFC 3986
 * §3.2.3). A name is one that the URL parser leaves as it is, but for its case: `0x7f.1`, `a%2eb` and `foo.1` are names
 * by the grammar, and another host, or none, to everybody who makes a URL of them.
 */
export function isAuthority(text: string): boolean {
  if (text.length === 0 || text.length > MAX_AUTHORITY_BYTES) return false;
  if (text.startsWith('[')) {
    const close = text.indexOf(']');
    if (close < 0 || !isIpv6(text.slice(1, close)) || text.slice(1, close).includes('%')) return false;
    return close === text.length - 1 || (text[close + 1] === ':' && isPort(text, close + 2));
  }
  const colon = text.indexOf(':');
  const host = colon < 0 ? text : text.slice(0, colon);
  if (host === '' || !everyOctet(host, REG_NAME) || !isSameHostInUrl(host)) return false;
  return colon < 0 || isPort(text, colon + 1);
}

function isPort(text: string, start: number): boolean {
  let port = 0;
  for (let index = start; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
    if (port > 65_535) return false;
  }
  return true;
}

// Names that need no look at what the URL parser makes of them: the last label is no number, and none is punycode.
const PLAIN_NAME = /^(?!(?:.*\.)?xn--)(?:[a-z0-9_-]+\.)*[a-z_-][a-z0-9_-]*$/i;

function isSameHostInUrl(host: string): boolean {
  if (PLAIN_NAME.test(host) || isIpv4(host)) return true;
  const url = `http://${host}/`;
  return URL.canParse(url) && new URL(url).hostname === host.toLowerCase();
}

/** A request target, split. `authority` is empty unless the target carries one. */
export interface RequestTarget {
  readonly form: 'origin' | 'absolute' | 'authority' | 'asterisk';
  readonly authority: string;
  /** The target says `https://`. */
  readonly isHttps: boolean;
  /** Path and query, starting with `/`; empty in the other two forms. */
  readonly path: string;
}

/**
 * The target in one of the four forms of RFC 9112 §3.2, or undefined when the method does not allow it or it is
 * malformed.
 */
export function parseTarget(method: string, target: string): RequestTarget | undefined {
  if (method === 'CONNECT') {
    // The port is required here (RFC 9112 §3.2.3).
    return isAuthority(target) && /:[0-9]*[1-9][0-9]*$/.test(target)
      ? { form: 'authority', authority: target, isHttps: false, path: '' }
      : undefined;
  }
  if (hasBackslashInPath(target)) return undefined;
  if (target.startsWith('/')) return { form: 'origin', authority: '', isHttps: false, path: target };
  if (target === '*')
    return method === 'OPTIONS' ? { form: 'asterisk', authority: '', isHttps: false, path: '' } : undefined;
  const scheme = /^https?:\/\//i.exec(target);
  if (scheme === null) return undefined;
  const rest = target.slice(scheme[0].length);
  const pathStart = rest.search(/[/?]/);
  const authority = pathStart < 0 ? rest : rest.slice(0, pathStart);
  if (!isAuthority(authority)) return undefined;
  const path = pathStart < 0 ? '' : rest.slice(pathStart);
  // OPTIONS on an authority alone speaks about the server (RFC 9112 §3.2.4).
  const isHttps = scheme[0].length === 'https://'.length;
  if (path === '' && method === 'OPTIONS') return { form: 'asterisk', authority, isHttps, path: '' };
  return { form: 'absolute', authority, isHttps, path: path.startsWith('/') ? path : `/${path}` };
}

/**
 * `\` is `/` to the URL parser and a character of a name to others: two readings of one path. In a query it is itself,
 * and browsers send it there as it is.
 */
function hasBackslashInPath(target: string): boolean {
  const at = target.indexOf('\\');
  if (at < 0) return false;
  const queryStart = target.indexOf('?');
  return queryStart < 0 || at < queryStart;
}
