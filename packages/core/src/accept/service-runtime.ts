// One service as one process serves it: its registry, its acceptor and its datagram sockets.

import type dgram from 'node:dgram';
import type net from 'node:net';
import { ServiceBans } from './address-bans.ts';
import { acceptRates } from './address-rates.ts';
import type { BeyondQuota } from './address-ledger.ts';
import { Acceptor } from './acceptor.ts';
import { closeConnection } from './close-connection.ts';
import { pairOf, type ConnectionSource } from './connection-listing.ts';
import { traitsOf, type ListenerTraits } from './accept-handler.ts';
import type { Leases } from './admission.ts';
import { ConnectionHandler } from './connection-handler.ts';
import { otherHandlerOf, type OtherMember } from './other-members.ts';
import type { TransportConnection } from '../connection/transport-connection.ts';
import type { ListenerStates } from '../listener/states.ts';
import { NO_DATAGRAMS } from '../datagram/limits.ts';
import { formatEndpoint, type Endpoint } from '../address/endpoint.ts';
import { systemDescriptorBudget } from './descriptor-budget.ts';
import { DrainLog } from './drain-log.ts';
import { logWith } from '../log.ts';
import type { ResolvedService } from '../resolved-options.ts';
import { PendingWork } from './pending-work.ts';
import type { ServiceContext } from '../protocol.ts';
import { Registry, type RegistryLimits } from './registry.ts';
import { ServicePlaces, type PlaceMessages } from './shared-places.ts';
import { ServiceDatagrams } from './service-datagrams.ts';
import { SecondaryConnectionSet } from './secondary-connections.ts';
import { secondarySockets } from './secondary-sockets.ts';
import { NO_CONNECTIONS, type ConnectionPair, type ListenerShare, type ServiceShare } from '../observe/status.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import type { UnsentBudget } from '../connection/unsent-budget.ts';
import type { TokenBucket } from '../time/token-bucket.ts';

// A status is read by people and small programs: the rest is a number.
const MAX_PAIRS = 100;

export interface ServiceRuntimeOptions {
  readonly service: ResolvedService;
  readonly context: Omit<ServiceContext, 'work' | 'secondary' | 'bans' | 'places' | 'hasTls'>;
  readonly wheel: TimerWheel;
  /** What slow readers of all services of this process may hold. */
  readonly unsent: UnsentBudget;
  readonly backlog: number;
  /** What a socket that is taken back has for the answers that it is at work on. */
  readonly drainTimeoutMs: number;
  readonly registryLimits: RegistryLimits;
  readonly states: ListenerStates;
  readonly leases?: Leases;
  /** With a primary that counts named places: speaks to it. */
  readonly places?: PlaceMessages;
  /** With a primary that counts offences: tells it of one. */
  readonly reportOffence?: (key: string) => void;
  /** Others serve too: when this process is full it stops accepting and says so, and again when it has room. */
  readonly pool?: { readonly full: () => void; readonly room: () => void };
}

/** What it serves: connections of its protocol, or what is given away. */
type Member = TransportConnection | OtherMember;

export class ServiceRuntime {
  readonly #options: ServiceRuntimeOptions;
  readonly #registry: Registry<Member>;
  readonly #work = new PendingWork();
  readonly #context: Omit<ServiceContext, 'workerCount'> & { workerCount: number };
  readonly #acceptor: Acceptor<Member>;
  readonly #rate: TokenBucket | undefined;
  readonly #secondary: SecondaryConnectionSet;
  readonly #bans: ServiceBans;
  readonly #drainLog: DrainLog;
  readonly #places: ServicePlaces;
  readonly #endpoints = new Map<number, Endpoint>();
  readonly #traits = new Map<string, ListenerTraits>();
  readonly #whenDrained: (() => void)[] = [];
  #isSuspended = false;
  readonly #datagrams: ServiceDatagrams;

