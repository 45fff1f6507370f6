// The named places that workers share, as the primary counts them.

import { PlaceLedger } from '../accept/shared-places.ts';
import type { NumberedServices } from '../resolved-options.ts';
import type { WorkerHandle } from './worker-handle.ts';
import type { FromWorker } from './worker-messages.ts';
import type { WorkerPool } from './worker-pool.ts';

export class PoolPlaces {
  readonly #pool: WorkerPool;
  readonly #services: NumberedServices;
  /** One for each service, by its number. */
  readonly #ledgers = new Map<number, PlaceLedger>();

  constructor({ services }: { readonly services: NumberedServices }, pool: WorkerPool) {
    this.#pool = pool;
    this.#services = services;
  }

  received(
    worker: WorkerHandle,
    message: Extract<FromWorker, { type: 'place-wanted' | 'place-joined' | 'place-released' }>,
  ): void {
    const { workerId } = worker;
    const { service, name } = message;
    if (this.#services[service] === undefined) return;
    const ledger = this.#ledgers.get(service) ?? new PlaceLedger();
    this.#ledgers.set(service, ledger);
    if (message.type === 'place-wanted') {
      const isGranted = ledger.take(workerId, name, message.max);
      worker.send({ type: 'place-answer', question: message.question, isGranted });
      if (!isGranted) return;
    } else if (message.type === 'place-joined') ledger.take(workerId, name, Number.POSITIVE_INFINITY);
    else ledger.release(workerId, name);
    this.#tell(service, name);
  }

  /** A worker has ended: what it held is free. */
  forget(workerId: number): void {
    for (const [service, ledger] of this.#ledgers)
      for (const name of ledger.forget(workerId)) this.#tell(service, name);
  }

  /** A service is no more. */
  release(service: number): void {
    this.#ledgers.delete(service);
  }

  /** Those who hold places hear how many there are, also one that is alone: what it was told before may be too many by now. */
  #tell(service: number, name: string): void {
    const ledger = this.#ledgers.get(service);
    const total = ledger?.total(name) ?? 0;
    for (const holder of ledger?.holders(name) ?? [])
      this.#pool.get(holder)?.send({ type: 'place-total', service, name, total });
  }
}
