// The options of a server as it works with them: checked once, at the start, with every default in its place.

import { createAccessRules, type AccessRules } from './address/access-rules.ts';
import { CidrTable } from './address/cidr-table.ts';
import type { Clock } from './time/clock.ts';
import { DEFAULT_DATAGRAM_LIMITS, type DatagramLimits } from './datagram/limits.ts';
import type { AcceptStrategy } from './listener/shared-sockets.ts';
import type { ListenTarget } from './address/listen-target.ts';
import { WellknownError } from './errors.ts';
import type { LimitsExchange } from './limits-exchange.ts';
import { memoryBytes } from './kernel/process-limits.ts';
import { consoleLog, LOG_LEVELS, type Logger, type LogLevel } from './log.ts';
import { nearestName, requireKnownNames } from './option-names.ts';
import { graceOf, invalidOption, requireNumbers, requireValues } from './option-values.ts';
import { resolveListen } from './resolved-listen.ts';
import { metricsOf, type ServerMetrics } from './observe/prom-client-adapter.ts';
import type { Protocol } from './protocol.ts';
import { SUPERVISION_OPTION_NAMES, type SupervisionPolicy } from './supervision-policy.ts';
import { systemClock } from './time/system-clock.ts';
import { createTlsContext, type TlsContext } from './connection/tls-context.ts';
import {
  DEFAULT_SERVER_LIMITS,
  SERVER_OPTION_NAMES,
  SERVICE_OPTION_NAMES,
  type DispatchPolicy,
  type Identity,
  type NextSettings,
  type ServerLimits,
  type ServerOptions,
  type Service,
} from './options.ts';

// Node's own 511 overflows in a burst while workers are replaced; Linux caps it at net.core.somaxconn (4096).
const DEFAULT_BACKLOG = 1024;
// Peers alone decide how long they leave what was written for them. The rest of the memory is for the processes
// themselves and for the kernel, which buffers up to some megabytes more for each connection.
const UNSENT_SHARE_OF_MEMORY = 4;
// As most supervisors: long enough for a download in flight to end well, short enough for a deployment to wait.
const DEFAULT_DRAIN_TIMEOUT_MS = 30_000;

const ALL_STRATEGIES: Readonly<Record<AcceptStrategy, true>> = {
  inherit: true,
  'inherit-shared': true,
  'inherit-sharded': true,
  dispatch: true,
  'cluster-rr': true,
};
const ALL_DISPATCH_POLICIES: Readonly<Record<DispatchPolicy, true>> = {
  'round-robin': true,
  'least-connections': true,
  'source-hash': true,
};

export interface ResolvedService {
  readonly name: string;
  readonly revision: string | undefined;
  readonly release: (() => void) | undefined;
  readonly protocol: Protocol;
  readonly listen: readonly ListenTarget[];
  readonly limits: ServerLimits;
  readonly datagramLimits: DatagramLimits;
  readonly tls: TlsContext | undefined;
  readonly access: AccessRules | undefined;
  readonly proxies: CidrTable<true> | undefined;
}

/** As a primary numbers them over its reloads: undefined for a number that is free. */
export type NumberedServices = readonly (ResolvedService | undefined)[];

/** Some of the options, with services by their numbers. */
export type Numbered<Option extends keyof ResolvedOptions> = Pick<ResolvedOptions, Option> & {
  readonly services: NumberedServices;
};

export interface ResolvedOptions {
  readonly services: readonly ResolvedService[];
  readonly workers: number | 'auto';
  readonly log: Logger;
  readonly metrics: ServerMetrics | undefined;
  readonly limitsExchange: LimitsExchange | undefined;
  readonly clock: Clock;
  readonly backlog: number;
  readonly maxUnsentBytesTotal: number;
  readonly drainTimeoutMs: number;
  readonly runAs: Identity | undefined;
  readonly loadProtocols: (() => Promise<readonly Protocol[]>) | undefined;
  readonly unixMode: number | undefined;
  readonly replaceUnixPath: boolean;
  readonly keepUnixPath: (() => boolean) | undefined;
  readonly accept: AcceptStrategy;
  readonly dispatch: DispatchPolicy;
  readonly policy: Partial<SupervisionPolicy>;
  readonly workerData: unknown;
  readonly nextServices: (() => Promise<ResolvedNext>) | undefined;
}

export interface ResolvedNext extends Pick<ResolvedOptions, 'services' | 'workerData'> {
  readonly workers: number | 'auto' | undefined;
  readonly settings: ResolvedNextSettings | undefined;
  readonly kept: readonly string[];
  readonly succeeded: (() => void) | undefined;
}

