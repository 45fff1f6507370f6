// Accepts from bound sockets, and hands what comes to the admission. Its two personalities differ only in what they do
// when the registry is full: a worker stops listening (`onFull`), so that the kernel's queue goes to the others; a
// process that serves alone leaves accepted connections unread until there is room.

import net from 'node:net';
import { Admission, type AdmissionOptions, type ListenerTraits } from './admission.ts';
import { Connection, type ConnectionLimits, type ConnectionOwner } from '../connection/connection.ts';
import { nextConnectionId } from './connection-id.ts';
import { createNetTransport } from '../connection/net-transport.ts';
import type { ListenerTally } from './registry.ts';
import { descriptorOf, listenOnHandle, setNoDelayForAll } from '../kernel/raw-handles.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';

export interface AcceptorOptions extends AdmissionOptions {
  readonly wheel: TimerWheel;
  readonly limits: ConnectionLimits;
  readonly backlog: number;
}

const isListenOptions = (from: net.Socket | net.ListenOptions): from is net.ListenOptions =>
  Object.getPrototypeOf(from) === Object.prototype;

/** The stream side of one service in one process: its registry's connections, from any number of bound sockets. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #servers = new Map<number, net.Server>();
  readonly #admission: Admission;
  /** One for each listener: a connection that closes says whose it was. */
  readonly #owners = new Map<ListenerTally, ConnectionOwner>();
  readonly #whenEmpty: (() => void)[] = [];

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#admission = new Admission(options, () => {
      for (const resolve of this.#whenEmpty.splice(0)) resolve();
    });
  }

  /**
   * Starts accepting; resolves when the kernel listens. `from` is a bound socket, or the options of a listener that
   * node:cluster shares out. `listener` is its number in the program.
   */
  listen(listener: number, from: net.Socket | net.ListenOptions, traits: ListenerTraits): Promise<void> {
    let hasNoDelay = false;
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      if (!hasNoDelay) socket.setNoDelay(true);
      this.#accepted(socket, traits);
    });
    this.#servers.get(listener)?.close();
    this.#servers.set(listener, server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', () => {
        server.off('error', reject);
        hasNoDelay = setNoDelayForAll(server);
        server.on('error', (error) => this.#options.context.log.error({ err: error }, 'the listener failed'));
        resolve();
      });
      if (isListenOptions(from)) server.listen({ ...from, backlog: this.#options.backlog });
      else listenOnHandle(server, from, this.#options.backlog);
    });
  }

  /** Stops accepting from a bound socket. What waits in the kernel's queue stays there for whoever else listens. */
  suspend(listener: number): void {
    this.#servers.get(listener)?.close();
    this.#servers.delete(listener);
  }

  /** The registry has another size. */
  resized(): void {
    this.#admission.resized();
  }

  /** Takes a connection that another process has accepted. */
  adopt(socket: net.Socket, traits: ListenerTraits): void {
    this.#accepted(socket, traits);
  }

  /**
   * Stops accepting, tells every connection, and resolves when the last one has closed; `graceMs` later the rest is
   * cut. May be called again with less.
   */
  async drain(graceMs: number): Promise<void> {
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    this.#admission.drain();
    const { registry, context } = this.#options;
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

  #ownerFor(tally: ListenerTally): ConnectionOwner {
    const known = this.#owners.get(tally);
    if (known !== undefined) return known;
    const {
      wheel,
      limits,
      tls,
      protocol: { alpn },
    } = this.#options;
    const owner: ConnectionOwner = {
      wheel,
      limits,
      ...(tls === undefined ? {} : { tls }),
      ...(alpn === undefined ? {} : { alpn }),
      connectionClosed: (connection) => this.#admission.closed(connection, tally),
    };
    this.#owners.set(tally, owner);
    return owner;
  }

  #accepted(socket: net.Socket, traits: ListenerTraits): void {
    const connection = new Connection(
      nextConnectionId(),
      createNetTransport(socket, traits.unixPath, traits.local),
      this.#ownerFor(traits.tally),
    );
    this.#admission.arrived(connection, traits, descriptorOf(socket));
  }
}
