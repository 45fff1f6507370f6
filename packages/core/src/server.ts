// What every server can be asked to do, whatever its role.

import { formatEndpoint, type Endpoint } from './address/endpoint.ts';
import { WellknownError } from './errors.ts';
import { serverChannel } from './diagnostics.ts';
import type { LogLevel } from './log.ts';
import type { ConnectionFilter, ConnectionPage } from './observe/open-connections.ts';
import type { ServerState, ServerStatus } from './observe/status.ts';

/** A listener as it really is: with the port that the kernel gave. */
export interface BoundEndpoint {
  /** The name of the protocol that is served there. */
  readonly service: string;
  readonly endpoint: Endpoint;
  /** The text form: `tcp://127.0.0.1:8080`. */
  readonly url: string;
}

export const boundEndpoint = (service: string, endpoint: Endpoint): BoundEndpoint => ({
  service,
  endpoint,
  url: formatEndpoint(endpoint),
});

/** What `listen` rejects with on a server that was closed before it had come so far. */
export const closedBeforeReady = (): WellknownError =>
  new WellknownError('WRONG_STATE', 'the server was closed before it was ready', { fault: 'local' });

/** What a reload has done. */
export interface Reloaded {
  /**
   * What it has found changed and has not taken, by name: that takes an upgrade or a new start. Of a configuration these are
   * keys, such as `admin`; `code` where there are no workers to run it.
   */
  readonly kept: readonly string[];
}

/** The same in words. */
export const reloadedText = ({ kept }: Reloaded): string =>
  kept.length === 0 ? 'reloaded' : `reloaded; kept until a restart: ${kept.join(', ')}`;

/** The verbs that every server has. */
export interface Server extends AsyncDisposable {
  /**
   * `standalone`: serves in this process. `primary`: owns the sockets and supervises. `worker`: a process that the primary
   * forked; it runs the same program and serves what the primary assigns to it.
   */
  readonly role: 'standalone' | 'primary' | 'worker';
  /**
   * Where its first service is reached from this machine, once `listen` has resolved: `http://127.0.0.1:8080`,
   * `ftps://localhost:990` (all addresses), `unix:/run/web.sock`.
   */
  readonly url?: string | undefined;
  /** The port in it, the real one where 0 was asked for. */
  readonly port?: number | undefined;
  /** Binds, starts, and resolves once every worker accepts. Rejects with a WellknownError that says what to do. */
  listen(): Promise<readonly BoundEndpoint[]>;
  /**
   * Stops accepting, lets work in flight finish for at most `graceMs` (default: the drain timeout; Infinity: as long as it
   * takes), then ends. Safe to call twice: the shorter grace wins. While `listen` has not resolved, that rejects with
   * WRONG_STATE, and nothing stays bound. Rejects with OPTION_INVALID for a grace that is no time.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
  /**
   * A worker that does not answer is waited for up to a second; of it what it told last is known. `asksWorkers: false`: that
   * of all of them, and nothing is waited for.
   */
  status(options?: { readonly asksWorkers?: boolean }): Promise<ServerStatus>;
  /**
   * The open connections, a page at a time, worker by worker. The next ones are looked for when they are asked for, a bounded
   * number of them, so that many of them hold no worker up. What opens meanwhile may be missing. Throws OPTION_INVALID for a
   * service that there is not, or a range that is none.
   */
  connections(which?: ConnectionFilter): AsyncGenerator<ConnectionPage, void, undefined>;
  /**
   * Ends one connection by the `id` that it has in `connections`. Its protocol is told to finish what is in flight, as in a
   * drain, and after `graceMs` (default: the drain timeout) it is cut; with 0 the peer sees a reset at once. Resolves with
   * true once it is no more, with false where there is none of this id or its worker does not answer.
   */
  closeConnection(id: string, options?: { readonly graceMs?: number }): Promise<boolean>;
  /**
   * The log level, or with an argument another one from now on, in all processes and in the workers that start later. It
   * needs a logger whose `level` can be set, as pino's; others reject with WRONG_STATE. A successor of `upgrade` begins with
   * what it is told at its start.
   */
  logLevel(level?: LogLevel): Promise<string>;
  /** Resolves when the server has ended; rejects when supervision has given up. */
  readonly ended: Promise<void>;
  /**
   * Adds or removes workers, so many or until there are so many, from 1 to 1024. Only a primary has any. Resolves once there
   * are as many as there should be and each is ready, with how many those are: others than were asked for where another
   * call, or `spare`, has moved the number meanwhile. Rejects with OPTION_INVALID for another number, and when a new one
   * ends before it is ready; that is tried again nevertheless.
   */
  scale(by: number | { readonly to: number }): Promise<number>;
  /**
   * Replaces every worker, one after the other, by one that runs the program as it is on disk now; each successor is
   * ready before its predecessor drains. Rejects, with the old workers serving on, when a new one ends before it is
   * ready. A server that runs programs looks for its program again, for the next connections; those that run go on.
   * Another one without workers rejects.
   */
  reload(): Promise<Reloaded>;
  /**
   * Starts the program anew as a process that inherits the listening sockets, and drains this one once that is ready.
   * Resolves with its process id. Rejects, with this one serving on, when it does not become ready.
   */
  upgrade(): Promise<number>;
}

/**
 * The same server with other verbs in the place of some. Spreading one would take `url` and `port` as they are at that
 * moment.
 */
export const withVerbs = (server: Server, verbs: Partial<Server>): Server =>
  Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(server),
      ...Object.getOwnPropertyDescriptors(verbs),
    },
  ) as Server;

/** The same server, which knows its `url` and `port` once it listens. `urlScheme` is that of its first service. */
export function withAddress(server: Server, urlScheme: string | undefined): Server {
  let first: BoundEndpoint | undefined;
  return withVerbs(server, {
    get url() {
      return first === undefined ? undefined : urlOf(first, urlScheme);
    },
    get port() {
      return first === undefined || first.endpoint.scheme === 'unix' ? undefined : first.endpoint.port;
    },
    async listen() {
      const endpoints = await server.listen();
      [first] = endpoints;
      return endpoints;
    },
  });
}

function urlOf({ endpoint, url }: BoundEndpoint, urlScheme: string | undefined): string {
  if (endpoint.scheme === 'unix' || endpoint.scheme === 'udp' || urlScheme === undefined) return url;
  const isEverywhere = ['', '::', '0.0.0.0'].includes(endpoint.host);
  const authority = formatEndpoint({ ...endpoint, host: isEverywhere ? 'localhost' : endpoint.host });
  return `${urlScheme}${endpoint.scheme === 'tls' ? 's' : ''}${authority.slice(authority.indexOf(':'))}`;
}

/** What `wellknown:server` carries. */
export interface ServerEventMessage {
  readonly role: Server['role'];
  /**
   * After `reloading` and `upgrading` it is `listening` again, whether that succeeded (the log tells) or not; after an
   * upgrade it drains.
   */
  readonly to: ServerState;
}

export function publishServer(role: ServerEventMessage['role'], to: ServerEventMessage['to']): void {
  if (serverChannel.hasSubscribers) serverChannel.publish({ role, to } satisfies ServerEventMessage);
}
