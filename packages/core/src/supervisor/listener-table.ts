// The primary's listeners: everything that its services listen on, and which worker accepts from which of them.

import { endpointsToBind } from '../address/endpoints-to-bind.ts';
import { formatListenTarget, isEndpoint, type ListenTarget } from '../address/listen-target.ts';
import { otherHandlerOf } from '../accept/other-members.ts';
import type { Owner } from './generations.ts';
import type { Endpoint } from '../address/endpoint.ts';
import { WellknownError } from '../errors.ts';
import { ListenerCounters, type OwnedListener } from '../kernel/socket-counters.ts';
import { addressKey, type Inheritance } from '../listener/inheritance.ts';
import { adoptPassed, bindShared, handleOf, urlOf, type SharedSocket } from '../listener/shared-sockets.ts';
import { ListenerStates } from '../listener/states.ts';
import { requireServed } from '../resolved-listen.ts';
import type { Numbered } from '../resolved-options.ts';
import { boundEndpoint, type BoundEndpoint } from '../server.ts';
import { assignmentChanges, wantedAssignments, type AssignableWorker } from './listener-assignment.ts';
import type { WorkerHandle } from './worker-handle.ts';

export class ListenerTable {
  readonly #options: Numbered<'accept' | 'unixMode'>;
  readonly #inheritance: Inheritance;
  readonly #states = new ListenerStates('primary');
  readonly #kernel = new ListenerCounters();
  #sockets: SharedSocket[] = [];
  /** Of systemd's, those that no service has now: it holds them too, and they can't be had from it again. */
  #parked: SharedSocket[] = [];
  /** What was passed to this process is known at its start; a number may be another file's by now. */
  #hasBound = false;
  #binding: Promise<void> = Promise.resolve();
  #owners: ReadonlyMap<number, Owner> = new Map();
  #lastId = -1;

  constructor(options: Numbered<'accept' | 'unixMode'>, inheritance: Inheritance) {
    this.#options = options;
    this.#inheritance = inheritance;
  }

  all(): readonly SharedSocket[] {
    return this.#sockets;
  }

