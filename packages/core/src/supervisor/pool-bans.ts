// Addresses that did wrong too often, counted over all workers, as the primary keeps them.

import { BanCounter } from '../accept/ban-counter.ts';
import type { SharedLimits } from '../accept/shared-limits.ts';
import type { Numbered } from '../resolved-options.ts';
import type { WorkerHandle } from './worker-handle.ts';
import type { WorkerPool } from './worker-pool.ts';

export class PoolBans extends BanCounter {
  constructor(options: Numbered<'clock' | 'log'>, pool: WorkerPool, shared?: SharedLimits) {
    const announce = (service: number, key: string, forMs: number): void => {
      for (const worker of pool.all()) worker.send({ type: 'ban', service, key, forMs });
    };
    super(options, announce, shared);
  }

  /** A worker's program runs: it is told who is banned before it serves. */
  introduce(worker: WorkerHandle): void {
    for (const ban of this.bans()) worker.send({ type: 'ban', ...ban });
  }
}
