// What the kernel knows of our sockets: datagrams that it threw away unread, and connections that have not been
// accepted yet, from the text of /proc/net/udp, tcp and their IPv6 sisters (proc(5)).
//
// A line is a socket; its second column is the local address in hexadecimal, its last one counts the datagrams that did
// not fit into the receive buffer or whose checksum was wrong. An address is written as 32-bit words in the machine's
// own byte order.

import { parseIpv4, parseIpv6 } from '../address/address.ts';

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

const wordOf = (bytes: readonly number[], littleEndian: boolean): string =>
  (littleEndian ? [...bytes].reverse() : bytes).map((byte) => hex(byte, 2)).join('');

/** The second column of the socket that is bound to an address and port; undefined for what is no address. */
export function procAddress(address: string, port: number, littleEndian: boolean): string | undefined {
  const v4 = parseIpv4(address);
  if (v4 !== undefined) return `${wordOf(v4, littleEndian)}:${hex(port, 4)}`;
  const zone = address.indexOf('%');
  const groups = parseIpv6(zone < 0 ? address : address.slice(0, zone));
  if (groups === undefined) return undefined;
  const bytes = groups.flatMap((group) => [group >> 8, group & 255]);
  return `${[0, 4, 8, 12].map((at) => wordOf(bytes.slice(at, at + 4), littleEndian)).join('')}:${hex(port, 4)}`;
}

export interface SocketDrops {
  /** As `procAddress` writes it. */
  readonly address: string;
  readonly inode: string;
  readonly drops: number;
}

/** The drops of each socket that is bound to one of these addresses. One pass: other programs may have thousands. */
export function dropsBySocket(procText: string, addresses: { has(address: string): boolean }): readonly SocketDrops[] {
  const sockets: SocketDrops[] = [];
  for (const line of procText.split('\n')) {
    const from = line.indexOf(': ') + 2;
    const address = line.slice(from, line.indexOf(' ', from));
    if (!addresses.has(address)) continue;
    const columns = line.trim().split(/\s+/);
    sockets.push({ address, inode: columns[9] ?? '', drops: Number(columns.at(-1)) || 0 });
  }
  return sockets;
}

/** Their sum. */
export const dropsOf = (procText: string, addresses: ReadonlySet<string>): number =>
  dropsBySocket(procText, addresses).reduce((sum, { drops }) => sum + drops, 0);

// The state of a listening socket in /proc/net/tcp (TCP_LISTEN).
const LISTENING = '0A';

/**
 * Whether the text goes beyond the listening sockets, which the kernel lists before all others (proc_net_tcp in its
 * documentation): what follows is of no use for `backlogOf`, and with many connections nearly all there is.
 */
export function isBeyondListening(procText: string): boolean {
  const lines = procText.split('\n');
  // Behind the last line feed is a part of a line, and before the first one the heading.
  const last = lines.length > 2 ? lines[lines.length - 2] : undefined;
  return last !== undefined && last.trim().split(/\s+/)[3] !== LISTENING;
}

/**
 * How many connections wait in the accept queues of the listening sockets on these addresses, from /proc/net/tcp and
 * tcp6.
 */
export function backlogOf(procText: string, addresses: ReadonlySet<string>): number {
  let waiting = 0;
  for (const line of procText.split('\n')) {
    const columns = line.trim().split(/\s+/);
    // The receive queue of a listening socket counts connections: tx_queue:rx_queue, in hexadecimal.
    if (columns[3] === LISTENING && addresses.has(columns[1] ?? ''))
      waiting += Number.parseInt(columns[4]?.split(':')[1] ?? '0', 16);
  }
  return waiting;
}
