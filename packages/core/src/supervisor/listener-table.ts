// The primary's sockets: all that its services listen on, and which worker has been lent which of them.

import { endpointsToBind } from '../address/datagram-endpoints.ts';
import type { Inheritance } from '../listener/inheritance.ts';
import { assignmentChanges, wantedAssignments, type AssignableWorker } from './listener-assignment.ts';
import { isEndpoint } from '../address/listen-target.ts';
import type { ListenerStates } from '../listener/states.ts';
import type { ResolvedOptions } from '../options.ts';
import { boundEndpoint, type BoundEndpoint } from '../server.ts';
import { adoptPassed, bindShared, handleOf, urlOf, type SharedSocket } from '../listener/shared-sockets.ts';
import type { WorkerPool } from './worker-pool.ts';

export class ListenerTable {
  readonly #options: ResolvedOptions;
  readonly #pool: WorkerPool;
  readonly #inheritance: Inheritance;
  readonly #states: ListenerStates;
  #sockets: SharedSocket[] = [];

  constructor(options: ResolvedOptions, pool: WorkerPool, inheritance: Inheritance, states: ListenerStates) {
    this.#states = states;
    this.#options = options;
    this.#pool = pool;
    this.#inheritance = inheritance;
  }

  all(): readonly SharedSocket[] {
    return this.#sockets;
  }

  /**
   * Binds or adopts everything that the services listen on, with a socket for each slot where the strategy wants that.
   */
  async bindAll(slots: readonly number[]): Promise<void> {
    const { services, accept, unixMode } = this.#options;
    for (const [service, { listen }] of services.entries()) {
      for (const target of listen) {
        if (!isEndpoint(target)) {
          this.#add(await adoptPassed(service, target, this.#sockets.length, this.#inheritance));
          continue;
        }
        for (const asked of await endpointsToBind(target)) {
          this.#add(
            await bindShared({
              service,
              asked,
              strategy: accept,
              slots,
              firstId: this.#sockets.length,
              inheritance: this.#inheritance,
              unixMode,
            }),
          );
        }
      }
    }
  }

  /** A slot beyond the first ones (scaled up) gets sockets of its own where the others have some. */
  async bindForSlot(slot: number): Promise<void> {
    for (const { service, asked, listener } of this.#sockets.filter((socket) => socket.slot === 1)) {
      if (this.#sockets.some((socket) => socket.slot === slot && socket.asked === asked)) continue;
      const more = await bindShared({
        service,
        asked: listener.endpoint,
        strategy: 'inherit-sharded',
        slots: [slot],
        firstId: this.#sockets.length,
        inheritance: this.#inheritance,
        unixMode: undefined,
      });
      this.#add(more.map((socket) => ({ ...socket, asked })));
    }
  }

  #add(sockets: readonly SharedSocket[]): void {
    for (const socket of sockets) {
      this.#sockets.push(socket);
      this.#states.appears(
        socket.id,
        this.#options.services[socket.service]?.protocol.name ?? '',
        urlOf(socket),
        'unbound',
      );
      this.#states.move(socket.id, 'bound');
    }
  }

  /** Lends every worker what it should accept from now, and takes back the rest. */
  updateLoans(borrowers: readonly AssignableWorker[]): void {
    const lendable = this.#sockets.filter(({ via }) => via !== 'dispatch');
    const present = new Map(this.#pool.all().map((workerId) => [workerId.workerId, workerId.loans]));
    for (const change of assignmentChanges(present, wantedAssignments(lendable, borrowers))) {
      const socket = this.#sockets.find(({ id }) => id === change.id);
      const loans = this.#pool.get(change.workerId)?.loans;
      if (socket === undefined || loans === undefined) continue;
      const { service, id: listener } = socket;
      if (change.do === 'lend') {
        loans.add(listener);
        this.#states.move(listener, 'listening');
        const via = socket.via === 'cluster' ? 'cluster' : 'handle';
        this.#pool.send(
          change.workerId,
          { type: 'listen', service, listener, endpoint: urlOf(socket), via },
          via === 'cluster' ? undefined : handleOf(socket),
        );
      } else {
        loans.delete(listener);
        this.#pool.send(change.workerId, { type: 'unlisten', service, listener });
      }
    }
  }

  /** A worker that is full has stopped accepting by itself. */
  forgetLoans(workerId: number, service: number): void {
    for (const { id } of this.#sockets.filter((socket) => socket.service === service))
      this.#pool.get(workerId)?.loans.delete(id);
  }

  /** What the program listens on; the sockets of all slots are one endpoint. */
  endpoints(): BoundEndpoint[] {
    return this.#oneForEach().map((socket) =>
      boundEndpoint(this.#options.services[socket.service]?.protocol.name ?? '', socket.listener.endpoint),
    );
  }

  urlsOf(service: number): string[] {
    return this.#oneForEach()
      .filter((socket) => socket.service === service)
      .map(urlOf);
  }

  #oneForEach(): SharedSocket[] {
    return this.#sockets.filter((socket) => (socket.slot ?? 1) === 1);
  }

  /** Takes the addresses back. `keepPaths` leaves unix paths in place for a successor. */
  async close(keepPaths: boolean): Promise<void> {
    const closing = this.#sockets.filter(({ via }) => via !== 'cluster');
    this.#sockets = [];
    this.#states.moveAll('draining');
    await Promise.all(closing.map(({ listener }) => listener.close({ keepPath: keepPaths })));
    this.#states.moveAll('closed');
  }
}
