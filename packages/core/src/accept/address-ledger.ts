// What the primary knows of addresses that hold many connections: which may open one more beyond the workers' free
// quotas.
//
// Let L be the limit and Q the sum of the free quotas in force. The ledger leases L - Q places for each address, so
// that never more than L are open in all. For small limits the quotas are 0 and the count is exact. For large ones a
// quota spares a question to the primary for each connection; the price is that an address whose connections are spread
// unevenly is turned away before it reaches L, with W workers of quota q at the worst at L - (W-1)*q.
//
// The quotas follow the pool, and the limit holds meanwhile. A worker whose quota falls answers with what its addresses
// hold beyond it: that counts as leased from then on, and at least as many places came back. A quota rises once every
// address has left as many places free; until then the worker asks more often, which is only slower.
//
// Where limits are shared with other machines every connection is asked for, and what they hold counts as leased here.

import { AddressRates } from './address-rates.ts';
import { HeldElsewhere } from './held-elsewhere.ts';

// Below this many places for each worker a question for each connection costs less than a limit that is not exact.
const EXACT_BELOW_PER_WORKER = 128;

/**
 * The free quota of each worker once all is settled. A limit on how often one address may connect is always asked for.
 */
export function freeQuota(maxPerAddress: number, workers: number, maxPerSecond = 0): number {
  if (maxPerSecond > 0) return 0;
  if (!Number.isFinite(maxPerAddress)) return maxPerAddress;
  return maxPerAddress < EXACT_BELOW_PER_WORKER * workers ? 0 : Math.floor(maxPerAddress / (2 * workers));
}

/** What a worker has before the primary has told it anything: nothing, unless there is nothing to count. */
export const firstQuota = (maxPerAddress: number, maxPerSecond: number): number =>
  freeQuota(maxPerAddress, Number.POSITIVE_INFINITY, maxPerSecond);

export type LeaseVerdict = 'granted' | 'address-limit' | 'address-rate';

/** A worker that the ledger counts on. One that drains opens nothing more and needs no quota. */
export interface QuotaHolder {
  readonly worker: number;
  readonly isServing: boolean;
}

/** How many connections of an address are beyond a quota. */
export type BeyondQuota = readonly (readonly [key: string, count: number])[];

interface HeldQuota {
  /** What the worker may be using. */
  readonly inForce: number;
  /** Less than that while its answer is awaited. */
  readonly told: number;
}

/** Told of each change of what is leased, where other machines have to know. */
export interface LedgerObserver {
  /** So many connections of the address are open here now. */
  changed(key: string, leased: number): void;
}

const NO_QUOTA: HeldQuota = { inForce: 0, told: 0 };

export class AddressLedger {
  readonly #maxPerAddress: number;
  readonly #maxPerSecond: number;
  readonly #rates: AddressRates | undefined;
  readonly #observer: LedgerObserver | undefined;
  readonly #elsewhere = new HeldElsewhere();
  readonly #quotas = new Map<number, HeldQuota>();
  readonly #leasedByKey = new Map<string, number>();
  readonly #leasedByWorker = new Map<number, Map<string, number>>();

  /**
   * `maxPerSecond` is how often one address may connect, 0 for as often as it likes. With an `observer` nothing is free:
   * each connection is leased, for only then is known what an address holds.
   */
  constructor(maxPerAddress: number, maxPerSecond = 0, observer?: LedgerObserver) {
    this.#observer = observer;
    this.#maxPerAddress = maxPerAddress;
    this.#maxPerSecond = maxPerSecond;
    this.#rates = maxPerSecond > 0 ? new AddressRates(maxPerSecond) : undefined;
  }