export interface ResolvedNextSettings extends Pick<ResolvedOptions, 'policy' | 'drainTimeoutMs'> {
  readonly logLevel: LogLevel | undefined;
}

/** What a server has that serves by no protocol: all but its services. */
export type ServerSettings = Omit<ResolvedOptions, 'services' | 'nextServices'>;

/**
 * Checks everything a caller may get wrong, before anything is bound or forked. Throws OPTION_INVALID or
 * ENDPOINT_INVALID.
 */
export function resolveOptions(services: Service | readonly Service[], options: ServerOptions): ResolvedOptions {
  const list: readonly Service[] = Array.isArray(services) ? services : [services as Service];
  list.forEach(requireService);
  // Options that came with a `listen`, passed on as they are, lose nothing where each service has one.
  const hasListen = list.every(({ listen }) => listen !== undefined);
  requireKnownNames('option', options, hasListen ? [...SERVER_OPTION_NAMES, 'listen'] : SERVER_OPTION_NAMES);
  const settings = resolveSettings(options);
  const shared = {
    tls: resolveTls(options.tls),
    access: resolveAccess(options),
    proxies: resolveProxies(options.proxyProtocol),
  };
  const resolve = (one: NamedService): ResolvedService => resolveService(one, options, sharedOf(one, shared));
  const { nextServices } = options;
  return {
    ...settings,
    services: namedApart(list).map(resolve),
    nextServices:
      nextServices &&
      (async () => {
        const next = await nextServices();
        const { workerData, workers, succeeded, kept = [] } = next;
        const settings = next.settings && resolveNextSettings(next.settings);
        return { services: namedApart(next.services).map(resolve), workerData, workers, kept, succeeded, settings };
      }),
  };
}

type NamedService = Service & { readonly name: string };

/**
 * By its name a service is known in logs, status, metrics and at a reload. Those that have none of their own are numbered
 * where they speak one protocol: `echo`, `echo-2`. Throws OPTION_INVALID for a name that was given twice.
 */
function namedApart(services: readonly Service[]): readonly NamedService[] {
  const names = new Set<string>();
  for (const { name } of services) {
    if (name === undefined) continue;
    if (names.has(name)) throw invalidOption('name', name, 'a name that no other service has');
    names.add(name);
  }
  return services.map((service) => {
    if (service.name !== undefined) return { ...service, name: service.name };
    const { name: base } = service.protocol;
    let name = base;
    for (let number = 2; names.has(name); number += 1) name = `${base}-${number}`;
    names.add(name);
    return { ...service, name };
  });
}

/** The part of `resolveOptions` that needs no protocol. Throws OPTION_INVALID. */
export function resolveSettings(options: ServerOptions): ServerSettings {
  requireValues(options);
  requireLimits(options);
  requireChoice('accept', options.accept, ALL_STRATEGIES);
  requireChoice('dispatch', options.dispatch, ALL_DISPATCH_POLICIES);
  const { policy, drainTimeoutMs } = resolvePolicy(options);
  return {
    workers: options.workers ?? 0,
    log: options.log ?? consoleLog,
    metrics: options.metrics === undefined ? undefined : metricsOf(options.metrics),
    limitsExchange: options.limitsExchange,
    clock: options.clock ?? systemClock,
    backlog: options.backlog ?? DEFAULT_BACKLOG,
    maxUnsentBytesTotal: options.maxUnsentBytesTotal ?? Math.floor(memoryBytes() / UNSENT_SHARE_OF_MEMORY),
    drainTimeoutMs,
    runAs: options.runAs,
    loadProtocols: options.loadProtocols,
    unixMode: options.unixMode,
    replaceUnixPath: options.replaceUnixPath ?? false,
    keepUnixPath: options.keepUnixPath,
    accept: options.accept ?? 'inherit',
    dispatch: options.dispatch ?? 'least-connections',
    workerData: options.workerData,
    policy,
  };
}

function resolvePolicy({
  supervision = {},
  drainTimeoutMs = DEFAULT_DRAIN_TIMEOUT_MS,
}: Pick<ServerOptions, 'supervision' | 'drainTimeoutMs'>): Pick<ResolvedOptions, 'policy' | 'drainTimeoutMs'> {
  requireKnownNames('option of supervision', supervision, SUPERVISION_OPTION_NAMES);
  requireNumbers('supervision', supervision, ['spare']);
  const graceMs = graceOf({}, drainTimeoutMs);
  return { policy: { ...supervision, drainTimeoutMs: graceMs }, drainTimeoutMs: graceMs };
}

