// Connections that belong to another one: FTP's data connections. What comes when and ends what is decided here; the
// sockets are secondary-sockets.ts.

import { onAbort } from '../abort.ts';
import type { CidrTable } from '../address/cidr-table.ts';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import type { TlsContext } from '../connection/tls-context.ts';
import { TransportConnection, type ConnectionOwner } from '../connection/transport-connection.ts';
import type { UnsentBudget } from '../connection/unsent-budget.ts';
import type { Transport } from '../connection/transport.ts';
import { codeOf, WellknownError } from '../errors.ts';
import type { SecondaryConnections, SecondaryListener, SecondaryListenOptions, SecondaryOptions } from '../protocol.ts';
import type { Clock } from '../time/clock.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import { nextConnectionId } from './connection-id.ts';
import { connectFailed, WaitingListener } from './waiting-listener.ts';
import type { ListenerTally, Registry } from './registry.ts';
import { SecondaryPorts } from './secondary-ports.ts';

/** What is asked of the network. Addresses are literal. */
export interface SecondaryNetwork {
  /** Listens on one port, 0 for any. Rejects with an errno error. `arrived` gets transports that have not started. */
  listen(
    address: string,
    port: number,
    events: { readonly arrived: (transport: Transport) => void; readonly failed: () => void },
  ): Promise<{ readonly port: number; readonly close: () => void }>;
  /** Rejects with a WellknownError, or with the reason of the signal, which has not aborted yet. */
  connect(
    localAddress: string,
    to: { readonly address: string; readonly port: number },
    signal: AbortSignal,
  ): Promise<Transport>;
}

export interface SecondaryConnectionSetOptions {
  readonly network: SecondaryNetwork;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** Those of the service. */
  readonly limits: ConnectionLimits;
  /** Peers that must send a PROXY header first. */
  readonly proxies?: CidrTable<true> | undefined;
  /** The drain deadline has passed with these still open: they are cut now. */
  readonly cut?: (connections: readonly Connection[]) => void;
  /** What slow readers of the whole process may hold. */
  readonly unsent?: UnsentBudget;
  readonly registry: Pick<Registry, 'listener' | 'countAccepted' | 'countClosed'>;
}

/** The name of these connections where listeners have theirs. */
const SECONDARY_LISTENER = 'secondary';

interface Dependants {
  readonly open: Set<Connection>;
  /** Gives up what listens or connects. */
  readonly pending: Set<() => void>;
}

/** The secondary connections of one service in one process. */
export class SecondaryConnectionSet implements SecondaryConnections {
  readonly #options: SecondaryConnectionSetOptions;
  readonly #open = new Set<TransportConnection>();
  readonly #byParent = new Map<Connection, Dependants>();
  #whenEmpty: (() => void)[] = [];
  readonly #ports: SecondaryPorts;

  constructor(options: SecondaryConnectionSetOptions) {
    this.#options = options;
    this.#ports = new SecondaryPorts(options.clock);
  }

  /** Every open one, for status. */
  connections(): ReadonlySet<TransportConnection> {
    return this.#open;
  }

  async listen(parent: Connection, options: SecondaryListenOptions): Promise<SecondaryListener | undefined> {
    const { clock } = this.#options;
    const { socketLocal: local, remote } = parent;
    const { ports: range, busyPortWaitMs = 0 } = options;
    if (local.family === 'unix' || remote.family === 'unix') return undefined;
    const untilMs = clock.nowMs() + busyPortWaitMs;
    let ports: Iterable<number> = this.#ports.candidates(local.address, range, busyPortWaitMs > 0);
    for (;;) {
      const listener = await this.#listenOnce(parent, local.address, ports, options);
      if (listener !== 'busy') return listener;
      const leftMs = untilMs - clock.nowMs();
      if (range === undefined || leftMs <= 0) return undefined;
      const freed = await this.#ports.freed(local.address, range, leftMs);
      // Whoever is gone meanwhile leaves it to the next.
      if (freed !== undefined && parent.state === 'closed') this.#ports.gaveUp(local.address, range, freed);
      ports = freed === undefined ? this.#ports.candidates(local.address, range, true) : [freed];
    }
  }

