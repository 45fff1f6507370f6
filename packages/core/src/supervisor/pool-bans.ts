// Addresses that did wrong too often, counted over all workers, as the primary keeps them.

import { BanLedger } from '../accept/address-bans.ts';
import type { ResolvedOptions } from '../options.ts';
import type { WorkerHandle } from './worker-handle.ts';
import type { WorkerPool } from './worker-pool.ts';

export class PoolBans {
  readonly #pool: WorkerPool;
  readonly #options: Pick<ResolvedOptions, 'clock' | 'services' | 'log'>;
  /** One for each service; undefined for a protocol that bans nobody. */
  readonly #ledgers: readonly (BanLedger | undefined)[];

  constructor(options: Pick<ResolvedOptions, 'clock' | 'services' | 'log'>, pool: WorkerPool) {
    this.#options = options;
    this.#pool = pool;
    this.#ledgers = options.services.map(({ protocol: { bans } }) =>
      bans === undefined ? undefined : new BanLedger(bans),
    );
  }

  /** A worker has seen an offence. */
  offended(service: number, key: string): void {
    const { clock, log, services } = this.#options;
    const { name, protocol } = services[service] ?? {};
    const nowMs = clock.nowMs();
    if (this.#ledgers[service]?.offend(key, nowMs) !== true) return;
    const forMs = protocol?.bans?.banMs ?? 0;
    log.info({ service: name, address: key, forMs }, 'an address is banned');
    for (const worker of this.#pool.all()) worker.send({ type: 'ban', service, key, forMs });
  }

  /** A worker's program runs: it is told who is banned before it serves. */
  introduce(worker: WorkerHandle): void {
    for (const [service, ledger] of this.#ledgers.entries())
      for (const { key, forMs } of ledger?.bans(this.#options.clock.nowMs()) ?? [])
        worker.send({ type: 'ban', service, key, forMs });
  }
}
