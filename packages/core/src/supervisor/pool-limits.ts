// The limits that hold over all workers together, as the primary keeps them: how many workers share them, what those that
// drain leave of them, which free quota each has for an address, and the ledger of what they open beyond it.

import { AddressLedger } from '../accept/address-ledger.ts';
import type { SharedLimits } from '../accept/shared-limits.ts';
import type { Numbered, NumberedServices, ResolvedOptions } from '../resolved-options.ts';
import { shareOf, sharesBeside } from './connection-shares.ts';
import type { WorkerCounters } from './worker-counters.ts';
import type { WorkerHandle } from './worker-handle.ts';
import type { WorkerPool } from './worker-pool.ts';
import type { FromWorker } from './worker-messages.ts';

export class PoolLimits {
  readonly #pool: WorkerPool;
  readonly #clock: ResolvedOptions['clock'];
  readonly #services: NumberedServices;
  /** One for each service, by its number. */
  readonly #ledgers = new Map<number, AddressLedger>();
  readonly #counters: Pick<WorkerCounters, 'openOf'>;
  readonly #shared: SharedLimits | undefined;
  /** Of services of which a worker that drains has connections: the share that each of the others was told. */
  readonly #shares = new Map<number, Map<number, number>>();

  constructor(
    { clock, services }: Numbered<'clock'>,
    pool: WorkerPool,
    counters: Pick<WorkerCounters, 'openOf'>,
    shared?: SharedLimits,
  ) {
    this.#counters = counters;
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
    this.#divide(running, serving);
  }

  /** Those that drain, or will once their successors are ready, keep what they have: the others have what is left. */
  #divide(running: readonly WorkerHandle[], serving: ReadonlySet<number>): void {
    const newest = new Map(running.map(({ slot, workerId }) => [slot, workerId]));
    const isStaying = ({ slot, workerId }: WorkerHandle): boolean =>
      serving.has(workerId) && newest.get(slot) === workerId;
    const leaving = running.filter((worker) => !isStaying(worker));
    if (leaving.length === 0 && this.#shares.size === 0) return;
    const { target: workers } = this.#pool;
    for (const [service, one] of this.#services.entries()) {
      const maxConnections = one?.limits.maxConnections ?? Number.POSITIVE_INFINITY;
      if (!Number.isFinite(maxConnections)) continue;
      const open = ({ workerId }: WorkerHandle): number => this.#counters.openOf(workerId, service);
      const kept = leaving.reduce((sum, worker) => sum + open(worker), 0);
      const others = running.filter((worker) => isStaying(worker) && worker.has(service));
      const before = this.#shares.get(service);
      if (kept === 0) {
        this.#shares.delete(service);
        if (before !== undefined)
          for (const worker of others)
            worker.send({
              type: 'share',
              service,
              maxConnections: shareOf(maxConnections, worker.slot, workers),
              workers,
            });
        continue;
      }
      const shares = sharesBeside(
        kept,
        maxConnections,
        others.map((worker) => ({ workerId: worker.workerId, open: open(worker) })),
      );
      this.#shares.set(service, new Map(shares));
      for (const [workerId, share] of shares)
        if (before?.get(workerId) !== share)
          this.#pool.get(workerId)?.send({ type: 'share', service, maxConnections: share, workers });
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
    this.#shares.delete(service);
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
    // Which gives it its fixed share.
    for (const told of this.#shares.values()) told.delete(worker.workerId);
  }
}
