// The open connections over all workers: listed a few at a time, and ended one by one. Pure.

import { connectionOf } from '../accept/connection-listing.ts';
import { matcherOf, type ConnectionFilter, type ConnectionPage } from '../observe/open-connections.ts';
import type { WorkerHandle } from './worker-handle.ts';
import type { WorkerPool } from './worker-pool.ts';

export class PoolConnections {
  readonly #pool: Pick<WorkerPool, 'all'>;
  /** A reload brings more. */
  readonly #services: readonly ({ readonly name: string } | undefined)[];
  #listings = 0;

  constructor(services: readonly ({ readonly name: string } | undefined)[], pool: Pick<WorkerPool, 'all'>) {
    this.#services = services;
    this.#pool = pool;
  }

  /** Worker by worker; the next ones are asked for when they are wanted. Throws OPTION_INVALID at once. */
  list(filter: ConnectionFilter): AsyncGenerator<ConnectionPage> {
    matcherOf(
      filter,
      this.#services.flatMap((service) => service?.name ?? []),
    );
    return this.#pages(filter);
  }

  async *#pages(filter: ConnectionFilter): AsyncGenerator<ConnectionPage> {
    for (const worker of this.#pool.all()) if (worker.stage !== 'loading') yield* this.#pagesOf(worker, filter);
  }

  async *#pagesOf(worker: WorkerHandle, filter: ConnectionFilter): AsyncGenerator<ConnectionPage> {
    this.#listings += 1;
    const listing = this.#listings;
    let isOver = false;
    try {
      while (!isOver) {
        const answer = await worker.questions.listing(listing, filter);
        if (answer === undefined) {
          // One that has ended has none.
          if (this.#pool.all().includes(worker)) yield { worker: worker.slot, connections: [], answered: false };
          return;
        }
        isOver = answer.isLast;
        yield { worker: worker.slot, connections: answer.connections, answered: true };
      }
    } finally {
      if (!isOver) worker.send({ type: 'listing-end', listing });
    }
  }

  /** False where no worker has it. */
  async close(id: string, graceMs: number): Promise<boolean> {
    const meant = connectionOf(id);
    const worker = this.#pool.all().find(({ pid }) => pid === meant?.pid);
    if (meant === undefined || worker === undefined) return false;
    return (await worker.questions.closeConnection(meant.connection, graceMs)) ?? !this.#pool.all().includes(worker);
  }
}
