// What every server takes, with the defaults and their reasons. Validated once, at the start.

import type { Clock } from './time/clock.ts';
import { DEFAULT_CONNECTION_LIMITS, type ConnectionLimits } from './connection/limits.ts';
import type { DatagramLimits } from './datagram/limits.ts';
import type { AcceptStrategy } from './listener/shared-sockets.ts';
import type { ListenAddress } from './address/listen-target.ts';
import type { LimitsExchange } from './limits-exchange.ts';
import type { Logger, LogLevel } from './log.ts';
import type { MetricsLibrary } from './observe/prom-client-adapter.ts';
import type { Protocol } from './protocol.ts';
import type { SupervisionPolicy } from './supervision-policy.ts';
import type { TlsContext, TlsOptions } from './connection/tls-context.ts';

/** Which worker `dispatch` gives a connection to. */
export type DispatchPolicy = 'round-robin' | 'least-connections' | 'source-hash';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** A protocol and where it listens, with what goes for this service alone: each of these before the server's own. */
export interface Service extends Partial<
  Pick<ServerOptions, 'limits' | 'datagramLimits' | 'tls' | 'proxyProtocol' | 'allow' | 'deny'>
> {
  readonly protocol: Protocol;
  /**
   * Names it in logs, status and metrics: no two have one name. Default: the protocol's, with a number where it is taken
   * (`echo`, `echo-2` in the order of the list). Where a reload adds or removes one of those, the names of those behind it
   * move, so they are other services then and their connections drain: name services that reloads may change.
   */
  readonly name?: string;
  /**
   * Tells whether a reload has changed it: one of the same name and revision goes on with its connections. Without one it is
   * another service each time.
   */
  readonly revision?: string;
  /**
   * Gives back what it has open in this process. Called where a primary has workers, once a reload has left the service and
   * no worker serves it any more, or where the reload has no use for it.
   */
  readonly release?: () => void;
  /**
   * Endpoint strings (`tcp://127.0.0.1:8080`, `unix:/run/web.sock`), ports on 127.0.0.1 (`8080`) or ports and hosts
   * (`{ port: 8080, host: '::' }`). Default: the protocol's well-known port on 127.0.0.1.
   */
  readonly listen?: ListenAddress | readonly ListenAddress[];
}

/** What the workers of the next generation serve. */
export interface NextServices {
  readonly services: readonly Service[];
  /** In the place of `workerData`. */
  readonly workerData?: unknown;
  /** How many workers there should be from now on, where that is another number than before. */
  readonly workers?: number | 'auto' | undefined;
  /** In the place of what the supervisor has. Default: all of it stays. */
  readonly settings?: NextSettings | undefined;
  /** Names of what has changed and only an upgrade or a new start takes: for who asked for the reload. */
  readonly kept?: readonly string[] | undefined;
  /** Called once the reload has succeeded. Until then, and where it fails, what was before goes on. */
  readonly succeeded?: (() => void) | undefined;
}

/** What a supervisor takes from a reload, once that has succeeded. What is left out has its default, but for the log. */
export interface NextSettings extends Pick<ServerOptions, 'supervision' | 'drainTimeoutMs'> {
  /** For all processes, as by `Server.logLevel`. Default: the level stays. */
  readonly logLevel?: LogLevel;
}

export interface ServerLimits extends ConnectionLimits {
  /** Connections open at once, for each service over all workers. The next ones wait in the queue. */
  readonly maxConnections: number;
  /**
   * Connections of one address (IPv6: of one /64) at once, for each service over all workers. The next one is turned
   * away.
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * Connections accepted in a second, for each service over all workers, with a burst of as many. The next ones wait.
   * 0: no matter.
   */
  readonly maxAcceptsPerSecond: number;
  /**
   * Connections that one address (IPv6: one /64) may open in a second, with a burst of as many. The next one is turned
   * away. 0: no matter.
   */
  readonly maxAcceptsPerSecondPerAddress: number;
}

