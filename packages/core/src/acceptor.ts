// Accepts from one bound socket, asks the registry, and hands the connection on. Its two personalities differ only in what
// they do when the registry is full: a worker stops listening (`onFull`), so that the kernel's queue goes to the others;
// a process that serves alone leaves accepted connections unread until there is room.

import net from 'node:net';
import { formatAddress, limitKey } from './address.ts';
import { Connection, type ConnectionLimits } from './connection.ts';
import type { CloseReason } from './connection-state.ts';
import { createNetTransport } from './net-transport.ts';
import type { Protocol, ServiceContext } from './protocol.ts';
import type { Registry } from './registry.ts';
import { serveConnection } from './serve-connection.ts';
import { listenOnHandle } from './socket-handle.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** Asks the ledger of all workers for a place, and gives it back. */
export interface Leases {
  ask(key: string): Promise<boolean>;
  release(key: string): void;
}

export interface AcceptorOptions {
  readonly protocol: Protocol;
  readonly context: ServiceContext;
  readonly registry: Registry;
  readonly wheel: TimerWheel;
  readonly limits: ConnectionLimits;
  readonly backlog: number;
  readonly leases?: Leases;
  /** The registry has no more room. */
  readonly onFull?: () => void;
  /** A connection has closed: there is room. */
  readonly onRoom?: () => void;
}

let lastConnectionId = 0;

/** The stream side of one service in one process: its registry's connections, from any number of bound sockets. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #servers = new Map<number, net.Server>();
  readonly #waiting: (() => void)[] = [];
  readonly #owner: ConstructorParameters<typeof Connection>[2];
  #draining = false;
  readonly #whenEmpty: (() => void)[] = [];

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#owner = {
      wheel: options.wheel,
      limits: options.limits,
      connectionClosed: (connection) => this.#closed(connection),
    };
  }

  /** Starts accepting from a bound socket; resolves when the kernel listens. `listener` is its number in the service. */
  listen(listener: number, handle: net.Socket, unixPath: string | undefined): Promise<void> {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accepted(socket, unixPath));
    this.#servers.get(listener)?.close();
    this.#servers.set(listener, server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', () => {
        server.off('error', reject);
        server.on('error', (error) => this.#options.context.log.error({ err: error }, 'the listener failed'));
        resolve();
      });
      listenOnHandle(server, handle, this.#options.backlog);
    });
  }

  /** Stops accepting from a bound socket. What waits in the kernel's queue stays there for whoever else listens. */
  suspend(listener: number): void {
    this.#servers.get(listener)?.close();
    this.#servers.delete(listener);
  }

  /** Stops accepting, tells every connection, and resolves when the last one has closed; `graceMs` later the rest is cut. May be called again with less. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    for (const open of this.#waiting.splice(0)) open();
    const { registry, context } = this.#options;
    for (const connection of [...registry.connections()]) connection.startDrain();
    if (registry.openCount === 0) return;
    const empty = new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
    const cut = (): void => {
      for (const connection of [...registry.connections()]) connection.destroy('drain-timeout');
    };
    if (graceMs <= 0) cut();
    const timer = context.clock.after(graceMs, cut);
    await empty;
    timer.cancel();
  }

  #accepted(socket: net.Socket, unixPath: string | undefined): void {
    const { registry } = this.#options;
    const connection = new Connection((lastConnectionId += 1), createNetTransport(socket, unixPath), this.#owner);
    registry.countAccepted();
    if (!registry.isFull) {
      this.#admit(connection);
      return;
    }
    if (!registry.startWaiting()) {
      this.#refuse(connection, 'queue-limit');
      return;
    }
    this.#waiting.push(() => {
      registry.stopWaiting();
      this.#admit(connection);
    });
  }

  #admit(connection: Connection): void {
    const { registry, leases } = this.#options;
    const key = limitKey(connection.remote);
    const verdict = registry.addressVerdict(key);
    if (verdict === 'open') {
      registry.add(connection, key);
      this.#noteFull();
      this.#serve(connection);
    } else if (verdict === 'refuse' || leases === undefined) this.#refuse(connection, 'address-limit');
    else void this.#lease(connection, key, leases);
  }

  async #lease(connection: Connection, key: string, leases: Leases): Promise<void> {
    const { registry } = this.#options;
    registry.hold(connection, key);
    this.#noteFull();
    const granted = await leases.ask(key);
    if (granted && registry.grant(connection)) {
      this.#serve(connection);
      return;
    }
    if (granted) {
      leases.release(key);
      return;
    }
    registry.withdraw(connection);
    this.#refuse(connection, 'address-limit');
    this.#madeRoom();
  }

  #serve(connection: Connection): void {
    serveConnection(this.#options.protocol, connection, this.#options.context);
    if (this.#draining) connection.startDrain();
  }

  #refuse(connection: Connection, reason: Extract<CloseReason, 'address-limit' | 'queue-limit'>): void {
    const { protocol, registry, context } = this.#options;
    registry.countClosed(reason);
    context.log.debug({ peer: formatAddress(connection.remote), reason }, 'turned away');
    connection.end(protocol.refusal?.(reason), 'latin1', reason);
  }

  #noteFull(): void {
    if (this.#options.registry.isFull) this.#options.onFull?.();
  }

  #closed(connection: Connection): void {
    const { registry, leases, context } = this.#options;
    if (connection.reason === 'handler-failed') {
      context.log.error({ err: connection.error, peer: formatAddress(connection.remote) }, 'the protocol failed on a connection');
    }
    const lease = registry.remove(connection);
    if (lease !== undefined) leases?.release(lease);
    this.#madeRoom();
  }

  #madeRoom(): void {
    const { registry, onRoom } = this.#options;
    if (!registry.isFull) {
      const next = this.#waiting.shift();
      if (next === undefined) onRoom?.();
      else next();
    }
    if (registry.openCount > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }
}
