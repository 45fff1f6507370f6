// Which addresses datagrams may come from and be served on. Pure: the machine's interfaces come in as a value.
//
// A socket that is bound to all addresses answers from whichever address the routing table prefers, and a client that
// is connected to another one throws the answer away. It also receives what was broadcast, so that one datagram is
// answered by every machine of the network. One socket for each local address has neither problem, without asking the
// kernel for the destination of each datagram, which Node cannot.

import { isIpv4, isIpv6, parseIpv4 } from './address.ts';

/** One address of an interface, as `os.networkInterfaces()` tells it. */
export interface InterfaceAddress {
  readonly address: string;
  readonly netmask: string;
  readonly family: 'IPv4' | 'IPv6';
  /** Of an IPv6 address; not 0 for link-local ones, which mean nothing without their interface. */
  readonly scopeid?: number | undefined;
}
export type Interfaces = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>;

// A machine with more addresses (many bridges of containers) should name those it serves: each costs a socket in each
// worker.
export const MAX_LOCAL_ADDRESSES = 256;

const isLinkLocal = (address: string): boolean => /^fe[89ab]/i.test(address);

/** Every address of this machine to bind a socket to; a link-local one with its interface, as `fe80::1%eth0`. */
export function localAddresses(interfaces: Interfaces, families: 'both' | 'ipv4' | 'ipv6'): string[] {
  const found = new Set<string>();
  for (const [name, addresses] of Object.entries(interfaces)) {
    for (const { address, family } of addresses ?? []) {
      if (family === 'IPv4' && families !== 'ipv6') found.add(address);
      if (family === 'IPv6' && families !== 'ipv4') found.add(isLinkLocal(address) ? `${address}%${name}` : address);
    }
  }
  return [...found];
}

/** Why no service is offered on this address, or undefined. */
export function reasonNotToServe(address: string, interfaces: Interfaces): string | undefined {
  if (isMulticast(address))
    return 'it is a multicast address, and one datagram to it would get an answer from every machine in the group';
  const broadcasts = Object.values(interfaces).flatMap((addresses) =>
    (addresses ?? [])
      .filter(({ family }) => family === 'IPv4')
      .map(({ address: own, netmask }) => broadcastOf(own, netmask)),
  );
  if (address === '255.255.255.255' || broadcasts.includes(address))
    return 'it is a broadcast address, and one datagram to it would get an answer from every machine of the network';
  return undefined;
}

/** The directed broadcast address of a network; undefined where there is none (RFC 3021: /31, and a single host). */
function broadcastOf(address: string, netmask: string): string | undefined {
  const own = parseIpv4(address);
  const mask = parseIpv4(netmask);
  if (own === undefined || mask === undefined || (mask[3] ?? 0) >= 254) return undefined;
  return own.map((byte, index) => byte | (~(mask[index] ?? 0) & 255)).join('.');
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticast(address: string): boolean {
  if (isIpv4(address))
    return address.charCodeAt(0) === DIGIT_TWO && isAbove223(address) && Number(address.slice(0, 3)) < 240;
  return isIpv6(address) && /^ff/i.test(address);
}

const DIGIT_ZERO = 0x30;
const DIGIT_TWO = 0x32;
const DOT = 0x2e;
const COLON = 0x3a;
const LETTER_F = 0x66;

/** Of text that begins with `2`: is the first number 224 or more? */
const isAbove223 = (address: string): boolean =>
  address.charCodeAt(2) !== DOT && address.charCodeAt(1) !== DOT && Number(address.slice(0, 3)) >= 224;

/**
 * May a datagram claim to come from here? Not from multicast, broadcast, reserved or unspecified addresses, nor from
 * port 0. Linux drops most of these itself; this looks at two or three characters of the text that the kernel's answer
 * was made into.
 */
export function isUnicastSource(address: string, port: number): boolean {
  if (port === 0) return false;
  const first = address.charCodeAt(0);
  // 0.0.0.0/8: "this network", never a source that could be answered.
  if (first === DIGIT_ZERO) return address.charCodeAt(1) !== DOT;
  if (first === DIGIT_TWO) return address.includes(':') || !isAbove223(address);
  if (first === LETTER_F) return address.charCodeAt(1) !== LETTER_F;
  return first !== COLON || address !== '::';
}