  async #listenOnce(
    parent: Connection,
    address: string,
    ports: Iterable<number>,
    options: SecondaryListenOptions,
  ): Promise<SecondaryListener | 'busy' | undefined> {
    const { remote } = parent;
    const mayConnect =
      options.mayConnect ?? ((from: string): boolean => remote.family !== 'unix' && from === remote.address);
    for (const port of ports) {
      if (parent.state === 'closed') return undefined;
      const waiting = new WaitingListener({
        mayConnect,
        isProxy: (from) => this.#options.proxies?.match(from) !== undefined,
        open: (transport) => this.#opened(parent, transport, options),
        denied: () => this.#denied(),
        over: () => {
          dependants.pending.delete(giveUp);
          this.#ports.gaveUp(address, options.ports, waiting.port);
        },
      });
      const dependants = this.#dependantsOf(parent);
      const giveUp = (): void => waiting.close();
      try {
        const listening = await this.#options.network.listen(address, port, waiting);
        this.#ports.took(address, options.ports, listening.port);
        dependants.pending.add(giveUp);
        waiting.start(listening, this.#options.clock, options.connectTimeoutMs);
      } catch (error) {
        // Any other refusal would be the same for every port.
        if (isPortTaken(error)) continue;
        return undefined;
      }
      // It may have closed meanwhile.
      if ((parent.state as string) !== 'closed') return waiting;
      waiting.close();
    }
    return 'busy';
  }

  async connect(
    parent: Connection,
    to: { readonly address: string; readonly port: number },
    options: SecondaryOptions & { readonly signal?: AbortSignal },
  ): Promise<Connection> {
    const { socketLocal: local } = parent;
    if (local.family === 'unix' || parent.state === 'closed')
      throw new WellknownError('WRONG_STATE', 'connect beside a connection that is closed or no Internet connection', {
        fault: 'local',
      });
    options.signal?.throwIfAborted();
    const stop = new AbortController();
    const forget = onAbort(options.signal, (reason) => stop.abort(reason));
    const timer = this.#options.clock.after(options.connectTimeoutMs, () =>
      stop.abort(connectFailed('the peer did not answer in time')),
    );
    const { pending } = this.#dependantsOf(parent);
    const giveUp = (): void => stop.abort(connectFailed('the connection that it belongs to has closed'));
    pending.add(giveUp);
    try {
      const transport = await this.#options.network.connect(local.address, to, stop.signal);
      // Both may have happened in the same turn.
      if (stop.signal.aborted) transport.destroy();
      stop.signal.throwIfAborted();
      return this.#opened(parent, transport, options);
    } finally {
      pending.delete(giveUp);
      timer.cancel();
      forget();
    }
  }

  /**
   * Resolves when `parents`, the connections that these belong to, are no more and neither is any of these; `graceMs`
   * later what is left is cut. May be called again with less.
   */
  async drain(graceMs: number, parents: Promise<void>): Promise<void> {
    const cut = (): void => {
      if (this.#open.size > 0) this.#options.cut?.([...this.#open]);
      for (const connection of [...this.#open]) connection.destroy('drain-timeout');
    };
    if (graceMs <= 0) cut();
    const timer = this.#options.clock.after(graceMs, cut);
    await parents;
    if (graceMs <= 0) cut();
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
    timer.cancel();
  }

  get #tally(): ListenerTally {
    return this.#options.registry.listener(SECONDARY_LISTENER);
  }

  #opened(parent: Connection, transport: Transport, { limits }: SecondaryOptions): TransportConnection {
    const { registry } = this.#options;
    const { open } = this.#dependantsOf(parent);
    const tally = this.#tally;
    const owner = new SecondaryOwner(this.#options, { ...this.#options.limits, ...limits }, parent, (closed) => {
      registry.countClosed(closed.reason ?? 'finished', tally);
      open.delete(closed);
      this.#open.delete(closed);
      if (this.#open.size > 0) return;
      for (const resolve of this.#whenEmpty.splice(0)) resolve();
    });
    const connection = new TransportConnection(nextConnectionId(), transport, owner);
    registry.countAccepted(tally);
    open.add(connection);
    this.#open.add(connection);
    return connection;
  }

  #denied(): void {
    const { registry } = this.#options;
    registry.countAccepted(this.#tally);
    registry.countClosed('denied', this.#tally);
  }

  #dependantsOf(parent: Connection): Dependants {
    const known = this.#byParent.get(parent);
    if (known !== undefined) return known;
    const dependants: Dependants = { open: new Set(), pending: new Set() };
    this.#byParent.set(parent, dependants);
    void parent.closed.then(() => {
      this.#byParent.delete(parent);
      for (const giveUp of [...dependants.pending]) giveUp();
      for (const connection of [...dependants.open]) if (connection.state !== 'lingering') connection.destroy();
    });
    return dependants;
  }
}

/** A class for the sake of its getter: an object literal with one has a hidden class of its own, each time. */
class SecondaryOwner implements ConnectionOwner {
  readonly wheel: TimerWheel;
  readonly unsent: UnsentBudget | undefined;
  readonly limits: ConnectionLimits;
  readonly connectionClosed: (connection: TransportConnection) => void;
  readonly #parent: Connection;

  constructor(
    { wheel, unsent }: SecondaryConnectionSetOptions,
    limits: ConnectionLimits,
    parent: Connection,
    connectionClosed: (connection: TransportConnection) => void,
  ) {
    this.wheel = wheel;
    this.unsent = unsent;
    this.limits = limits;
    this.connectionClosed = connectionClosed;
    this.#parent = parent;
  }

  /** Asked of the parent only where it is wanted: it may have to be made. */
  get tls(): TlsContext | undefined {
    return this.#parent.tlsContext;
  }
}

/** Another port may be free. */
export const isPortTaken = (error: unknown): boolean => ['EADDRINUSE', 'EACCES'].includes(codeOf(error));