  /** What a successor is given: it may serve what is not served here. */
  toHandOn(): readonly SharedSocket[] {
    return [...this.#sockets, ...this.#parked];
  }

  /**
   * Binds or adopts everything that the services listen on, with a socket for each slot where the strategy wants that.
   */
  async bindAll(slots: readonly number[]): Promise<void> {
    this.#owners = await this.bindFor([...this.#options.services.keys()], slots);
    this.#hasBound = true;
  }

  /**
   * The sockets of these services: those that are bound already for the same endpoints, and new ones for the others. What
   * was bound for it is given back where it rejects.
   */
  async bindFor(services: readonly number[], slots: readonly number[]): Promise<ReadonlyMap<number, Owner>> {
    const owners = new Map<number, Owner>();
    const before = new Set(this.#sockets);
    try {
      for (const service of services)
        for (const target of this.#options.services[service]?.listen ?? [])
          for (const asked of isEndpoint(target) ? await endpointsToBind(target) : [target]) {
            const present = this.#boundFor(asked, service, owners);
            if (present.some(({ via }) => via === 'dispatch') && this.#isGivenAway(service)) throw notUnread(asked);
            const sockets = present.length > 0 ? present : await this.#bind(asked, service, slots);
            const { protocol } = this.#options.services[service] ?? {};
            if (protocol !== undefined)
              for (const { listener } of sockets) requireServed(protocol, listener.endpoint, formatListenTarget(asked));
            for (const socket of sockets) owners.set(socket.id, { service, url: urlAs(asked, socket) });
          }
    } catch (error) {
      await this.#closeThose(this.#sockets.filter((socket) => !before.has(socket)));
      throw error;
    }
    return owners;
  }

  /** From now on these are the sockets of the program; the others are closed. Returns those. */
  async keepOnly(owners: ReadonlyMap<number, Owner>): Promise<readonly SharedSocket[]> {
    this.#kernel.count(this.#owned());
    const gone = this.#sockets.filter(({ id }) => !owners.has(id));
    this.#owners = owners;
    await this.#closeThose(gone);
    return gone;
  }

  /** Of which service a socket is, for all that is not about the workers of one generation. */
  ownerOf(socket: Pick<SharedSocket, 'id' | 'service'>): number {
    return this.#owners.get(socket.id)?.service ?? socket.service;
  }

  get owners(): ReadonlyMap<number, Owner> {
    return this.#owners;
  }

  async #bind(asked: ListenTarget, service: number, slots: readonly number[]): Promise<readonly SharedSocket[]> {
    const { accept, unixMode } = this.#options;
    const strategy = accept === 'dispatch' && this.#isGivenAway(service) ? 'inherit' : accept;
    const firstId = this.#nextId;
    const inheritance = this.#inheritance;
    const sockets = isEndpoint(asked)
      ? await bindShared({ service, asked, strategy, slots, firstId, inheritance, unixMode })
      : (this.#unpark(service, asked, firstId) ?? (await adoptPassed(service, asked, firstId, inheritance)));
    this.#add(sockets);
    return sockets;
  }

  /** What comes to a worker over the channel of node:cluster is read from at once, and these have to come unread. */
  #isGivenAway(service: number): boolean {
    const { protocol } = this.#options.services[service] ?? {};
    return protocol !== undefined && otherHandlerOf(protocol) !== undefined;
  }

  /** Throws for a descriptor that the program can't be given again. */
  #unpark(service: number, asked: Exclude<ListenTarget, Endpoint>, firstId: number): SharedSocket[] | undefined {
    const passedAs = formatListenTarget(asked);
    const parked = this.#parked.filter((socket) => socket.passedAs === passedAs);
    this.#parked = this.#parked.filter((socket) => !parked.includes(socket));
    if (parked.length > 0) return parked.map((socket, index) => ({ ...socket, service, id: firstId + index }));
    if (!this.#hasBound || asked.scheme !== 'fd') return undefined;
    throw new WellknownError('BIND_FAILED', `cannot listen on ${passedAs}: descriptors are taken at the start alone`, {
      fault: 'system',
      hint: 'stop it, and start it with that descriptor open',
    });
  }

  /** What is bound for an endpoint, of whichever service. TCP and TLS are one protocol to the kernel. */
  #boundFor(asked: ListenTarget, service: number, taken: ReadonlyMap<number, Owner>): readonly SharedSocket[] {
    const key = keyOf(asked);
    const name = this.#options.services[service]?.name;
    const isAnyPort = isEndpoint(asked) && asked.scheme !== 'unix' && asked.port === 0;
    const fits = (socket: SharedSocket): boolean =>
      !taken.has(socket.id) &&
      (socket.passedAs ?? keyOf(socket.asked)) === key &&
      // The kernel gives each port 0 another one: a service keeps its own.
      (!isAnyPort || this.#options.services[this.ownerOf(socket)]?.name === name);
    const first = this.#sockets.find(fits);
    if (first === undefined) return [];
    // Those of all slots were asked for together.
    return this.#sockets.filter(
      (socket) => fits(socket) && (socket.asked === first.asked || socket.passedAs !== undefined),
    );
  }

  async #closeThose(sockets: readonly SharedSocket[]): Promise<void> {
    this.#sockets = this.#sockets.filter((socket) => !sockets.includes(socket));
    for (const { id } of sockets) this.#states.move(id, 'draining');
    const parked = sockets.filter(({ passedAs }) => passedAs?.startsWith('systemd:') === true);
    this.#parked.push(...parked);
    const closing = sockets.filter((socket) => socket.via !== 'cluster' && !parked.includes(socket));
    await Promise.all(closing.map(({ listener }) => listener.close()));
    for (const { id } of sockets) this.#states.move(id, 'closed');
  }

  get #nextId(): number {
    return this.#lastId + 1;
  }

