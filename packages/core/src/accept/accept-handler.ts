// What differs between the things that are accepted: a connection that a protocol serves in this process, a connection
// that a program of its own gets. The acceptor and the admission do for both what is alike, through this.

import type net from 'node:net';
import { isIpv4, isIpv6, type Address } from '../address/address.ts';
import { unixPathOf, type Endpoint } from '../address/endpoint.ts';
import type { CloseReason } from '../connection/states.ts';
import type { AcceptFromOptions } from '../kernel/accept-from.ts';
import type { Counted, ListenerTally } from './registry.ts';

/** One that was accepted, served or not. A `Connection` is one. */
export interface Accepted extends Counted {
  /** Whom rules and limits are for: the peer, or the client that its proxy has named. */
  readonly remote: Address;
  /** The server drains. */
  startDrain(): void;
  /** Ends it as soon as it can be, in whatever state it is. Does nothing once it is at its end. */
  destroy(reason: CloseReason): void;
}

/** What is true of everything that one listener accepts. */
export interface ListenerTraits {
  /** The path of a unix listener. */
  readonly unixPath?: string;
  readonly tls: boolean;
  /** The local address of its connections, where it is the same for all and known. */
  readonly local?: Address;
  /** What is counted of its connections. */
  readonly tally: ListenerTally;
}

/** Why one is turned away that the rules for addresses allow. */
export type Refusal = Extract<CloseReason, 'address-limit' | 'address-rate' | 'queue-limit' | 'descriptor-limit'>;

export interface AcceptHandler<Member extends Accepted> {
  readonly sockets: Pick<AcceptFromOptions, 'unread' | 'noDelay' | 'keepAliveMs'>;
  /**
   * True: a drain admits at once all that wait, beyond any limit, so that they are told. False: they keep waiting, and
   * have their turn while the drain lasts.
   */
  readonly drainAdmitsWaiting: boolean;
  /**
   * Makes a member of an accepted socket, which is the member's from this call on. The member calls `closed` once, when
   * it is no more, whatever became of it.
   */
  create(socket: net.Socket, traits: ListenerTraits, closed: (member: Member, tally: ListenerTally) => void): Member;
  /** Serves one that was admitted: it is counted as open until it has closed. */
  serve(member: Member, traits: ListenerTraits): void;
  /** Ends one that is not admitted, and says why where there are words for it. It is counted already. */
  refuse(member: Member, traits: ListenerTraits, reason: Refusal): void;
  /** Left out where no peer is a proxy. */
  readonly proxies?: ProxyRules<Member>;
}

/** Peers that must say first whose connection it is. All others never may: what they send is not read as that. */
export interface ProxyRules<Member> {
  isProxy(member: Member): boolean;
  /** Calls `next` once the header is there. Where it never comes, the member closes by itself. */
  readHeader(member: Member, next: () => void): void;
  /** The header says that there is no client behind it (LOCAL), such as at a health check. */
  speaksForItself(member: Member): boolean;
}

/** The traits of a listener, all but what is counted of it. */
export function traitsOf(endpoint: Endpoint): Omit<ListenerTraits, 'tally'> {
  if (endpoint.scheme === 'unix') return { unixPath: unixPathOf(endpoint), tls: false };
  const local = localOf(endpoint);
  return { tls: endpoint.scheme === 'tls', ...(local === undefined ? {} : { local }) };
}

/** A listener on one address has only connections to that address: no need to ask the kernel for each. */
function localOf({ host, port }: Exclude<Endpoint, { scheme: 'unix' }>): Address | undefined {
  if (port === 0 || host === '0.0.0.0' || host === '::') return undefined;
  if (isIpv4(host)) return { family: 'ipv4', address: host, port };
  return isIpv6(host) && !host.includes('%') && !host.toLowerCase().startsWith('::ffff:')
    ? { family: 'ipv6', address: host, port }
    : undefined;
}