function resolveNextSettings(settings: NextSettings): ResolvedNextSettings {
  const { logLevel } = settings;
  if (logLevel !== undefined && !LOG_LEVELS.includes(logLevel))
    throw invalidOption('logLevel', logLevel, LOG_LEVELS.join(', '));
  return { ...resolvePolicy(settings), logLevel };
}

function requireChoice(name: string, given: string | undefined, allowed: Readonly<Record<string, true>>): void {
  if (given === undefined || Object.hasOwn(allowed, given)) return;
  const names = Object.keys(allowed);
  const near = typeof (given as unknown) === 'string' ? nearestName(given, names) : undefined;
  throw invalidOption(name, given, `${names.join(', ')}${near === undefined ? '' : `; meant may be '${near}'`}`);
}

type Shared = Pick<ResolvedService, 'tls' | 'access' | 'proxies'>;

/** What a service says itself goes before what all of them have. */
function sharedOf({ tls, allow, deny, proxyProtocol }: Service, shared: Shared): Shared {
  return {
    tls: tls === undefined ? shared.tls : resolveTls(tls),
    access:
      allow === undefined && deny === undefined
        ? shared.access
        : resolveAccess({ ...(allow && { allow }), ...(deny && { deny }) }),
    proxies: proxyProtocol === undefined ? shared.proxies : resolveProxies(proxyProtocol),
  };
}

function resolveTls(tls: ServerOptions['tls']): TlsContext | undefined {
  return tls === undefined || 'socketOptions' in tls ? tls : createTlsContext(tls);
}

/** The rules for addresses; undefined where there are none. Throws OPTION_INVALID. */
export function resolveAccess({
  allow = [],
  deny = [],
}: Pick<ServerOptions, 'allow' | 'deny'>): AccessRules | undefined {
  if (allow.length === 0 && deny.length === 0) return undefined;
  const rules = createAccessRules({ allow, deny });
  if (!rules.ok) throw new WellknownError('OPTION_INVALID', rules.error, { fault: 'local' });
  return rules.value;
}

function resolveProxies(ranges: readonly string[] = []): CidrTable<true> | undefined {
  if (ranges.length === 0) return undefined;
  const table = new CidrTable<true>();
  for (const range of ranges) {
    const added = table.add(range, true);
    if (!added.ok) throw new WellknownError('OPTION_INVALID', `proxyProtocol: ${added.error}`, { fault: 'local' });
  }
  return table;
}

const isService = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && 'protocol' in given && typeof given.protocol === 'object';

/** The compiler knows it; for JavaScript a misspelt limit would be none, and a misspelt rule let everybody in. */
function requireService(service: Service): void {
  if (!isService(service))
    throw invalidOption('protocol', service, 'a service: { protocol, listen }, or a list of them');
  requireKnownNames('option of a service', service, SERVICE_OPTION_NAMES);
  requireLimits(service);
}

function requireLimits({ limits = {}, datagramLimits = {} }: Pick<ServerOptions, 'limits' | 'datagramLimits'>): void {
  requireKnownNames('limit', limits, Object.keys(DEFAULT_SERVER_LIMITS));
  requireKnownNames('datagram limit', datagramLimits, Object.keys(DEFAULT_DATAGRAM_LIMITS));
  requireNumbers('limits', limits);
  requireNumbers('datagramLimits', datagramLimits);
}

function resolveService(service: NamedService, options: ServerOptions, shared: Shared): ResolvedService {
  const { protocol, listen, name } = service;
  const endpoints = resolveListen(listen, protocol, shared.tls !== undefined);
  if (shared.proxies !== undefined && endpoints.every(({ scheme }) => scheme === 'udp')) {
    throw new WellknownError(
      'OPTION_INVALID',
      `proxyProtocol: ${name} listens for datagrams only, which have no PROXY header`,
      { fault: 'local' },
    );
  }
  return {
    name,
    revision: service.revision,
    release: service.release,
    protocol,
    ...shared,
    listen: endpoints,
    limits: { ...DEFAULT_SERVER_LIMITS, ...protocol.limits, ...options.limits, ...service.limits },
    datagramLimits: {
      ...DEFAULT_DATAGRAM_LIMITS,
      ...protocol.datagramLimits,
      ...options.datagramLimits,
      ...service.datagramLimits,
    },
  };
}
