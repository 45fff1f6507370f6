// The limits that hold over all workers together, as the primary keeps them: how many workers share them, which free
// quota each has for an address, and the ledger of what they open beyond it.

import { AddressLedger } from '../accept/address-ledger.ts';
import type { SharedLimits } from '../accept/shared-limits.ts';
import type { ResolvedOptions } from '../resolved-options.ts';
import type { WorkerHandle } from './worker-handle.ts';
import type { WorkerPool } from './worker-pool.ts';
import type { FromWorker } from './worker-messages.ts';

export class PoolLimits {
  readonly #pool: WorkerPool;
  readonly #clock: ResolvedOptions['clock'];
  readonly #services: ResolvedOptions['services'];
  /** One for each service, by its number. */
  readonly #ledgers = new Map<number, AddressLedger>();
  readonly #shared: SharedLimits | undefined;

  constructor(
    { clock, services }: Pick<ResolvedOptions, 'clock' | 'services'>,
    pool: WorkerPool,
    shared?: SharedLimits,
  ) {
    this.#clock = clock;
    this.#pool = pool;
    this.#services = services;
    this.#shared = shared;
  }

  /** Other than before is how many workers share. */
  resized(): void {
    for (const worker of this.#pool.all()) this.#tellSize(worker);
  }

  /** A worker's program runs: it is told what its share is before it opens anything. */
  introduce(worker: WorkerHandle): void {
    this.#tellSize(worker);
    this.balance();
  }

  /** Tells workers how many connections of an address they may open without asking, where that has changed. */
  balance(): void {
    const serving = new Set(this.#pool.records.filter(({ at }) => at !== 'draining').map(({ workerId }) => workerId));
    const running = this.#pool.all().filter(({ stage }) => stage !== 'loading');
    for (const service of this.#services.keys()) {
      const holders = running
        .filter((worker) => worker.has(service))
        .map(({ workerId }) => ({ worker: workerId, isServing: serving.has(workerId) }));
      for (const { worker, free } of this.ledgerOf(service)?.balance(holders, this.#pool.target) ?? [])
        this.#pool.get(worker)?.send({ type: 'quota', service, free });
    }
  }

  /** A worker asks for a place, gives one back, or has lowered its quota. */
  received(worker: WorkerHandle, message: Extract<FromWorker, { type: 'lease' | 'release' | 'quota' }>): void {
    const { workerId } = worker;
    const ledger = this.ledgerOf(message.service);
    if (message.type === 'release') ledger?.release(workerId, message.key);
    else if (message.type === 'quota') ledger?.lowered(workerId, message.free, message.beyond);
    else {
      const verdict = ledger?.lease(workerId, message.key, this.#clock.nowMs()) ?? 'address-limit';
      if (verdict === 'granted') this.#shared?.opened(message.service, message.key);
      worker.send({ type: 'lease-answer', question: message.question, verdict });
    }
  }

  /** A worker has ended: what it held is free. */
  forget(workerId: number): void {
    for (const ledger of this.#ledgers.values()) ledger.forget(workerId);
  }

  /** A service is no more. */
  release(service: number): void {
    this.#ledgers.delete(service);
  }

  /** Undefined where there is no such service. */
  ledgerOf(service: number): AddressLedger | undefined {
    const limits = this.#services[service]?.limits;
    if (limits === undefined) return undefined;
    const known = this.#ledgers.get(service);
    if (known !== undefined) return known;
    const ledger = new AddressLedger(
      limits.maxConnectionsPerAddress,
      limits.maxAcceptsPerSecondPerAddress,
      this.#shared?.observer(service),
    );
    this.#ledgers.set(service, ledger);
    return ledger;
  }

  #tellSize(worker: WorkerHandle): void {
    worker.send({ type: 'pool', workers: this.#pool.target });
  }
}
