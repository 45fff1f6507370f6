// The client of a request behind proxies: only what trusted proxies have written counts, read from the near end. One
// field is believed and not both, since a proxy that writes the one passes on whatever a client put into the other.

import { isIpv4, isIpv6, normalizeIp } from '@wellknown/core/endpoint';
import { type Address } from '@wellknown/core';
import { isAuthority } from './authority.ts';

/** Which field the trusted proxies write. `x-forwarded-for` has `-proto` and `-host` beside it. */
export type ForwardedField = 'forwarded' | 'x-forwarded-for';

/** The proxies that are believed about the client. */
export interface TrustedProxies {
  readonly field: ForwardedField;
  isTrusted(address: Address | string): boolean;
}

export interface ClientFacts {
  /** An IP address, `unix`, or what a proxy calls a client that it does not name (RFC 7239 §6). */
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /** Host and port that the client asked for; may be empty in HTTP/1.0. */
  readonly host: string;
}

interface Fields {
  get(name: string): string | null;
}

interface Hop {
  readonly address: string;
  readonly scheme: string | undefined;
  readonly host: string | undefined;
}

// No deployment has as many proxies in a row; a longer chain is made up.
const MAX_HOPS = 32;

/** What the fields of a request from a trusted proxy say. `direct` is what would be true without any proxy. */
export function clientBehindProxies(
  fields: Fields,
  field: ForwardedField,
  direct: ClientFacts,
  isTrusted: (address: string) => boolean,
): ClientFacts {
  const hops = field === 'forwarded' ? hopsOfForwarded(fields.get('forwarded') ?? '') : hopsOfXForwarded(fields);
  let facts = direct;
  for (const { address, scheme, host } of hops.slice(-MAX_HOPS).reverse()) {
    const name = scheme?.toLowerCase();
    facts = {
      address: address === '' ? facts.address : address,
      scheme: name === 'https' || name === 'http' ? name : facts.scheme,
      host: host !== undefined && isAuthority(host) ? host : facts.host,
    };
    if (!isTrusted(address)) break;
  }
  return facts;
}

/** The hops of `X-Forwarded-For`; scheme and host come as one value, or one for each hop. */
function hopsOfXForwarded(fields: Fields): Hop[] {
  // A proxy that tells scheme or host alone speaks of a client whose address it does not tell.
  const addresses = listOf(fields.get('x-forwarded-for') ?? '');
  const schemes = listOf(fields.get('x-forwarded-proto'));
  const hosts = listOf(fields.get('x-forwarded-host'));
  const beside = (values: readonly string[], index: number): string | undefined =>
    values[values.length - addresses.length + index] ?? (index === addresses.length - 1 ? values.at(-1) : undefined);
  return addresses.map((address, index) => ({
    address: addressOfNode(address),
    scheme: beside(schemes, index),
    host: beside(hosts, index),
  }));
}

const listOf = (value: string | null): string[] => (value === null ? [] : value.split(',').map((item) => item.trim()));

/**
 * RFC 7239 §4. An element that is malformed ends the chain there: what lies beyond it can't be told apart from an
 * invention.
 */
const hopsOfForwarded = (value: string): Hop[] => splitOutsideQuotes(value, ',').map(hopOfElement);

const MALFORMED: Hop = { address: '', scheme: undefined, host: undefined };

function hopOfElement(element: string): Hop {
  const parameters = new Map<string, string>();
  for (const pair of splitOutsideQuotes(element, ';')) {
    const match = /^[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^" \t]*))[ \t]*$/.exec(pair);
    if (match === null) return MALFORMED;
    parameters.set((match[1] ?? '').toLowerCase(), match[3] ?? (match[2] ?? '').replace(/\\(.)/g, '$1'));
  }
  const [node, scheme, host] = ['for', 'proto', 'host'].map((name) => parameters.get(name));
  return { address: addressOfNode(node ?? ''), scheme, host };
}

/**
 * From the right, where the nearest proxy has written: a quote that a client leaves open would otherwise take in what
 * follows it.
 */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let end = text.length;
  let quoted = false;
  for (let index = end - 1; index >= 0; index -= 1) {
    const character = text[index];
    if (character === '"' && !isEscaped(text, index)) quoted = !quoted;
    else if (character === separator && !quoted) {
      parts.push(text.slice(index + 1, end));
      end = index;
    }
  }
  parts.push(text.slice(0, end));
  return parts.reverse().filter((part) => part.trim() !== '');
}

/** Behind an odd number of backslashes. */
function isEscaped(text: string, index: number): boolean {
  let first = index;
  while (text[first - 1] === '\\') first -= 1;
  return (index - first) % 2 === 1;
}

/**
 * The address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`; another text as it is, without
 * control characters.
 */
function addressOfNode(node: string): string {
  const bracketed = /^\[([^\]]*)\](?::[0-9]{1,5})?$/.exec(node);
  const address = bracketed?.[1] ?? (isIpv6(node) ? node : node.replace(/:[^:]*$/, ''));
  if (isIpv4(address) || isIpv6(address)) return normalizeIp(address).toLowerCase();
  return node.replace(/[^\x21-\x7e]/g, '').slice(0, 64);
}
