// Host and request-target syntax (RFC 9110 §4.2, RFC 9112 §3.2). Text in, a verdict out.

import { isIpv6 } from '@wellknown/core/endpoint';
import { everyOctet, REG_NAME } from './char-classes.ts';

// A domain name has at most 253; an IPv6 literal with a port is shorter.
const MAX_AUTHORITY_BYTES = 300;

/**
 * True for `host`, `host:port`, `[v6]` and `[v6]:port`, without user information. The port may be empty (RFC 3986
 * §3.2.3).
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
  if (host === '' || !everyOctet(host, REG_NAME) || !hasValidEscapes(host)) return false;
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

const hasValidEscapes = (host: string): boolean => !host.includes('%') || !/%(?![0-9A-Fa-f]{2})/.test(host);

/** A request target, split. `authority` is empty unless the target carries one. */
export interface RequestTarget {
  readonly form: 'origin' | 'absolute' | 'authority' | 'asterisk';
  readonly authority: string;
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
      ? { form: 'authority', authority: target, path: '' }
      : undefined;
  }
  if (target.startsWith('/')) return { form: 'origin', authority: '', path: target };
  if (target === '*') return method === 'OPTIONS' ? { form: 'asterisk', authority: '', path: '' } : undefined;
  const scheme = /^https?:\/\//i.exec(target);
  if (scheme === null) return undefined;
  const rest = target.slice(scheme[0].length);
  const pathStart = rest.search(/[/?]/);
  const authority = pathStart < 0 ? rest : rest.slice(0, pathStart);
  if (!isAuthority(authority)) return undefined;
  const path = pathStart < 0 ? '' : rest.slice(pathStart);
  // OPTIONS on an authority alone speaks about the server (RFC 9112 §3.2.4).
  if (path === '' && method === 'OPTIONS') return { form: 'asterisk', authority, path: '' };
  return { form: 'absolute', authority, path: path.startsWith('/') ? path : `/${path}` };
}
