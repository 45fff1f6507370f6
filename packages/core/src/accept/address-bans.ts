// Addresses that did wrong too often, and are turned away for a while. What is wrong is the protocol's to say: a failed
// login, mostly. Offences are forgotten one by one, so that who mistypes now and then is never banned.
//
// With workers, the primary counts, since an attacker's connections are spread over all of them; it tells every worker of
// every ban.

import { limitKey, type Address } from '../address/address.ts';
import type { Logger } from '../log.ts';
import type { AddressBans, BanPolicy } from '../protocol.ts';
import type { Clock } from '../time/clock.ts';

interface BanRecord {
  /** When the last offence that counts will be forgotten. */
  clearAtMs: number;
  bannedUntilMs: number;
}

// About 2 MB. Beyond it the longest known are forgotten.
const MAX_ADDRESSES = 16_384;
/** So many old entries are looked at for each new one. */
const SWEEP = 2;

/** The offences of addresses, pure. Keys are those of limits. */
export class BanLedger {
  readonly policy: BanPolicy;
  readonly #maxAddresses: number;
  readonly #records = new Map<string, BanRecord>();

  constructor(policy: BanPolicy, maxAddresses: number = MAX_ADDRESSES) {
    this.policy = policy;
    this.#maxAddresses = maxAddresses;
  }

  get size(): number {
    return this.#records.size;
  }

  /** Counts an offence; true when it leads to a ban that was not there before. */
  offend(key: string, nowMs: number): boolean {
    const { maxOffences, forgetMs, banMs } = this.policy;
    if (maxOffences <= 0) return false;
    const record = this.#recordOf(key, nowMs);
    record.clearAtMs = Math.max(record.clearAtMs, nowMs) + forgetMs;
    if (record.bannedUntilMs > nowMs || record.clearAtMs - nowMs <= (maxOffences - 1) * forgetMs) return false;
    record.bannedUntilMs = nowMs + banMs;
    return true;
  }

  /** Another process has banned it. True when it was not banned before. */
  ban(key: string, forMs: number, nowMs: number): boolean {
    const record = this.#recordOf(key, nowMs);
    const isNew = record.bannedUntilMs <= nowMs;
    record.bannedUntilMs = Math.max(record.bannedUntilMs, nowMs + forMs);
    return isNew;
  }

  isBanned(key: string, nowMs: number): boolean {
    return (this.#records.get(key)?.bannedUntilMs ?? 0) > nowMs;
  }

  /** Who is banned now, and for how much longer. */
  bans(nowMs: number): { readonly key: string; readonly forMs: number }[] {
    return [...this.#records]
      .map(([key, { bannedUntilMs }]) => ({ key, forMs: bannedUntilMs - nowMs }))
      .filter(({ forMs }) => forMs > 0);
  }

  #recordOf(key: string, nowMs: number): BanRecord {
    const known = this.#records.get(key);
    if (known !== undefined) return known;
    let looked = 0;
    for (const [old, record] of this.#records) {
      if (looked === SWEEP) break;
      looked += 1;
      this.#records.delete(old);
      const isOver = record.clearAtMs <= nowMs && record.bannedUntilMs <= nowMs;
      // Looked at and kept: it goes to the end of the line, except when there is no room.
      if (!isOver && this.#records.size < this.#maxAddresses - 1) this.#records.set(old, record);
    }
    const record = { clearAtMs: nowMs, bannedUntilMs: 0 };
    this.#records.set(key, record);
    return record;
  }
}

/** Says in the log that an address is turned away, wherever that was decided. */
export function logBan(
  log: Logger,
  ban: { readonly service: string; readonly key: string; readonly forMs: number },
): void {
  log.info({ service: ban.service, address: ban.key, forMs: ban.forMs }, 'an address is banned');
}

export interface ServiceBansOptions {
  /** The name of the service, for the log. */
  readonly service: string;
  readonly policy: BanPolicy | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Tells the primary, which counts; without it this process counts by itself. */
  readonly report?: ((key: string) => void) | undefined;
}

/** The bans of one service in one process. */
export class ServiceBans implements AddressBans {
  readonly #ledger: BanLedger | undefined;
  readonly #options: Omit<ServiceBansOptions, 'policy'>;

  constructor({ policy, ...options }: ServiceBansOptions) {
    this.#ledger = policy === undefined || policy.maxOffences <= 0 ? undefined : new BanLedger(policy);
    this.#options = options;
  }

  offend(address: Address): void {
    // All clients of a unix socket have one address.
    if (this.#ledger === undefined || address.family === 'unix') return;
    const key = limitKey(address);
    const { report, service, clock, log } = this.#options;
    if (report !== undefined) report(key);
    else if (this.#ledger.offend(key, clock.nowMs())) logBan(log, { service, key, forMs: this.#ledger.policy.banMs });
  }

  isBanned(address: Address): boolean {
    return this.#ledger !== undefined && this.#ledger.isBanned(limitKey(address), this.#options.clock.nowMs());
  }

  /** The primary has banned an address. */
  banned(key: string, forMs: number): void {
    this.#ledger?.ban(key, forMs, this.#options.clock.nowMs());
  }
}