  constructor(options: ServiceRuntimeOptions) {
    this.#options = options;
    this.#registry = new Registry<Member>(options.registryLimits);
    const { service, wheel, backlog, leases, unsent } = options;
    this.#drainLog = new DrainLog(service.name, options.context.log);
    this.#secondary = new SecondaryConnectionSet({
      network: secondarySockets,
      clock: options.context.clock,
      wheel,
      limits: service.limits,
      unsent,
      proxies: service.proxies,
      registry: this.#registry,
      cut: (connections) => this.#drainLog.cuts(connections),
    });
    this.#bans = new ServiceBans({
      service: service.name,
      policy: service.protocol.bans,
      clock: options.context.clock,
      log: options.context.log,
      report: options.reportOffence,
    });
    this.#places = new ServicePlaces(options.places);
    const context = {
      ...options.context,
      log: logWith(options.context.log, { service: service.name }),
      hasTls: service.tls !== undefined,
      work: this.#work,
      secondary: this.#secondary,
      bans: this.#bans,
      places: this.#places,
    };
    this.#context = context;
    this.#datagrams = new ServiceDatagrams(service, context);
    const descriptors = systemDescriptorBudget();
    const { rate, addressRates } = acceptRates(service.limits, context.workerCount, context.clock.nowMs());
    this.#rate = rate;
    const otherHandler = otherHandlerOf(service.protocol);
    this.#acceptor = new Acceptor<Member>({
      log: context.log,
      clock: context.clock,
      registry: this.#registry,
      handler:
        otherHandler?.({ log: context.log, clock: context.clock, openOf: (key) => this.#registry.openOf(key) }) ??
        new ConnectionHandler({
          protocol: service.protocol,
          context,
          wheel,
          limits: service.limits,
          tls: service.tls,
          unsent,
          proxies: service.proxies,
        }),
      backlog,
      cut: (connections) => this.#drainLog.cuts(connections),
      ...(service.access === undefined ? {} : { access: service.access }),
      ...(rate === undefined ? {} : { rate }),
      // With other workers it is the primary that counts an address.
      ...(leases !== undefined ? { leases } : addressRates === undefined ? {} : { addressRates }),
      ...(descriptors === undefined ? {} : { descriptors }),
      ...(options.pool === undefined ? {} : { onFull: () => this.#suspendAll(), onRoom: () => this.#tellRoom() }),
    });
  }

  /** Serves on a bound stream socket. Called again for the same listener after a suspension. */
  async listenStream(listener: number, endpoint: Endpoint, handle: net.Socket): Promise<void> {
    this.#appears(listener, endpoint);
    await this.#acceptor.listen(listener, handle, this.#traitsFor(endpoint));
    this.#options.states.move(listener, 'listening');
    // It may have filled up while the socket was on its way.
    if (this.#options.pool === undefined || !this.#registry.isFull) return;
    this.#suspend(listener);
    this.#suspendAll();
  }

  /** Serves on a listener that node:cluster shares out over the workers. */
  async listenThroughCluster(listener: number, endpoint: Endpoint): Promise<void> {
    this.#appears(listener, endpoint);
    const address =
      endpoint.scheme === 'unix'
        ? { path: endpoint.abstract ? `\0${endpoint.path}` : endpoint.path }
        : { host: endpoint.host, port: endpoint.port };
    await this.#acceptor.listen(listener, address, this.#traitsFor(endpoint));
    this.#options.states.move(listener, 'listening');
  }

  listenDatagrams(listener: number, endpoint: Endpoint, socket: dgram.Socket): void {
    this.#appears(listener, endpoint);
    this.#datagrams.serve(listener, formatEndpoint(endpoint), socket);
    this.#options.states.move(listener, 'listening');
  }

  async drain(graceMs: number): Promise<void> {
    const { states } = this.#options;
    const { clock, log } = this.#context;
    for (const listener of this.#endpoints.keys()) states.move(listener, 'draining');
    this.#drainLog.waitsFor([...this.#registry.connections(), ...this.#secondary.connections()], graceMs);
    const accepted = this.#acceptor.drain(graceMs);
    const givenUp = await this.#work.drain(
      graceMs,
      clock,
      Promise.all([accepted, this.#secondary.drain(graceMs, accepted), this.#datagrams.drain(graceMs)]),
    );
    if (givenUp > 0)
      log.warn(
        { service: this.#options.service.name, count: givenUp },
        'work that outlived its connections was given up at the drain deadline',
      );
    for (const listener of this.#endpoints.keys()) states.move(listener, 'closed');
    for (const resolve of this.#whenDrained.splice(0)) resolve();
  }

  /** Accepts no more; resolves once it has drained, which it does when it is idle or told to. */
  endWhenIdle(): Promise<void> {
    for (const listener of [...this.#endpoints.keys()]) this.unlisten(listener);
    return new Promise((resolve) => {
      this.#whenDrained.push(resolve);
      this.endIfIdle();
    });
  }

  /** Ends it where nothing is left to wait for. */
  endIfIdle(): void {
    const hasConnections = this.#registry.openCount > 0 || this.#secondary.connections().size > 0;
    if (!hasConnections && this.#work.isDone && this.#datagrams.isIdle) void this.drain(0);
  }

  /** What it listens on now. */
  endpoints(): string[] {
    return [...this.#endpoints.values()].map(formatEndpoint);
  }

  /** What was counted here so far; plain values, ready to be sent to a primary. */
  share(): ServiceShare {
    const connections = this.#registry.counters();
    const datagrams = this.#datagrams.counters();
    const listeners = [...new Set([...connections.keys(), ...datagrams.keys()])].map((endpoint): ListenerShare => ({
      endpoint,
      connections: connections.get(endpoint) ?? NO_CONNECTIONS,
      datagrams: datagrams.get(endpoint) ?? NO_DATAGRAMS,
    }));
    return { listeners, counters: { ...this.#context.counters } };
  }

  /** The primary has banned an address. */
  banned(key: string, forMs: number): void {
    this.#bans.banned(key, forMs);
  }

  /** The primary has counted the places of this name. */
  placesTold(name: string, total: number): void {
    this.#places.told(name, total);
  }

  /** There are more processes now, or fewer: other shares of what all of them may have. */
  resize(maxConnections: number, workerCount: number): void {
    const {
      service: { limits },
      context: { clock },
    } = this.#options;
    this.#rate?.change({ perSecond: limits.maxAcceptsPerSecond / workerCount }, clock.nowMs());
    this.#context.workerCount = workerCount;
    this.#registry.resize(maxConnections);
    this.#acceptor.resized();
  }

  /** Another free quota for each address. What is open beyond it, the ledger has to count from now on. */
  changeQuota(free: number): BeyondQuota {
    return this.#registry.changeQuota(free);
  }

  /** Stops accepting from one socket; its connections stay. */
  unlisten(listener: number): void {
    if (!this.#datagrams.takeBack(listener, this.#options.drainTimeoutMs)) this.#acceptor.suspend(listener);
    this.#endpoints.delete(listener);
    this.#options.states.move(listener, 'closed');
  }

  /** It has said that it is full, and not yet that it has room again. */
  get isFull(): boolean {
    return this.#isSuspended;
  }

  /** Serves a connection that another process has accepted. */
  adopt(socket: net.Socket, endpoint: Endpoint): void {
    this.#acceptor.adopt(socket, this.#traitsFor(endpoint));
  }

  /** The open connections, those of listeners before secondary ones. */
  connections(): readonly ConnectionSource[] {
    const service = this.#options.service.name;
    const secondary = this.#secondary.connections();
    return [
      { service, count: this.#registry.openCount, connections: this.#registry.connections() },
      { service, count: secondary.size, connections: secondary },
    ];
  }

  /** The first of them. */
  pairs(): ConnectionPair[] {
    const pairs: ConnectionPair[] = [];
    for (const { connections } of this.connections()) {
      for (const connection of connections) {
        if (pairs.length >= MAX_PAIRS) return pairs;
        pairs.push(pairOf(connection));
      }
    }
    return pairs;
  }

  /** Ends one of them (see close-connection.ts); false where there is none of this number. */
  async closeConnection(id: number, graceMs: number): Promise<boolean> {
    for (const connections of [this.#registry.connections(), this.#secondary.connections()]) {
      for (const connection of connections) {
        if (connection.id !== id) continue;
        if ('reset' in connection) await closeConnection(connection, graceMs, this.#context.clock);
        else {
          // Whoever has it is told to end; there is no other word for it.
          connection.destroy('operator');
          await connection.closed;
        }
        return true;
      }
    }
    return false;
  }

  #appears(listener: number, endpoint: Endpoint): void {
    this.#endpoints.set(listener, endpoint);
    this.#options.states.appears(listener, this.#options.service.name, formatEndpoint(endpoint));
  }

  #traitsFor(endpoint: Endpoint): ListenerTraits {
    const name = formatEndpoint(endpoint);
    const known = this.#traits.get(name);
    if (known !== undefined) return known;
    const traits: ListenerTraits = { ...traitsOf(endpoint), tally: this.#registry.listener(name) };
    this.#traits.set(name, traits);
    return traits;
  }

  #suspend(listener: number): void {
    this.#acceptor.suspend(listener);
    this.#options.states.move(listener, 'suspended');
  }

  #suspendAll(): void {
    if (this.#isSuspended) return;
    this.#isSuspended = true;
    for (const [listener, endpoint] of this.#endpoints) if (endpoint.scheme !== 'udp') this.#suspend(listener);
    this.#options.pool?.full();
  }

  #tellRoom(): void {
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    this.#options.pool?.room();
  }
}
