// The primary's listeners: everything that its services listen on, and which worker accepts from which of them.

import { endpointsToBind } from '../address/endpoints-to-bind.ts';
import { isEndpoint } from '../address/listen-target.ts';
import type { Inheritance } from '../listener/inheritance.ts';
import { adoptPassed, bindShared, handleOf, urlOf, type SharedSocket } from '../listener/shared-sockets.ts';
import { ListenerStates } from '../listener/states.ts';
import type { ResolvedOptions } from '../options.ts';
import { boundEndpoint, type BoundEndpoint } from '../server.ts';
import { assignmentChanges, wantedAssignments, type AssignableWorker } from './listener-assignment.ts';
import type { WorkerHandle } from './worker-handle.ts';

export class ListenerTable {
  readonly #options: Pick<ResolvedOptions, 'services' | 'accept' | 'unixMode'>;
  readonly #inheritance: Inheritance;
  readonly #states = new ListenerStates('primary');
  #sockets: SharedSocket[] = [];

  constructor(options: Pick<ResolvedOptions, 'services' | 'accept' | 'unixMode'>, inheritance: Inheritance) {
    this.#options = options;
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

  /** Somewhere it is accepted from now: by a worker, or by the primary itself. */
  listens({ id }: SharedSocket): void {
    this.#states.move(id, 'listening');
  }

  /** Tells each of the workers what it should accept from now on, and from what no more. */
  updateAssignments(workers: readonly { readonly worker: WorkerHandle; readonly at: AssignableWorker['at'] }[]): void {
    const byId = new Map(workers.map(({ worker }) => [worker.workerId, worker]));
    const wanted = wantedAssignments(
      this.#sockets.filter(({ via }) => via !== 'dispatch'),
      workers.map(({ worker: { workerId, slot, fullServices }, at }) => ({ workerId, slot, at, fullServices })),
    );
    const present = new Map(workers.map(({ worker: { workerId, assigned } }) => [workerId, assigned]));
    for (const change of assignmentChanges(present, wanted)) {
      const socket = this.#sockets.find(({ id }) => id === change.id);
      const worker = byId.get(change.workerId);
      if (socket === undefined || worker === undefined) continue;
      if (change.do === 'assign') this.#assign(worker, socket);
      else {
        worker.assigned.delete(socket.id);
        worker.send({ type: 'withdraw', service: socket.service, listener: socket.id });
      }
    }
  }

  /** A worker that is full has stopped accepting by itself. */
  forgetAssignments({ assigned }: WorkerHandle, service: number): void {
    for (const socket of this.#sockets) if (socket.service === service) assigned.delete(socket.id);
  }

  /** What the program listens on; the sockets of all slots are one endpoint. */
  endpoints(): BoundEndpoint[] {
    return this.#oneForEach().map((socket) => boundEndpoint(this.#nameOf(socket), socket.listener.endpoint));
  }

  urlsOf(service: number): string[] {
    return this.#oneForEach()
      .filter((socket) => socket.service === service)
      .map(urlOf);
  }

  /** Takes the addresses back. `keepPaths` leaves unix paths in place for a successor. */
  async close(keepPaths: boolean): Promise<void> {
    const closing = this.#sockets.filter(({ via }) => via !== 'cluster');
    this.#sockets = [];
    this.#states.moveAll('draining');
    await Promise.all(closing.map(({ listener }) => listener.close({ keepPath: keepPaths })));
    this.#states.moveAll('closed');
  }

  #add(sockets: readonly SharedSocket[]): void {
    for (const socket of sockets) {
      this.#sockets.push(socket);
      this.#states.appears(socket.id, this.#nameOf(socket), urlOf(socket), 'unbound');
      this.#states.move(socket.id, 'bound');
    }
  }

  #assign(worker: WorkerHandle, socket: SharedSocket): void {
    const { service, id: listener } = socket;
    worker.assigned.add(listener);
    this.listens(socket);
    const via = socket.via === 'cluster' ? 'cluster' : 'handle';
    worker.send(
      { type: 'assign', service, listener, endpoint: urlOf(socket), via },
      via === 'cluster' ? undefined : handleOf(socket),
    );
  }

  #oneForEach(): SharedSocket[] {
    return this.#sockets.filter((socket) => (socket.slot ?? 1) === 1);
  }

  #nameOf({ service }: SharedSocket): string {
    return this.#options.services[service]?.name ?? '';
  }
}
