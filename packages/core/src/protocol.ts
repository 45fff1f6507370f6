// The whole contract between core and a protocol.

import type { Clock } from './time/clock.ts';
import type { CloseReason } from './connection/states.ts';
import type { Connection, ConnectionLimits } from './connection/connection.ts';
import type { DatagramLimits } from './datagram/limits.ts';
import type { DatagramReceiver, DatagramSocket } from './datagram/socket.ts';
import type { Logger } from './log.ts';
import type { Sink } from './connection/sink.ts';

/** What core gives a protocol for as long as its server runs. */
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
  readonly work: { add(work: PromiseLike<unknown>): void };
}

/**
 * A protocol: a name, its well-known port, and one of three ways to serve.
 * `connection` is the comfortable one: the connection ends when its promise settles.
 * `open` is the fast one: it is called for each connection and returns the sink for its bytes.
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