  /**
   * A slot beyond the first ones (scaled up) gets sockets of its own where the others have some. They are of the service
   * that has those, in each of `owners`: for the workers of every generation.
   */
  bindForSlot(slot: number, owners: readonly ReadonlyMap<number, Owner>[] = []): Promise<void> {
    // One after the other: two workers of one slot may ask at once.
    this.#binding = this.#binding
      .catch(() => undefined)
      .then(() => this.#bindForSlot(slot, new Set([this.#owners, ...owners])));
    return this.#binding;
  }

  async #bindForSlot(slot: number, owners: ReadonlySet<ReadonlyMap<number, Owner>>): Promise<void> {
    const first = this.#sockets.filter((socket) => socket.slot === 1 && socket.via === 'handle');
    for (const { service, asked, listener } of first) {
      if (this.#sockets.some((socket) => socket.slot === slot && socket.asked === asked)) continue;
      const more = await bindShared({
        service,
        asked: listener.endpoint,
        strategy: 'inherit-sharded',
        slots: [slot],
        firstId: this.#nextId,
        inheritance: this.#inheritance,
        unixMode: undefined,
      });
      const added = more.map((socket) => ({ ...socket, asked }));
      this.#add(added);
      for (const one of owners) this.#join(added, one as Map<number, Owner>);
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
      workers.map(({ worker, at }) => {
        const { workerId, slot, fullServices } = worker;
        return { workerId, slot, at, fullServices, serviceOf: ({ id, service }) => worker.serviceOf(id, service) };
      }),
    );
    const present = new Map(workers.map(({ worker: { workerId, assigned } }) => [workerId, assigned]));
    for (const change of assignmentChanges(present, wanted)) {
      // One that is withdrawn may have been closed here.
      const socket = this.#sockets.find(({ id }) => id === change.id);
      const worker = byId.get(change.workerId);
      if (worker === undefined) continue;
      if (change.do === 'withdraw') {
        worker.assigned.delete(change.id);
        const service = worker.serviceOf(change.id, socket?.service ?? 0);
        if (service !== undefined) worker.send({ type: 'withdraw', service, listener: change.id });
      } else if (socket !== undefined) this.#assign(worker, socket);
    }
  }

  /** A worker that is full has stopped accepting by itself. */
  forgetAssignments(worker: WorkerHandle, service: number): void {
    for (const { id, service: owner } of this.#sockets)
      if (worker.serviceOf(id, owner) === service) worker.assigned.delete(id);
  }

  /** What the program listens on; the sockets of all slots are one endpoint. */
  endpoints(): BoundEndpoint[] {
    return this.#oneForEach().map((socket) => boundEndpoint(this.#nameOf(socket), socket.listener.endpoint));
  }

  urlsOf(service: number): string[] {
    return this.#oneForEach()
      .filter((socket) => this.ownerOf(socket) === service)
      .map(urlOf);
  }

  /** What the kernel tells of them, to be asked by the name of a service. */
  kernelCounters(): ReturnType<ListenerCounters['read']> {
    return this.#kernel.read(this.#owned());
  }

  /** Takes the addresses back. `keepPaths` leaves unix paths in place for a successor. */
  async close(keepPaths: boolean): Promise<void> {
    this.#kernel.count(this.#owned());
    const closing = this.toHandOn().filter(({ via }) => via !== 'cluster');
    this.#sockets = [];
    this.#parked = [];
    this.#states.moveAll('draining');
    await Promise.all(closing.map(({ listener }) => listener.close({ keepPath: keepPaths })));
    this.#states.moveAll('closed');
  }

  #add(sockets: readonly SharedSocket[]): void {
    for (const socket of sockets) {
      this.#sockets.push(socket);
      this.#lastId = Math.max(this.#lastId, socket.id);
      this.#states.appears(socket.id, this.#nameOf(socket), urlOf(socket), 'unbound');
      this.#states.move(socket.id, 'bound');
    }
  }

  #assign(worker: WorkerHandle, socket: SharedSocket): void {
    const { id: listener } = socket;
    const service = worker.serviceOf(listener, socket.service);
    if (service === undefined) return;
    worker.assigned.add(listener);
    this.listens(socket);
    const via = socket.via === 'cluster' ? 'cluster' : 'handle';
    worker.send(
      { type: 'assign', service, listener, endpoint: worker.ownerOf(listener)?.url ?? urlOf(socket), via },
      via === 'cluster' ? undefined : handleOf(socket),
    );
  }

  #oneForEach(): SharedSocket[] {
    return this.#sockets.filter((socket) => (socket.slot ?? 1) === 1);
  }

  #owned(): OwnedListener[] {
    return this.#oneForEach().map((socket) => ({ service: this.#nameOf(socket), endpoint: urlOf(socket) }));
  }

  #nameOf(socket: SharedSocket): string {
    return this.#options.services[this.ownerOf(socket)]?.name ?? '';
  }

  /** Sockets of one more slot are of the service that has those of the others. */
  #join(added: readonly SharedSocket[], owners: Map<number, Owner>): void {
    for (const { id, asked } of added) {
      const sibling = this.#sockets.find((socket) => socket.asked === asked && socket.id !== id);
      const owner = sibling === undefined ? undefined : owners.get(sibling.id);
      if (owner !== undefined) owners.set(id, owner);
    }
  }
}

const notUnread = (asked: ListenTarget): WellknownError =>
  new WellknownError(
    'RELOAD_FAILED',
    `${formatListenTarget(asked)} can't go to a service that runs programs: the primary accepts there (accept: dispatch)`,
    { fault: 'local', hint: 'upgrade or start it anew, or take another port' },
  );

const keyOf = (target: ListenTarget): string => addressKey(formatListenTarget(target));

/** The endpoint of a socket as this service has asked for it: over TLS or not. */
function urlAs(asked: ListenTarget, socket: SharedSocket): string {
  const url = urlOf(socket);
  return isEndpoint(asked) && (asked.scheme === 'tcp' || asked.scheme === 'tls')
    ? url.replace(/^(?:tcp|tls):/, `${asked.scheme}:`)
    : url;
}
