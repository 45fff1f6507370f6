// The listeners from which the primary itself accepts: a dispatcher for each, and what workers say of the connections
// they were given.

import { NO_DATAGRAMS } from '../datagram/limits.ts';
import { Dispatcher } from './dispatcher.ts';
import type { ResolvedOptions } from '../options.ts';
import { handleOf, urlOf, type SharedSocket } from '../listener/shared-sockets.ts';
import type { WorkerShare } from '../observe/status.ts';
import type { WorkerPool } from './worker-pool.ts';
import type { FromWorker } from './worker-messages.ts';

export class DispatcherGroup {
  readonly #options: Pick<ResolvedOptions, 'dispatch' | 'backlog' | 'log' | 'services'>;
  readonly #pool: WorkerPool;
  readonly #dispatchers = new Map<SharedSocket, Dispatcher>();

  constructor(options: Pick<ResolvedOptions, 'dispatch' | 'backlog' | 'log' | 'services'>, pool: WorkerPool) {
    this.#options = options;
    this.#pool = pool;
  }

  /** Accepts from a socket for the workers that are ready and have room. */
  start(socket: SharedSocket): Promise<void> {
    const { service } = socket;
    const { dispatch, backlog, log, services } = this.#options;
    const dispatcher = new Dispatcher({
      policy: dispatch,
      maxWaiting: backlog,
      targets: () => this.#pool.withRoom(service),
      send: (workerId, connection, carried) =>
        this.#pool.get(workerId)?.send({ type: 'connection', service, endpoint: urlOf(socket), connection }, carried),
      failed: (error) => log.error({ err: error, endpoint: urlOf(socket) }, 'a connection could not be accepted'),
    });
    this.#dispatchers.set(socket, dispatcher);
    const keepAliveMs = services[service]?.limits.keepAliveMs ?? 0;
    return dispatcher.listen(handleOf(socket) as never, backlog, keepAliveMs);
  }

  /** A worker has become ready, or has room. */
  pump(): void {
    for (const dispatcher of this.#dispatchers.values()) dispatcher.pump();
  }

  /** A worker tells what became of a connection. Its number is unique among all listeners. */
  received({ type, connection }: Extract<FromWorker, { type: 'taken' | 'returned' | 'closed' }>): void {
    for (const dispatcher of this.#dispatchers.values()) dispatcher[type](connection);
  }

  exited(workerId: number): void {
    for (const dispatcher of this.#dispatchers.values()) dispatcher.exited(workerId);
  }

  close(): void {
    for (const dispatcher of this.#dispatchers.values()) dispatcher.close();
    this.#dispatchers.clear();
  }

  /** Where the primary accepts, it counts too: as slot 0. */
  shareOf(service: number): WorkerShare[] {
    const own = [...this.#dispatchers].filter(([socket]) => socket.service === service);
    const listeners = own.map(([socket, dispatcher]) => ({
      endpoint: urlOf(socket),
      connections: dispatcher.counters(),
      datagrams: NO_DATAGRAMS,
    }));
    return listeners.length === 0 ? [] : [{ slot: 0, listeners, counters: {} }];
  }
}
