// The whole contract between core and a protocol.

import type { Address } from './address/address.ts';
import type { Clock } from './time/clock.ts';
import type { CloseReason } from './connection/states.ts';
import type { Connection, ConnectionLimits } from './connection/connection.ts';
import type { DatagramLimits } from './datagram/limits.ts';
import type { Logger } from './log.ts';
import type { PendingWork } from './accept/pending-work.ts';
import type { Sink } from './connection/sink.ts';

/** What core lends to a protocol for as long as its server runs. */
export interface ServiceContext {
  readonly log: Logger;
  readonly clock: Clock;
  /** 0 in a process that serves alone, otherwise the number of the worker's slot, from 1. */
  readonly workerSlot: number;
  /**
   * How many processes serve now: what is limited over all of them is divided by this. 1 in a process that serves
   * alone. It changes with the pool, so it is read where it is used and not kept.
   */
  readonly workerCount: number;
  /** The protocol's own counters: plain numbers that it adds to. They appear in `status`, summed over all workers. */
  readonly counters: Record<string, number>;
  /** Takes what outlives its connection: a drain waits for it, up to its deadline. */
  readonly work: Pick<PendingWork, 'add'>;
}

/** A bound datagram socket, as a protocol sees it. */
export interface DatagramSocket {
  /**
   * A service on all addresses has a socket for each, so that this is a wildcard only where such a socket was passed
   * in.
   */
  readonly local: Extract<Address, { readonly port: number }>;
  /** Sends, or drops when the queue is full: a datagram that waits is worth less than none. False when dropped. */
  send(message: Uint8Array, port: number, address: string): boolean;
  /**
   * A socket of its own for one source, from the same local address and a fresh port: for exchanges of several
   * datagrams. Close it.
   */
  connect(source: DatagramSource): Promise<DatagramPeer>;
}

/** A datagram socket that sends to one peer and receives from nobody else. */
export interface DatagramPeer {
  readonly local: Extract<Address, { readonly port: number }>;
  readonly remote: Extract<Address, { readonly port: number }>;
  /** `refused`: the other end said that nobody listens. */
  readonly counters: Readonly<
    Record<'received' | 'sent' | 'droppedUnread' | 'droppedQueueFull' | 'failedSends' | 'refused', number>
  >;
  /** Sends, or drops when the queue is full or the peer was closed. False when dropped. */
  send(message: Uint8Array): boolean;
  /** The next datagram, or undefined when none has come within `timeoutMs`. One read at a time. */
  read(timeoutMs: number): Promise<Uint8Array | undefined>;
  /**
   * What came and was thrown away by the kernel, since the receive buffer was full; 0 where it does not tell, and after
   * `close`.
   */
  droppedByKernel(): Promise<number>;
  /** Safe to call twice. */
  close(): void;
}

export interface DatagramSource {
  readonly address: string;
  readonly port: number;
}

/**
 * Called with each datagram. The buffer may be kept. A receiver that returns a promise is at work on the datagram until
 * it settles: so many at once are bounded, and a drain waits for them.
 */
export type DatagramReceiver = (message: Uint8Array, source: DatagramSource) => void | Promise<void>;

/**
 * A protocol: a name, its well-known port, and one of three doors.
 * `connection` is the comfortable one: the connection ends when its promise settles.
 * `open` is the hot one: it is called for each connection and returns the sink for its bytes.
 * `datagrams` receives datagrams.
 */
export interface Protocol {
  /** Lower case, as in the IANA registry; names the service in logs, status and metrics. */
  readonly name: string;
  /** The well-known port. */
  readonly port: number;
  readonly connection?: (peer: Connection, context: ServiceContext) => void | Promise<void>;
  readonly open?: (connection: Connection, context: ServiceContext) => Sink;
  readonly datagrams?: (socket: DatagramSocket, context: ServiceContext) => DatagramReceiver;
  /** The names that it offers in TLS (ALPN, RFC 7301). */
  readonly alpn?: readonly string[];
  /** What a peer that is turned away hears before the close (FTP: 421, HTTP: 503). */
  readonly refusal?: (reason: Extract<CloseReason, 'address-limit' | 'queue-limit'>) => string | undefined;
  /** Where this protocol's own habits differ from core's defaults. The server's options go before. */
  readonly limits?: Partial<ConnectionLimits>;
  /** The same for its datagram sockets. */
  readonly datagramLimits?: Partial<DatagramLimits>;
}

/** Says what a protocol is, and gets its types checked. Returns its argument. */
export const defineProtocol = <P extends Protocol>(protocol: P): P => protocol;
