// Connections that belong to another one: FTP's data connections. What comes when and ends what is decided here; the
// sockets are secondary-sockets.ts.

import { randomInt } from 'node:crypto';
import { onAbort } from '../abort.ts';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import { TransportConnection } from '../connection/transport-connection.ts';
import type { Transport } from '../connection/transport.ts';
import { WellknownError } from '../errors.ts';
import type { SecondaryConnections, SecondaryListener, SecondaryListenOptions, SecondaryOptions } from '../protocol.ts';
import type { Clock } from '../time/clock.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import { nextConnectionId } from './connection-id.ts';
import type { ListenerTally, Registry } from './registry.ts';

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
  readonly #open = new Set<Connection>();
  readonly #byParent = new Map<Connection, Dependants>();
  #whenEmpty: (() => void)[] = [];

  constructor(options: SecondaryConnectionSetOptions) {
    this.#options = options;
  }

  /** Every open one, for status. */
  connections(): Iterable<Connection> {
    return this.#open;
  }

  async listen(parent: Connection, options: SecondaryListenOptions): Promise<SecondaryListener | undefined> {
    const { local, remote } = parent;
    if (local.family === 'unix' || remote.family === 'unix') return undefined;
    for (const port of portsToTry(options.ports)) {
      if (parent.state === 'closed') return undefined;
      const waiting = new WaitingListener({
        allowed: remote.address,
        open: (transport) => this.#opened(parent, transport, options),
        denied: () => this.#denied(),
        over: () => dependants.pending.delete(giveUp),
      });
      const dependants = this.#dependantsOf(parent);
      const giveUp = (): void => waiting.close();
      try {
        const listening = await this.#options.network.listen(local.address, port, waiting);
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
    return undefined;
  }

  async connect(
    parent: Connection,
    to: { readonly address: string; readonly port: number },
    options: SecondaryOptions & { readonly signal?: AbortSignal },
  ): Promise<Connection> {
    const { local } = parent;
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

  #opened(parent: Connection, transport: Transport, { limits }: SecondaryOptions): Connection {
    const { registry, wheel } = this.#options;
    const { open } = this.#dependantsOf(parent);
    const tally = this.#tally;
    const connection = new TransportConnection(nextConnectionId(), transport, {
      wheel,
      limits: { ...this.#options.limits, ...limits },
      // Asked of the parent only where it is wanted: it may have to be made.
      get tls() {
        return parent.tlsContext;
      },
      connectionClosed: (closed) => {
        registry.countClosed(closed.reason ?? 'finished', tally);
        open.delete(closed);
        this.#open.delete(closed);
        if (this.#open.size > 0) return;
        for (const resolve of this.#whenEmpty.splice(0)) resolve();
      },
    });
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

type Arrival =
  | { readonly at: 'waiting' }
  | { readonly at: 'arrived'; readonly connection: Connection }
  | { readonly at: 'accepted' }
  | { readonly at: 'over'; readonly error: WellknownError };

interface WaitingListenerOptions {
  /** The one address that may connect. */
  readonly allowed: string;
  readonly open: (transport: Transport) => Connection;
  readonly denied: () => void;
  /** It listens no more. */
  readonly over: () => void;
}

class WaitingListener implements SecondaryListener {
  readonly #options: WaitingListenerOptions;
  #arrival: Arrival = { at: 'waiting' };
  #acceptor:
    { readonly resolve: (connection: Connection) => void; readonly reject: (error: Error) => void } | undefined;
  #stop: (() => void) | undefined;
  port = 0;

  constructor(options: WaitingListenerOptions) {
    this.#options = options;
  }

  start(listening: { readonly port: number; readonly close: () => void }, clock: Clock, timeoutMs: number): void {
    this.port = listening.port;
    const timer = clock.after(timeoutMs, () => this.#giveUp('no connection came in time'));
    this.#stop = () => {
      timer.cancel();
      listening.close();
      this.#options.over();
    };
    if (this.#arrival.at !== 'waiting') this.#stop();
  }

  readonly arrived = (transport: Transport): void => {
    const { remote } = transport;
    if (this.#arrival.at !== 'waiting' || remote.family === 'unix' || remote.address !== this.#options.allowed) {
      transport.destroy();
      this.#options.denied();
      return;
    }
    const connection = this.#options.open(transport);
    this.#arrival = { at: 'arrived', connection };
    this.#stop?.();
    const acceptor = this.#acceptor;
    if (acceptor === undefined) return;
    this.#arrival = { at: 'accepted' };
    acceptor.resolve(connection);
  };

  readonly failed = (): void => this.#giveUp('the listener failed');

  accept(signal?: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const arrival = this.#arrival;
      if (arrival.at === 'over') throw arrival.error;
      if (arrival.at === 'accepted' || this.#acceptor !== undefined)
        throw new WellknownError('WRONG_STATE', 'accept was called before on this listener', { fault: 'local' });
      if (arrival.at === 'arrived') {
        this.#arrival = { at: 'accepted' };
        resolve(arrival.connection);
        return;
      }
      const forget = onAbort(signal, (reason) => {
        reject(reason);
        this.close();
      });
      const settled =
        <Value>(run: (value: Value) => void) =>
        (value: Value): void => {
          forget();
          run(value);
        };
      this.#acceptor = { resolve: settled(resolve), reject: settled(reject) };
    });
  }

  close(): void {
    if (this.#arrival.at === 'arrived') {
      const { connection } = this.#arrival;
      this.#arrival = { at: 'over', error: connectFailed('the listener was closed') };
      connection.destroy();
    } else this.#giveUp('the listener was closed');
  }

  #giveUp(why: string): void {
    if (this.#arrival.at !== 'waiting') return;
    const error = connectFailed(why);
    this.#arrival = { at: 'over', error };
    this.#stop?.();
    this.#acceptor?.reject(error);
  }
}

const connectFailed = (why: string): WellknownError => new WellknownError('CONNECT_FAILED', why, { fault: 'remote' });

const isPortTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES');

/** Every port of the range once, in an order that a peer cannot guess (RFC 2577 §8); 0 lets the system choose. */
export function* portsToTry(range: SecondaryListenOptions['ports']): Generator<number> {
  if (range === undefined) {
    yield 0;
    return;
  }
  const ports = Array.from({ length: range.to - range.from + 1 }, (_, index) => range.from + index);
  for (let left = ports.length; left > 0; left -= 1) {
    const at = randomInt(left);
    const port = ports[at] ?? 0;
    ports[at] = ports[left - 1] ?? 0;
    yield port;
  }
}