  /**
   * The quotas that workers have to be told now that there should be `workers` of them. One that is lowered answers:
   * see `lowered`.
   */
  balance(holders: readonly QuotaHolder[], workers: number): { readonly worker: number; readonly free: number }[] {
    if (!Number.isFinite(this.#maxPerAddress)) return [];
    const settled = this.#observer === undefined ? freeQuota(this.#maxPerAddress, workers, this.#maxPerSecond) : 0;
    const changes: { worker: number; free: number }[] = [];
    const tell = (worker: number, free: number, inForce: number): void => {
      this.#quotas.set(worker, { inForce, told: free });
      changes.push({ worker, free });
    };
    for (const { worker, isServing } of holders) {
      const { inForce, told } = this.#quotas.get(worker) ?? NO_QUOTA;
      const wanted = isServing ? settled : 0;
      if (told < inForce) continue;
      if (wanted < inForce) tell(worker, wanted, inForce);
      else if (wanted > inForce && wanted - inForce <= this.#pool - this.#mostLeased()) tell(worker, wanted, wanted);
    }
    return changes;
  }

  /** A worker keeps to a lower quota from now on; what it holds beyond that is leased to it. */
  lowered(worker: number, free: number, beyond: BeyondQuota): void {
    const { inForce, told } = this.#quotas.get(worker) ?? NO_QUOTA;
    if (told === inForce || free !== told) return;
    this.#quotas.set(worker, { inForce: told, told });
    for (const [key, count] of beyond) this.#grant(worker, key, count);
  }

  /** Leases one place to a worker, unless all are leased or the address connects too often. */
  lease(worker: number, key: string, nowMs: number): LeaseVerdict {
    const leased = this.#leasedByKey.get(key) ?? 0;
    if (leased + this.#elsewhere.of(key) >= this.#pool) return 'address-limit';
    if (this.#rates?.take(key, nowMs) === false) return 'address-rate';
    this.#grant(worker, key, 1);
    return 'granted';
  }

  /** Takes one place back. A worker can only give back what it holds. */
  release(worker: number, key: string): void {
    const own = this.#leasedByWorker.get(worker);
    const held = own?.get(key) ?? 0;
    if (own === undefined || held === 0) return;
    if (held === 1) own.delete(key);
    else own.set(key, held - 1);
    this.#takeBack(key, 1);
  }

  /** Takes back all that a dead worker held, and its quota. */
  forget(worker: number): void {
    this.#quotas.delete(worker);
    for (const [key, held] of this.#leasedByWorker.get(worker) ?? []) this.#takeBack(key, held);
    this.#leasedByWorker.delete(worker);
  }

  /** How many connections of the address are leased here. */
  leasedOf(key: string): number {
    return this.#leasedByKey.get(key) ?? 0;
  }

  /** What another machine has let pass of an address counts here too. */
  openedElsewhere(key: string, count: number, nowMs: number): void {
    this.#rates?.spend(key, count, nowMs);
  }

  /** What other machines hold of each address. */
  get elsewhere(): HeldElsewhere {
    return this.#elsewhere;
  }

  /** How many places of each address may be leased. */
  get #pool(): number {
    if (!Number.isFinite(this.#maxPerAddress)) return this.#maxPerAddress;
    let pool = this.#maxPerAddress;
    for (const { inForce } of this.#quotas.values()) pool -= inForce;
    return pool;
  }

  #mostLeased(): number {
    let most = 0;
    for (const leased of this.#leasedByKey.values()) most = Math.max(most, leased);
    return most;
  }

  #grant(worker: number, key: string, count: number): void {
    this.#leasedByKey.set(key, (this.#leasedByKey.get(key) ?? 0) + count);
    const own = this.#leasedByWorker.get(worker) ?? new Map<string, number>();
    own.set(key, (own.get(key) ?? 0) + count);
    this.#leasedByWorker.set(worker, own);
    this.#observer?.changed(key, this.leasedOf(key));
  }

  #takeBack(key: string, count: number): void {
    const left = (this.#leasedByKey.get(key) ?? count) - count;
    if (left <= 0) this.#leasedByKey.delete(key);
    else this.#leasedByKey.set(key, left);
    this.#observer?.changed(key, Math.max(0, left));
  }
}
