// The arguments of PORT (RFC 959 §4.1.2), EPRT and EPSV (RFC 2428).

import { isIpv4, isIpv6 } from '@wellknown/core/endpoint';

/** Where a client says that it listens. */
export interface HostPort {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  readonly port: number;
}

/** `h1,h2,h3,h4,p1,p2`; undefined for anything else. */
export function parsePortArgument(text: string): HostPort | undefined {
  const match = /^ *(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}) *$/.exec(text);
  if (match === null) return undefined;
  const numbers = match.slice(1).map(Number);
  if (numbers.some((number) => number > 255)) return undefined;
  const [high = 0, low = 0] = numbers.slice(4);
  return { family: 'ipv4', address: numbers.slice(0, 4).join('.'), port: high * 256 + low };
}

/** `|1|132.235.1.2|6275|` with any printable delimiter; `'family'` for a protocol number other than 1 and 2. */
export function parseEprtArgument(text: string): HostPort | 'family' | undefined {
  const delimiter = text.at(0);
  if (delimiter === undefined || !/[!-~]/.test(delimiter)) return undefined;
  const parts = text.trimEnd().split(delimiter);
  const [before, family, address = '', portText = '', after] = parts;
  if (parts.length !== 5 || before !== '' || after !== '' || !/^\d{1,5}$/.test(portText)) return undefined;
  const port = Number(portText);
  if (port > 65_535) return undefined;
  if (family === '1') return isIpv4(address) ? { family: 'ipv4', address, port } : undefined;
  if (family === '2') return isIpv6(address) ? { family: 'ipv6', address, port } : undefined;
  return /^\d+$/.test(family ?? '') ? 'family' : undefined;
}
