// One service as one process serves it: its registry, its acceptor and its datagram sockets.

import type dgram from 'node:dgram';
import type net from 'node:net';
import { Acceptor, type Leases } from './acceptor.ts';
import { serveDatagrams, type DatagramService } from './datagram-socket.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';
import type { ResolvedService } from './options.ts';
import type { ServiceContext } from './protocol.ts';
import { Registry, type RegistryLimits } from './registry.ts';
import type { ServiceStatus } from './status.ts';
import type { TimerWheel } from './timer-wheel.ts';

export interface LocalServiceOptions {
  readonly service: ResolvedService;
  readonly context: ServiceContext;
  readonly wheel: TimerWheel;
  readonly backlog: number;
  readonly registryLimits: RegistryLimits;
  readonly leases?: Leases;
  /** Called when the registry is full and every listener was suspended: ask for their sockets again with `resume`. */
  readonly onRoom?: (listener: number) => void;
}

export class LocalService {
  readonly #options: LocalServiceOptions;
  readonly #registry: Registry;
  readonly #acceptor: Acceptor;
  readonly #endpoints = new Map<number, Endpoint>();
  readonly #suspended = new Set<number>();
  readonly #datagrams: DatagramService[] = [];

  constructor(options: LocalServiceOptions) {
    this.#options = options;
    this.#registry = new Registry(options.registryLimits);
    const { service, context, wheel, backlog, leases } = options;
    this.#acceptor = new Acceptor({
      protocol: service.protocol,
      context,
      registry: this.#registry,
      wheel,
      limits: service.limits,
      backlog,
      ...(leases === undefined ? {} : { leases }),
      ...(options.onRoom === undefined ? {} : { onFull: () => this.#suspendAll(), onRoom: () => this.#askBack() }),
    });
  }

  /** Serves on a bound stream socket. Called again for the same listener after a suspension. */
  async listenStream(listener: number, endpoint: Endpoint, handle: net.Socket): Promise<void> {
    this.#endpoints.set(listener, endpoint);
    await this.#acceptor.listen(listener, handle, endpoint.scheme === 'unix' ? formatEndpoint(endpoint).slice('unix:'.length) : undefined);
    // It may have filled up while the socket was on its way.
    if (this.#options.onRoom !== undefined && this.#registry.isFull) this.#suspendAll();
  }

  listenDatagrams(listener: number, endpoint: Endpoint, socket: dgram.Socket): void {
    this.#endpoints.set(listener, endpoint);
    this.#datagrams.push(serveDatagrams(socket, this.#options.service.protocol, this.#options.context));
  }

  async drain(graceMs: number): Promise<void> {
    await Promise.all([this.#acceptor.drain(graceMs), ...this.#datagrams.map((socket) => socket.close())]);
  }

  status(): ServiceStatus {
    const datagrams = { received: 0, sent: 0, droppedQueueFull: 0, failed: 0 };
    for (const { counters } of this.#datagrams) {
      datagrams.received += counters.received;
      datagrams.sent += counters.sent;
      datagrams.droppedQueueFull += counters.droppedQueueFull;
      datagrams.failed += counters.failed;
    }
    return {
      name: this.#options.service.protocol.name,
      endpoints: [...this.#endpoints.values()].map(formatEndpoint),
      connections: this.#registry.counters(),
      datagrams,
      counters: { ...this.#options.context.counters },
    };
  }

  #suspendAll(): void {
    for (const [listener, endpoint] of this.#endpoints) {
      if (endpoint.scheme === 'udp' || this.#suspended.has(listener)) continue;
      this.#suspended.add(listener);
      this.#acceptor.suspend(listener);
    }
  }

  #askBack(): void {
    for (const listener of this.#suspended) {
      this.#suspended.delete(listener);
      this.#options.onRoom?.(listener);
    }
  }
}
