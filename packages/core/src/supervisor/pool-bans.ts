// Addresses that did wrong too often, counted over all workers, as the primary keeps them.

import { BanLedger } from '../accept/address-bans.ts';
import type { ResolvedOptions } from '../resolved-options.ts';
import type { WorkerHandle } from './worker-handle.ts';
import type { WorkerPool } from './worker-pool.ts';

export class PoolBans {
  readonly #pool: WorkerPool;
  readonly #options: Pick<ResolvedOptions, 'clock' | 'services' | 'log'>;
  /** One for each service that bans, of which a reload brings more. */
  readonly #ledgers: BanLedger[] = [];

  constructor(options: Pick<ResolvedOptions, 'clock' | 'services' | 'log'>, pool: WorkerPool) {
    this.#options = options;
    this.#pool = pool;
  }

  /** A worker has seen an offence. */
  offended(service: number, key: string): void {
    const { clock, log, services } = this.#options;
    const { name, protocol } = services[service] ?? {};
    const nowMs = clock.nowMs();
    if (this.#ledgerOf(service)?.offend(key, nowMs) !== true) return;
    const forMs = protocol?.bans?.banMs ?? 0;
    log.info({ service: name, address: key, forMs }, 'an address is banned');
    for (const worker of this.#pool.all()) worker.send({ type: 'ban', service, key, forMs });
  }

  /** A worker's program runs: it is told who is banned before it serves. */
  introduce(worker: WorkerHandle): void {
    for (const service of this.#options.services.keys())
      for (const { key, forMs } of this.#ledgerOf(service)?.bans(this.#options.clock.nowMs()) ?? [])
        worker.send({ type: 'ban', service, key, forMs });
  }

  #ledgerOf(service: number): BanLedger | undefined {
    const bans = this.#options.services[service]?.protocol.bans;
    return bans === undefined ? undefined : (this.#ledgers[service] ??= new BanLedger(bans));
  }
}
