// What the primary knows of addresses that hold many connections: who may open one more beyond the workers' free quotas.
//
// Let L be the limit, W the workers and q the free quota of each. The ledger lends L - W*q places for each address, so that
// never more than L are open in all. For small limits q is 0 and the count is exact. For large ones q spares a question to
// the primary for each connection; the price is that an address whose connections are spread unevenly is turned away
// before it reaches L, at the worst at L - (W-1)*q.

import { AddressRates } from './accept-rate.ts';
import type { ResolvedOptions } from './options.ts';

// Below this many places for each worker a question for each connection costs less than a limit that is not exact.
const EXACT_BELOW_PER_WORKER = 128;

/** The free quota of each worker. A limit on how often one address may connect is always asked for. */
export function freeQuota(maxPerAddress: number, workers: number, maxPerSecond = 0): number {
  if (maxPerSecond > 0) return 0;
  if (!Number.isFinite(maxPerAddress)) return maxPerAddress;
  return maxPerAddress < EXACT_BELOW_PER_WORKER * workers ? 0 : Math.floor(maxPerAddress / (2 * workers));
}

/** How many workers the free quotas are for: a pool that grows by itself must not outgrow them. */
export const mostWorkers = ({ policy }: Pick<ResolvedOptions, 'policy'>, workers: number): number => Math.max(workers, policy.spare?.maxWorkers ?? 0);

export type LeaseVerdict = 'granted' | 'address-limit' | 'address-rate';

export class AddressLedger {
  readonly #rates: AddressRates | undefined;
  readonly #pool: number;
  readonly #lentByKey = new Map<string, number>();
  readonly #lentByWorker = new Map<number, Map<string, number>>();

  /** `maxPerSecond` is how often one address may connect, 0 for as often as it likes. */
  constructor(maxPerAddress: number, workers: number, maxPerSecond = 0) {
    const quota = freeQuota(maxPerAddress, workers, maxPerSecond);
    this.#pool = quota === 0 ? maxPerAddress : maxPerAddress - workers * quota;
    this.#rates = maxPerSecond > 0 ? new AddressRates(maxPerSecond) : undefined;
  }

  /** Lends one place to a worker, unless all are lent or the address connects too often. */
  lease(worker: number, key: string, nowMs: number): LeaseVerdict {
    const lent = this.#lentByKey.get(key) ?? 0;
    if (lent >= this.#pool) return 'address-limit';
    if (this.#rates?.take(key, nowMs) === false) return 'address-rate';
    this.#lentByKey.set(key, lent + 1);
    const own = this.#lentByWorker.get(worker) ?? new Map<string, number>();
    own.set(key, (own.get(key) ?? 0) + 1);
    this.#lentByWorker.set(worker, own);
    return 'granted';
  }

  /** Takes one place back. A worker can only give back what it holds. */
  release(worker: number, key: string): void {
    const own = this.#lentByWorker.get(worker);
    const held = own?.get(key) ?? 0;
    if (own === undefined || held === 0) return;
    if (held === 1) own.delete(key);
    else own.set(key, held - 1);
    this.#takeBack(key, 1);
  }

  /** Takes back all that a dead worker held. */
  forget(worker: number): void {
    for (const [key, held] of this.#lentByWorker.get(worker) ?? []) this.#takeBack(key, held);
    this.#lentByWorker.delete(worker);
  }

  #takeBack(key: string, count: number): void {
    const left = (this.#lentByKey.get(key) ?? count) - count;
    if (left <= 0) this.#lentByKey.delete(key);
    else this.#lentByKey.set(key, left);
  }
}
