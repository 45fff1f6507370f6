// One service as one process serves it: its registry, its acceptor and its datagram sockets.

import type dgram from 'node:dgram';
import type net from 'node:net';
import type { AccessRules } from './access-rules.ts';
import { AcceptRate, AddressRates } from './accept-rate.ts';
import { formatAddress } from './address.ts';
import { Acceptor, type Leases, type ListenerTraits } from './acceptor.ts';
import { isIpv4, isIpv6, type Address } from './address.ts';
import { addDatagramCounters, NO_DATAGRAMS, type DatagramCounters } from './datagram-limits.ts';
import { serveDatagrams, type DatagramService } from './datagram-socket.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';
import { systemDescriptorBudget } from './process-limits.ts';
import type { ResolvedService, ServerLimits } from './options.ts';
import { PendingWork } from './pending-work.ts';
import type { Protocol, ServiceContext } from './protocol.ts';
import { Registry, type RegistryLimits } from './registry.ts';
import type { ConnectionPair, ServiceStatus } from './status.ts';
import type { TimerWheel } from './timer-wheel.ts';

// A status is read by people and small programs: the rest is a number.
const MAX_PAIRS = 100;

export interface LocalServiceOptions {
  readonly service: ResolvedService;
  readonly context: Omit<ServiceContext, 'work'>;
  readonly wheel: TimerWheel;
  readonly backlog: number;
  readonly registryLimits: RegistryLimits;
  readonly leases?: Leases;
  /** Others serve too: when this process is full it stops accepting and says so, and again when it has room. */
  readonly pool?: { readonly full: () => void; readonly room: () => void };
}

export class LocalService {
  readonly #options: LocalServiceOptions;
  readonly #registry: Registry;
  readonly #work = new PendingWork();
  readonly #context: ServiceContext;
  readonly #acceptor: Acceptor;
  readonly #endpoints = new Map<number, Endpoint>();
  #isSuspended = false;
  readonly #datagrams = new Map<number, DatagramService>();
  /** Of the sockets that were taken back. */
  #pastDatagrams: DatagramCounters = NO_DATAGRAMS;

