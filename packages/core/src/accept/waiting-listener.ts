// A port that waits for one connection: who is let in, and what ends the waiting.

import { onAbort } from '../abort.ts';
import type { Connection } from '../connection/connection.ts';
import type { TransportConnection } from '../connection/transport-connection.ts';
import type { Transport } from '../connection/transport.ts';
import { WellknownError } from '../errors.ts';
import type { SecondaryListener } from '../protocol.ts';
import type { Clock, Timer } from '../time/clock.ts';

// A client whose first SYNs were lost has sent the third by then, and nobody has to wait for the whole time.
const GONE_GRACE_MS = 3_000;

type Arrival =
  | { readonly at: 'waiting' }
  | { readonly at: 'arrived'; readonly connection: Connection }
  | { readonly at: 'accepted' }
  | { readonly at: 'over'; readonly error: WellknownError };

interface WaitingListenerOptions {
  readonly mayConnect: (address: string) => boolean;
  /** Who has to say first for whom it connects. */
  readonly isProxy: (address: string) => boolean;
  readonly open: (transport: Transport) => TransportConnection;
  readonly denied: () => void;
  /** It listens no more. */
  readonly over: () => void;
}

export class WaitingListener implements SecondaryListener {
  readonly #options: WaitingListenerOptions;
  #arrival: Arrival = { at: 'waiting' };
  #acceptor:
    { readonly resolve: (connection: Connection) => void; readonly reject: (error: Error) => void } | undefined;
  #stop: (() => void) | undefined;
  #hurry: (() => void) | undefined;
  port = 0;

  constructor(options: WaitingListenerOptions) {
    this.#options = options;
  }

  start(listening: { readonly port: number; readonly close: () => void }, clock: Clock, timeoutMs: number): void {
    this.port = listening.port;
    const timer = clock.after(timeoutMs, () => this.#giveUp('no connection came in time'));
    let hurried: Timer | undefined;
    this.#hurry = () =>
      (hurried ??= clock.after(GONE_GRACE_MS, () => this.#giveUp('the peer had reset its connection')));
    this.#stop = () => {
      timer.cancel();
      hurried?.cancel();
      listening.close();
      this.#options.over();
    };
    if (this.#arrival.at !== 'waiting') this.#stop();
  }

  readonly arrived = (transport: Transport): void => {
    const { remote } = transport;
    const { mayConnect, isProxy, open } = this.#options;
    if (remote.family !== 'unix' && remote.address === '') {
      // It was reset before it was accepted, and the system does not tell any more whose it was: most likely that of the
      // one who is waited for. It may have been a stranger's all the same, so there is a moment left.
      this.#hurry?.();
    } else if (this.#arrival.at === 'waiting' && remote.family !== 'unix') {
      if (isProxy(remote.address)) {
        const connection = open(transport);
        connection.readProxyHeader(() => this.#named(connection));
        return;
      }
      if (mayConnect(remote.address)) {
        this.#taken(open(transport));
        return;
      }
    }
    transport.destroy();
    this.#options.denied();
  };

  /** A proxy has said for whom it connects; of itself (LOCAL) it has no business here. */
  #named(connection: Connection): void {
    const { remote, proxyHeader } = connection;
    const isClient =
      proxyHeader?.source !== undefined && remote.family !== 'unix' && this.#options.mayConnect(remote.address);
    if (this.#arrival.at === 'waiting' && isClient) this.#taken(connection);
    else connection.destroy('denied');
  }

  #taken(connection: Connection): void {
    this.#arrival = { at: 'arrived', connection };
    this.#stop?.();
    const acceptor = this.#acceptor;
    if (acceptor === undefined) return;
    this.#arrival = { at: 'accepted' };
    acceptor.resolve(connection);
  }

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

/** Why there is no connection. */
export const connectFailed = (why: string): WellknownError =>
  new WellknownError('CONNECT_FAILED', why, { fault: 'remote' });
