// The whole contract between core and a protocol.

import type { Address } from './address/address.ts';
import type { Clock } from './time/clock.ts';
import type { CloseReason } from './connection/states.ts';
import type { Connection } from './connection/connection.ts';
import type { ConnectionLimits } from './connection/limits.ts';
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
  /** The server has a certificate: `startTls` of its connections needs no other. */
  readonly hasTls: boolean;
  /** The addresses of this service that did wrong too often, over all workers. */
  readonly bans: AddressBans;
  /** What this service has in common with itself in other processes. */
  readonly places: SharedPlaces;
  /** Takes what outlives its connection: a drain waits for it, up to its deadline. */
  readonly work: { add(work: PromiseLike<unknown>): void };
  /** Opens connections that belong to one of the service's. */
  readonly secondary: SecondaryConnections;
  /** The same service in the other workers; undefined in a process that serves alone. */
  readonly siblings?: Siblings | undefined;
}

/**
 * The same service in the other workers of the pool, those that drain included. What is told goes through the primary
 * to each of them, in order; a worker that ends meanwhile does not get it.
 */
export interface Siblings {
  /** `message` is what JSON can carry. */
  tell(message: unknown): void;
  /** Calls `listener` with what each of the others tells. One listener for each service. */
  listen(listener: (message: unknown) => void): void;
}

/**
 * Connections that a protocol opens beside one of its own, their parent: FTP's data connections (RFC 959 §3.2).
 *
 * Each is an ordinary `Connection` that has not been attached to: nothing is read, and no limit runs, until `attach`,
 * `secureFirst` or one of the comfortable methods is called. Its deadlines hang on the service's clock.
 *
 * They end with their parent. Once it has closed, what listens or connects is given up, and what is open is destroyed,
 * unless it is lingering: then all was said, and its linger limits bound it. A drain waits for them as for their
 * parents, and cuts them at its deadline.
 *
 * The server's limits on connections and the rules for addresses do not count them, since the parent has passed those.
 * In `status` they are the listener named `secondary`, with their pairs among the service's.
 */
export interface SecondaryConnections {
  /**
   * Listens at the parent's socket for one connection from the parent's remote address. A peer from elsewhere
   * loses its own connection (closed as `denied`), and the listening goes on. The port is this process's alone, also
   * in a worker of a cluster. Undefined where no port could be had, the parent is no Internet connection, or it has
   * closed.
   *
   * From a proxy that the server trusts (`proxyProtocol`) a PROXY header has to come first; then the client that it names
   * is the peer.
   */
  listen(parent: Connection, options: SecondaryListenOptions): Promise<SecondaryListener | undefined>;
  /**
   * Connects from the address of the parent's socket to a literal address. Where that may be is the protocol's to decide.
   * Rejects with CONNECT_FAILED or another code that says why, or with the signal's reason.
   */
  connect(
    parent: Connection,
    to: { readonly address: string; readonly port: number },
    options: SecondaryOptions & { readonly signal?: AbortSignal },
  ): Promise<Connection>;
}

export interface SecondaryOptions {
  /** From the call to the connection. */
  readonly connectTimeoutMs: number;
  /** Where its limits differ from those of the service. */
  readonly limits?: Partial<ConnectionLimits>;
}

export interface SecondaryListenOptions extends SecondaryOptions {
  /** The first and the last port, both included, tried in random order. By default the system chooses one. */
  readonly ports?: { readonly from: number; readonly to: number } | undefined;
  /** So long to wait for one of the ports when all are taken: they are taken for moments only. Default: not at all. */
  readonly busyPortWaitMs?: number;
  /** Who may connect instead, by address; for peers that come through a NAT with many addresses, or a container's proxy. */
  readonly mayConnect?: (address: string) => boolean;
}

/** A port that waits for one connection, and is closed once it has come. */
export interface SecondaryListener {
  readonly port: number;
  /**
   * The connection, which is the caller's from then on. Rejects with CONNECT_FAILED when none came in time or the
   * listener was closed, and with the signal's reason, which closes the listener. One call.
   */
  accept(signal?: AbortSignal): Promise<Connection>;
  /** Gives up the port, and drops a connection that was not accepted. Safe to call at any time. */
  close(): void;
}

/**
 * Named places, counted over all processes that serve: those that drain too, and a process that ends gives back what it
 * had. For limits of what a protocol knows, such as the sessions of a user, and for what is divided among all.
 */
export interface SharedPlaces {
  /** One of at most `max` places of this name; undefined when all are taken, or the primary that counts is gone. */
  take(name: string, max: number): Promise<Place | undefined>;
  /** One of any number of places of this name, at once. */
  join(name: string): Place;
}

export interface Place {
  /**
   * Which part of all places of this name the places of this process are, from above 0 to 1: what is divided among all,
   * such as a rate, is multiplied by it. It changes, so it is read where it is used. Of a new place it is 1 until
   * the others have been heard of.
   */
  readonly share: number;
  /** Gives the place back. Safe to call twice. */
  release(): void;
}

/** When an address is banned, and for how long. */
export interface BanPolicy {
  /** So many offences that are not forgotten lead to a ban; 0 for never. */
  readonly maxOffences: number;
  /** In so long one offence is forgotten. */
  readonly forgetMs: number;
  readonly banMs: number;
}

/** What a protocol sees of bans: all connections of one service share them. */
export interface AddressBans {
  /** Counts an offence of this address: IPv6 by /64, and never for unix sockets. */
  offend(address: Address): void;
  /** Whether the address is banned now, as far as this process has heard. */
  isBanned(address: Address): boolean;
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
  /**
   * The scheme of its URLs (RFC 3986), as in `http`; over TLS an `s` follows. Without one a server's `url` is the endpoint
   * string.
   */
  readonly urlScheme?: string;
  /** What a port alone means to one that is served over both. Default `tcp`. */
  readonly defaultScheme?: 'tcp' | 'udp';
  readonly connection?: (peer: Connection, context: ServiceContext) => void | Promise<void>;
  readonly open?: (connection: Connection, context: ServiceContext) => Sink;
  readonly datagrams?: (socket: DatagramSocket, context: ServiceContext) => DatagramReceiver;
  /** The names that it offers in TLS (ALPN, RFC 7301). Asked for before it listens, where the server has a certificate. */
  readonly alpn?: readonly string[];
  /**
   * Whose TLS sessions a client may resume. `server`, the default: those of any connection to this server.
   * `connection`: each connection has sessions of its own, for itself and for what it opens beside it
   * (`Connection.tlsContext`), which `sessionReused` there then proves to be the same client's.
   */
  readonly tlsSessions?: 'server' | 'connection';
  /** What a peer that is turned away hears before the close (FTP: 421, HTTP: 503). */
  readonly refusal?: (reason: Extract<CloseReason, 'address-limit' | 'queue-limit'>) => string | undefined;
  /** When `ServiceContext.bans` bans an address; without it never. */
  readonly bans?: BanPolicy;
  /** Where this protocol's own habits differ from core's defaults. The server's options go before. */
  readonly limits?: Partial<ConnectionLimits>;
  /** The same for its datagram sockets. */
  readonly datagramLimits?: Partial<DatagramLimits>;
}

/**
 * What is known of a protocol by who does not serve it, as a supervisor whose workers do. Protocol packages offer theirs
 * apart (`@wellknown/http/description`), so that such a process need not load a server.
 */
export type ProtocolDescription = Omit<Protocol, 'connection' | 'open' | 'datagrams'>;

/** Says what a protocol is, and gets its types checked. Returns its argument. */
export const defineProtocol = <P extends Protocol>(protocol: P): P => protocol;