export interface ServerOptions {
  /** Processes that serve: a number, `auto` (one for each available core), or 0 for this process alone. Default 0. */
  readonly workers?: number | 'auto';
  readonly limits?: Partial<ServerLimits>;
  readonly datagramLimits?: Partial<DatagramLimits>;
  /**
   * Shares the limits on addresses and the bans with other machines, as `redisLimits` of `@wellknown/redis-limits` does it.
   * Opened and closed by the server. Default: this machine counts for itself.
   */
  readonly limitsExchange?: LimitsExchange;
  /**
   * Certificates for `tls://` listeners and for protocols that upgrade. A context can be changed while the server runs.
   */
  readonly tls?: TlsOptions | TlsContext;
  /** Ranges of proxies that must send a PROXY header (version 1 or 2) first. What others send is never read as one. */
  readonly proxyProtocol?: readonly string[];
  /**
   * Ranges that may connect. The most specific range of both lists decides; who is in none may, unless there is an
   * `allow`.
   */
  readonly allow?: readonly string[];
  /** Ranges that may not. */
  readonly deny?: readonly string[];
  /** Default `consoleLog`: warnings and errors go to the console. `silentLog` says nothing. */
  readonly log?: Logger;
  /**
   * Where the counters go: prom-client, or what has its shape. In a worker nothing is registered: the primary has the
   * sums.
   */
  readonly metrics?: MetricsLibrary;
  readonly clock?: Clock;
  /** Connections that the kernel queues before they are accepted. */
  readonly backlog?: number;
  /**
   * Bytes that were written for slow readers and wait unsent, over all services and workers; each worker has its share.
   * Beyond it the slowest readers are cut (`unsent-total`). 0: no matter. Default: a quarter of the memory of the
   * machine or container.
   */
  readonly maxUnsentBytesTotal?: number;
  /** How long work in flight may take once the server closes. */
  readonly drainTimeoutMs?: number;
  /** Who the serving processes become once everything is bound. The primary stays what it is. */
  readonly runAs?: Identity;
  /**
   * Asked once by a server without workers, when everything is bound and it has become `runAs`, before it accepts: the
   * protocols to serve instead of those that were given, one for each service in their order. Those are asked for names, ports
   * and limits alone then, so that what is loaded here never has the rights that bind the ports. Where it rejects, so
   * does `listen`. With workers it is not asked: they run as `runAs` from their first line.
   */
  readonly loadProtocols?: () => Promise<readonly Protocol[]>;
  /** The permissions of unix paths; by default those that the umask leaves. */
  readonly unixMode?: number;
  /** Takes a unix path over even from a program that still listens there. */
  readonly replaceUnixPath?: boolean;
  /**
   * Asked when a server without workers closes: true leaves its unix path in place, for a successor that has bound it or
   * will. By default it is removed, unless another socket has the name by then.
   */
  readonly keepUnixPath?: () => boolean;
  /** Default `inherit`. */
  readonly accept?: AcceptStrategy;
  /** Which worker `dispatch` gives a connection to. Default `least-connections`. */
  readonly dispatch?: DispatchPolicy;
  /**
   * Asked at each reload. Services of a name and revision that the server has already are not changed: their sockets stay,
   * and so do their connections, in the workers that have them, for as long as they like; where no service and nothing of
   * `workerData` has changed, all of them drain. Where it rejects, the reload does, and nothing is changed. Without it a reload is for the code alone.
   */
  readonly nextServices?: () => Promise<NextServices>;
  /** What JSON can carry: each worker is given it as it starts, and has it from `readWorkerData`. */
  readonly workerData?: unknown;
  /** When workers are replaced, killed and given up on; what is left out keeps its default. */
  readonly supervision?: Partial<Omit<SupervisionPolicy, 'drainTimeoutMs'>>;
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  ...DEFAULT_CONNECTION_LIMITS,
  // 70 to 400 MB of idle connections, by protocol; raise it together with the file-descriptor limit.
  maxConnections: 10_000,
  // One address may hold a tenth of the whole. Enough for a household or a proxy, too little to shut the others out.
  maxConnectionsPerAddress: 1_000,
  // What is too fast depends on the machine and on who is in front of it.
  maxAcceptsPerSecond: 0,
  maxAcceptsPerSecondPerAddress: 0,
};

// Checked by the compiler to be all of them.
const ALL_SERVICE_OPTIONS: Readonly<Record<keyof Service, true>> = {
  protocol: true,
  name: true,
  revision: true,
  release: true,
  listen: true,
  limits: true,
  datagramLimits: true,
  tls: true,
  proxyProtocol: true,
  allow: true,
  deny: true,
};
export const SERVICE_OPTION_NAMES: readonly string[] = Object.keys(ALL_SERVICE_OPTIONS);

const ALL_SERVER_OPTIONS: Readonly<Record<keyof ServerOptions, true>> = {
  workers: true,
  limits: true,
  datagramLimits: true,
  limitsExchange: true,
  tls: true,
  proxyProtocol: true,
  allow: true,
  deny: true,
  log: true,
  metrics: true,
  clock: true,
  backlog: true,
  maxUnsentBytesTotal: true,
  drainTimeoutMs: true,
  runAs: true,
  loadProtocols: true,
  unixMode: true,
  replaceUnixPath: true,
  keepUnixPath: true,
  accept: true,
  dispatch: true,
  supervision: true,
  workerData: true,
  nextServices: true,
};
/** The options that every server takes, for one that has more. */
export const SERVER_OPTION_NAMES: readonly string[] = Object.keys(ALL_SERVER_OPTIONS);
