// Which services the workers of each generation serve. A primary numbers its services, and the numbers of those that a
// reload did not change stay, so that limits, counters and connections of workers of both generations are the same
// service's. A number is another service's only once no worker is left that serves its first. A worker numbers its own
// from 0.

import type { ResolvedService } from '../resolved-options.ts';

/** Of which service a socket is, for the workers of one generation. */
export interface Owner {
  readonly service: number;
  /** As which endpoint it is served. */
  readonly url: string;
}

export interface Generation {
  /** The primary's numbers, in the order of the program of these workers. */
  readonly services: readonly number[];
  /** By the number of the socket. */
  readonly sockets: ReadonlyMap<number, Owner>;
  /** What the programs of these workers are given. */
  readonly workerData: unknown;
  /** Called once all workers serve it. */
  readonly succeeded?: () => void;
}

export class Generations {
  readonly #services: (ResolvedService | undefined)[];
  readonly #byNumber = new Map<number, Generation>();
  /** Numbers of services that are to be served by a generation that has not begun. */
  #numbered: readonly number[] = [];
  #current: Generation;

  /** `services` is the list of the primary, which is kept here. */
  constructor(services: (ResolvedService | undefined)[], workerData: unknown) {
    this.#services = services;
    this.#current = { services: services.map((_, index) => index), sockets: new Map(), workerData };
  }

  /** What new workers serve once nothing is under way: the last that worked. */
  get current(): Generation {
    return this.#current;
  }

  /** The sockets of each generation of which workers may start. */
  sockets(): readonly ReadonlyMap<number, Owner>[] {
    return [this.#current, ...this.#byNumber.values()].map(({ sockets }) => sockets);
  }

  /** Of the number that the arbiter gives generations. */
  of(generation: number): Generation {
    return this.#byNumber.get(generation) ?? this.#current;
  }

  /** The sockets of the first one are bound. */
  bound(sockets: ReadonlyMap<number, Owner>): void {
    this.#current = { ...this.#current, sockets };
  }

  /**
   * The numbers of services that are to be served: those that did not change keep theirs, the others get free ones. They
   * are taken until `begin` or `dropNumbered`.
   */
  number(services: readonly ResolvedService[]): readonly number[] {
    this.#numbered = services.map((service) => {
      const same = this.#current.services.find((number) => isSame(this.#services[number], service));
      if (same === undefined) return this.#add(service);
      // It goes on as it is: what the new one has brought along is of no use.
      if (service.release !== this.#services[same]?.release) service.release?.();
      return same;
    });
    return this.#numbered;
  }

  #add(service: ResolvedService): number {
    const free = this.#services.indexOf(undefined);
    if (free < 0) return this.#services.push(service) - 1;
    this.#services[free] = service;
    return free;
  }

  /** What was numbered is not served after all. */
  dropNumbered(): void {
    this.#numbered = [];
  }

  /**
   * Takes the services out that neither the present nor a coming generation has, nor one of those that are `alive`. Their
   * numbers are free.
   */
  release(alive: readonly (Generation | undefined)[]): readonly { number: number; service: ResolvedService }[] {
    const used = new Set([this.#current, ...this.#byNumber.values(), ...alive].flatMap((one) => one?.services ?? []));
    for (const number of this.#numbered) used.add(number);
    const unused = this.#services.flatMap((service, number) =>
      service === undefined || used.has(number) ? [] : [{ number, service }],
    );
    for (const { number } of unused) this.#services[number] = undefined;
    return unused;
  }

  /** New workers of this number serve it from now on. */
  begin(number: number, generation: Generation): void {
    this.#byNumber.set(number, generation);
    this.#numbered = [];
  }

  /** All workers serve it: it is the present one. */
  succeeded(number: number): void {
    this.#current = this.of(number);
    this.#byNumber.clear();
    this.#current.succeeded?.();
  }

  failed(number: number): void {
    this.#byNumber.delete(number);
  }
}

const isSame = (one: ResolvedService | undefined, other: ResolvedService): boolean =>
  one?.revision !== undefined && one.revision === other.revision && one.name === other.name;