  constructor(options: LocalServiceOptions) {
    this.#options = options;
    this.#registry = new Registry(options.registryLimits);
    const { service, wheel, backlog, leases } = options;
    const context = { ...options.context, work: this.#work };
    this.#context = context;
    const descriptors = systemDescriptorBudget();
    this.#acceptor = new Acceptor({
      protocol: service.protocol,
      context,
      registry: this.#registry,
      wheel,
      limits: service.limits,
      backlog,
      ...(leases === undefined ? {} : { leases }),
      ...(service.tls === undefined ? {} : { tls: service.tls }),
      ...(service.access === undefined ? {} : { access: service.access }),
      ...(service.proxies === undefined ? {} : { proxies: service.proxies }),
      ...ratesOf(service.limits, context, leases === undefined),
      ...(descriptors === undefined ? {} : { descriptors }),
      ...(options.pool === undefined ? {} : { onFull: () => this.#suspendAll(), onRoom: () => this.#tellRoom() }),
    });
  }

  /** Serves on a bound stream socket. Called again for the same listener after a suspension. */
  async listenStream(listener: number, endpoint: Endpoint, handle: net.Socket): Promise<void> {
    this.#endpoints.set(listener, endpoint);
    await this.#acceptor.listen(listener, handle, traitsOf(endpoint));
    // It may have filled up while the socket was on its way.
    if (this.#options.pool === undefined || !this.#registry.isFull) return;
    this.#acceptor.suspend(listener);
    this.#suspendAll();
  }

  /** Serves on a listener that node:cluster shares out over the workers. */
  async listenThroughCluster(listener: number, endpoint: Endpoint): Promise<void> {
    this.#endpoints.set(listener, endpoint);
    const address = endpoint.scheme === 'unix' ? { path: endpoint.abstract ? `\0${endpoint.path}` : endpoint.path } : { host: endpoint.host, port: endpoint.port };
    await this.#acceptor.listen(listener, address, traitsOf(endpoint));
  }

  listenDatagrams(listener: number, endpoint: Endpoint, socket: dgram.Socket): void {
    this.#endpoints.set(listener, endpoint);
    const { service } = this.#options;
    const protocol = service.access === undefined ? service.protocol : withAccess(service.protocol, service.access);
    this.#datagrams.set(listener, serveDatagrams(socket, protocol, this.#context, service.datagramLimits));
  }

  async drain(graceMs: number): Promise<void> {
    const { clock, log } = this.#context;
    const givenUp = await this.#work.drain(graceMs, clock, Promise.all([this.#acceptor.drain(graceMs), ...[...this.#datagrams.values()].map((socket) => socket.close(graceMs))]));
    if (givenUp > 0) log.warn({ service: this.#options.service.protocol.name, count: givenUp }, 'work that outlived its connections was given up at the drain deadline');
  }

  status(): ServiceStatus {
    const datagrams = [...this.#datagrams.values()].reduce((sum, { counters }) => addDatagramCounters(sum, counters), this.#pastDatagrams);
    return {
      name: this.#options.service.protocol.name,
      endpoints: [...this.#endpoints.values()].map(formatEndpoint),
      connections: this.#registry.counters(),
      // Known to the process that owns the sockets.
      backlog: 0,
      pairs: this.#pairs(),
      datagrams,
      counters: { ...this.#context.counters },
    };
  }

  /** Stops accepting from one socket; its connections stay. */
  unlisten(listener: number): void {
    this.#endpoints.delete(listener);
    const datagrams = this.#datagrams.get(listener);
    if (datagrams === undefined) this.#acceptor.suspend(listener);
    else {
      this.#datagrams.delete(listener);
      this.#pastDatagrams = addDatagramCounters(this.#pastDatagrams, datagrams.counters);
      void datagrams.close();
    }
  }

  /** Serves a connection that another process has accepted. */
  adopt(socket: net.Socket, endpoint: Endpoint): void {
    this.#acceptor.adopt(socket, traitsOf(endpoint));
  }

  #pairs(): ConnectionPair[] {
    const pairs: ConnectionPair[] = [];
    for (const connection of this.#registry.connections()) {
      if (pairs.length >= MAX_PAIRS) break;
      pairs.push({ local: formatAddress(connection.local), remote: formatAddress(connection.remote), state: connection.state });
    }
    return pairs;
  }

  #suspendAll(): void {
    if (this.#isSuspended) return;
    this.#isSuspended = true;
    for (const [listener, endpoint] of this.#endpoints) if (endpoint.scheme !== 'udp') this.#acceptor.suspend(listener);
    this.#options.pool?.full();
  }

  #tellRoom(): void {
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    this.#options.pool?.room();
  }
}

function traitsOf(endpoint: Endpoint): ListenerTraits {
  if (endpoint.scheme === 'unix') return { unixPath: formatEndpoint(endpoint).slice('unix:'.length), tls: false };
  const local = localOf(endpoint);
  return { tls: endpoint.scheme === 'tls', ...(local === undefined ? {} : { local }) };
}

/** A listener on one address has only connections to that address: no need to ask the kernel for each. */
function localOf({ host, port }: Exclude<Endpoint, { scheme: 'unix' }>): Address | undefined {
  if (port === 0 || host === '0.0.0.0' || host === '::') return undefined;
  if (isIpv4(host)) return { family: 'ipv4', address: host, port };
  return isIpv6(host) && !host.includes('%') && !host.toLowerCase().startsWith('::ffff:') ? { family: 'ipv6', address: host, port } : undefined;
}

/** The total rate is split over the workers, as the total of connections is; an address is counted by the primary where there is one. */
function ratesOf(limits: ServerLimits, context: ServiceContext, isAlone: boolean): { readonly rate?: AcceptRate; readonly addressRates?: AddressRates } {
  const { maxAcceptsPerSecond, maxAcceptsPerSecondPerAddress } = limits;
  return {
    ...(maxAcceptsPerSecond > 0 && { rate: new AcceptRate(maxAcceptsPerSecond / context.workerCount, context.clock.nowMs()) }),
    ...(maxAcceptsPerSecondPerAddress > 0 && isAlone && { addressRates: new AddressRates(maxAcceptsPerSecondPerAddress) }),
  };
}

/** Drops datagrams of sources that the rules forbid, before the protocol sees them. */
function withAccess(protocol: Protocol, access: AccessRules): Protocol {
  const { datagrams } = protocol;
  if (datagrams === undefined) return protocol;
  return {
    ...protocol,
    datagrams(socket, context) {
      const receive = datagrams.call(protocol, socket, context);
      return (message, source) => {
        if (access.decide(source.address).allowed) return receive(message, source);
        context.counters.denied = (context.counters.denied ?? 0) + 1;
        return undefined;
      };
    },
  };
}
