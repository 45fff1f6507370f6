// The listeners from which the primary itself accepts: a dispatcher for each, and what workers say of the connections
// they were given.

import type net from 'node:net';
import { traitsOf } from '../accept/accept-handler.ts';
import { nextConnectionId } from '../accept/connection-id.ts';
import { systemDescriptorBudget } from '../accept/descriptor-budget.ts';
import { turnAway } from '../accept/turn-away.ts';
import { createNetTransport } from '../connection/net-transport.ts';
import { TransportConnection } from '../connection/transport-connection.ts';
import { NO_DATAGRAMS } from '../datagram/limits.ts';
import { CoolDown } from '../time/cool-down.ts';
import { TimerWheel } from '../time/timer-wheel.ts';
import { Dispatcher, type TurnedAway } from './dispatcher.ts';
import type { Numbered } from '../resolved-options.ts';
import { handleOf, urlOf, type SharedSocket } from '../listener/shared-sockets.ts';
import type { WorkerShare } from '../observe/status.ts';
import type { WorkerPool } from './worker-pool.ts';
import type { FromWorker } from './worker-messages.ts';

type Settings = Numbered<'dispatch' | 'backlog' | 'log' | 'clock'>;

// At most one line of log in so long for what a flood repeats.
const ALARM_COOLDOWN_MS = 5_000;
const WORDS_OF_ALARM = {
  'queue-limit':
    'more connections wait for a worker than may, they are turned away: raise --max-connections or --backlog',
  'descriptor-limit':
    'hardly any file descriptors are left in the primary, connections are turned away: raise the limit of open files, or lower --backlog',
} as const satisfies Record<TurnedAway, string>;

export class DispatcherGroup {
  readonly #options: Settings;
  readonly #pool: WorkerPool;
  readonly #ownerOf: (socket: SharedSocket) => number;
  readonly #wheel: TimerWheel;
  readonly #alarm = new CoolDown(ALARM_COOLDOWN_MS);
  readonly #dispatchers = new Map<SharedSocket, Dispatcher>();
  /** Of sockets that a reload has removed: what is on its way to a worker may still come back to them. */
  readonly #ending = new Set<Dispatcher>();

  /** `ownerOf` is of which service a socket is now. */
  constructor(options: Settings, pool: WorkerPool, ownerOf = (socket: SharedSocket): number => socket.service) {
    this.#options = options;
    this.#ownerOf = ownerOf;
    this.#pool = pool;
    this.#wheel = new TimerWheel(options.clock);
  }

  /** Accepts from a socket for the workers that are ready and have room. */
  start(socket: SharedSocket): Promise<void> {
    const { dispatch, backlog, log, services } = this.#options;
    const descriptors = systemDescriptorBudget();
    const dispatcher = new Dispatcher({
      policy: dispatch,
      maxWaiting: backlog,
      targets: () => this.#pool.withRoom(socket.id, this.#ownerOf(socket)),
      send: (workerId, connection, carried) => {
        const worker = this.#pool.get(workerId);
        const service = worker?.serviceOf(socket.id, this.#ownerOf(socket));
        const endpoint = worker?.ownerOf(socket.id)?.url ?? urlOf(socket);
        if (service !== undefined) worker?.send({ type: 'connection', service, endpoint, connection }, carried);
      },
      ...(descriptors === undefined ? {} : { descriptors }),
      turnAway: (unwanted, reason, isLast) => this.#turnAway(socket, unwanted, reason, isLast),
      failed: (error) => log.error({ err: error, endpoint: urlOf(socket) }, 'a connection could not be accepted'),
    });
    this.#dispatchers.set(socket, dispatcher);
    const keepAliveMs = services[this.#ownerOf(socket)]?.limits.keepAliveMs ?? 0;
    return dispatcher.listen(handleOf(socket) as never, backlog, keepAliveMs);
  }

  /** A worker has become ready, or has room. */
  pump(): void {
    for (const dispatcher of this.#dispatchers.values()) dispatcher.pump();
  }

  /** A worker tells what became of a connection. Its number is unique among all listeners. */
  received({ type, connection }: Extract<FromWorker, { type: 'taken' | 'returned' | 'closed' }>): void {
    this.#each((dispatcher) => dispatcher[type](connection));
  }

  exited(workerId: number): void {
    this.#each((dispatcher) => dispatcher.exited(workerId));
  }

  /** Stops accepting from one. */
  end(socket: SharedSocket): void {
    const dispatcher = this.#dispatchers.get(socket);
    if (dispatcher === undefined) return;
    this.#dispatchers.delete(socket);
    dispatcher.close();
    if (!dispatcher.isDone) this.#ending.add(dispatcher);
  }

  #each(tell: (dispatcher: Dispatcher) => void): void {
    for (const dispatcher of [...this.#dispatchers.values(), ...this.#ending]) tell(dispatcher);
    for (const dispatcher of this.#ending) if (dispatcher.isDone) this.#ending.delete(dispatcher);
  }

  close(): void {
    // They are kept: what is on its way to a worker may still come back to them.
    for (const dispatcher of this.#dispatchers.values()) dispatcher.close();
  }

  #turnAway(listener: SharedSocket, socket: net.Socket, reason: TurnedAway, isLast: boolean): void {
    const { clock, log, services } = this.#options;
    if (this.#alarm.passes(clock.nowMs())) log.warn({ endpoint: urlOf(listener), reason }, WORDS_OF_ALARM[reason]);
    const service = services[this.#ownerOf(listener)];
    if (service === undefined) return;
    const traits = traitsOf(listener.listener.endpoint);
    const connection = new TransportConnection(
      nextConnectionId(),
      createNetTransport(socket, traits.unixPath, traits.local),
      { wheel: this.#wheel, limits: service.limits, connectionClosed: () => undefined },
    );
    turnAway(connection, service.protocol, traits, reason);
    if (isLast) connection.destroy(reason);
  }

  /** Where the primary accepts, it counts too: as slot 0. */
  shareOf(service: number): WorkerShare[] {
    const own = [...this.#dispatchers].filter(([socket]) => this.#ownerOf(socket) === service);
    const listeners = own.map(([socket, dispatcher]) => ({
      endpoint: urlOf(socket),
      connections: dispatcher.counters(),
      datagrams: NO_DATAGRAMS,
    }));
    return listeners.length === 0 ? [] : [{ slot: 0, listeners, counters: {} }];
  }
}
