// Which shares of the work a primary remembers: those of living workers as they last told them, and of each slot what
// its former workers had counted. So no counter falls when a worker is replaced, and a slot has one series, not one for
// each worker.

import { addShares, shareOfDead, type ServiceShare, type WorkerShare } from '../observe/status.ts';

const NOTHING: ServiceShare = { listeners: [], counters: {} };

export class WorkerCounters {
  /** By slot and the number of the service. */
  readonly #past = new Map<number, Map<number, ServiceShare>>();
  readonly #present = new Map<number, { readonly slot: number; readonly services: readonly ServiceShare[] }>();

  /** A worker has told what it has counted so far. */
  told(slot: number, workerId: number, services: readonly ServiceShare[]): void {
    this.#present.set(workerId, { slot, services });
  }

  /** How many connections of a service it has open, as it told last. */
  openOf(workerId: number, service: number): number {
    const { listeners = [] } = this.#present.get(workerId)?.services[service] ?? {};
    return listeners.reduce((sum, { connections }) => sum + connections.open, 0);
  }

  /** A worker has ended: what it had told is kept. */
  ended(workerId: number): void {
    const last = this.#present.get(workerId);
    if (last === undefined) return;
    this.#present.delete(workerId);
    const past = this.#past.get(last.slot) ?? new Map<number, ServiceShare>();
    this.#past.set(last.slot, past);
    // A worker of another generation has other services.
    last.services.forEach((share, service) => add(past, service, shareOfDead(share)));
  }

  /** A service is no more: what it has counted is that of the one that has taken its place, if one has. */
  release(service: number, successor: number | undefined): void {
    for (const past of this.#past.values()) {
      const share = past.get(service);
      past.delete(service);
      if (share !== undefined && successor !== undefined) add(past, successor, share);
    }
  }

  /** Services that are told as one, by slot, in the order of slots. */
  of(...services: readonly number[]): WorkerShare[] {
    const present = [...this.#present.values()];
    const slots = new Set([...this.#past.keys(), ...present.map(({ slot }) => slot)]);
    return [...slots]
      .sort((a, b) => a - b)
      .map((slot) => {
        const living = present.filter((one) => one.slot === slot);
        const shares = services.flatMap((service) => [
          this.#past.get(slot)?.get(service) ?? NOTHING,
          ...living.map((one) => one.services[service] ?? NOTHING),
        ]);
        return { slot, ...addShares(shares) };
      });
  }
}

const add = (past: Map<number, ServiceShare>, service: number, share: ServiceShare): void =>
  void past.set(service, addShares([past.get(service) ?? NOTHING, share]));
