// What every server takes, with the defaults and their reasons. Validated once, at the start.

import type { ArbiterPolicy } from './arbiter.ts';
import type { Clock } from './clock.ts';
import { DEFAULT_CONNECTION_LIMITS, type ConnectionLimits } from './connection.ts';
import { parseEndpoint, type Endpoint } from './endpoint.ts';
import { WellknownError } from './errors.ts';
import { silentLog, type Logger } from './log.ts';
import type { Protocol } from './protocol.ts';
import { systemClock } from './system-clock.ts';

/** A protocol and where it listens. */
export interface Service {
  readonly protocol: Protocol;
  /** Endpoint strings. Default: the protocol's well-known port on 127.0.0.1. */
  readonly listen?: string | readonly string[];
}

export interface ServerLimits extends ConnectionLimits {
  /** Connections open at once, for each service over all workers. The next ones wait in the queue. */
  readonly maxConnections: number;
  /** Connections of one address (IPv6: of one /64) at once, for each service over all workers. The next one is turned away. */
  readonly maxConnectionsPerAddress: number;
}

export interface ServerOptions {
  /** Processes that serve: a number, `auto` (one for each available core), or 0 for this process alone. Default 0. */
  readonly workers?: number | 'auto';
  readonly limits?: Partial<ServerLimits>;
  readonly log?: Logger;
  readonly clock?: Clock;
  /** Connections that the kernel queues before they are accepted. */
  readonly backlog?: number;
  /** How long work in flight may take once the server closes. */
  readonly drainTimeoutMs?: number;
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  ...DEFAULT_CONNECTION_LIMITS,
  // About 100 MB of idle connections; raise it together with the file-descriptor limit.
  maxConnections: 10_000,
  // One address may hold a tenth of the whole. Enough for a household or a proxy, too little to shut the others out.
  maxConnectionsPerAddress: 1_000,
};

// Node's own 511 overflows in a burst while workers are replaced; Linux caps it at net.core.somaxconn (4096).
const DEFAULT_BACKLOG = 1024;
// As most supervisors: long enough for a download in flight to end well, short enough for a deployment to wait.
const DEFAULT_DRAIN_TIMEOUT_MS = 30_000;

export interface ResolvedService {
  readonly protocol: Protocol;
  readonly listen: readonly Endpoint[];
  readonly limits: ServerLimits;
}

export interface ResolvedOptions {
  readonly services: readonly ResolvedService[];
  readonly workers: number | 'auto';
  readonly log: Logger;
  readonly clock: Clock;
  readonly backlog: number;
  readonly drainTimeoutMs: number;
  readonly policy: Partial<ArbiterPolicy>;
}

/** Checks everything a caller may get wrong, before anything is bound or forked. Throws OPTION_INVALID or ENDPOINT_INVALID. */
export function resolveOptions(services: Service | readonly Service[], options: ServerOptions): ResolvedOptions {
  const list: readonly Service[] = 'protocol' in services ? [services] : services;
  const workers = options.workers ?? 0;
  if (workers !== 'auto' && (!Number.isInteger(workers) || workers < 0)) throw invalid('workers', workers, "a whole number from 0, or 'auto'");
  for (const [name, value] of Object.entries(options.limits ?? {})) {
    if (Number.isNaN(value) || value < 0) throw invalid(`limits.${name}`, value, 'a number from 0');
  }
  return {
    services: list.map((service) => resolveService(service, options)),
    workers,
    log: options.log ?? silentLog,
    clock: options.clock ?? systemClock,
    backlog: options.backlog ?? DEFAULT_BACKLOG,
    drainTimeoutMs: options.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS,
    policy: options.drainTimeoutMs === undefined ? {} : { drainTimeoutMs: options.drainTimeoutMs },
  };
}

function resolveService({ protocol, listen }: Service, options: ServerOptions): ResolvedService {
  const scheme = protocol.open === undefined && protocol.connection === undefined ? 'udp' : 'tcp';
  const texts = listen === undefined ? [`${scheme}://127.0.0.1:${protocol.port}`] : typeof listen === 'string' ? [listen] : listen;
  const endpoints = texts.map((text) => {
    const endpoint = parseEndpoint(text);
    if (!endpoint.ok) throw new WellknownError('ENDPOINT_INVALID', endpoint.error.message, { fault: 'local' });
    const served = endpoint.value.scheme === 'udp' ? protocol.datagrams !== undefined : protocol.open !== undefined || protocol.connection !== undefined;
    if (!served) throw new WellknownError('ENDPOINT_INVALID', `endpoint '${text}': ${protocol.name} is not served over ${endpoint.value.scheme}`, { fault: 'local' });
    return endpoint.value;
  });
  return { protocol, listen: endpoints, limits: { ...DEFAULT_SERVER_LIMITS, ...protocol.limits, ...options.limits } };
}

const invalid = (name: string, given: unknown, allowed: string): WellknownError =>
  new WellknownError('OPTION_INVALID', `option '${name}' is ${String(given)}, allowed is ${allowed}`, { fault: 'local' });
