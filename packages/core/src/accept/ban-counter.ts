// Addresses that did wrong too often, over all processes of this machine and, where limits are shared, over all machines: the
// process that counts has one of these.

import type { Numbered } from '../resolved-options.ts';
import { BanLedger, logBan } from './address-bans.ts';
import type { SharedLimits } from './shared-limits.ts';

export class BanCounter {
  readonly #options: Numbered<'clock' | 'log'>;
  readonly #announce: (service: number, key: string, forMs: number) => void;
  readonly #shared: SharedLimits | undefined;
  /** One for each service that bans, by its number. */
  readonly #ledgers = new Map<number, BanLedger>();

  /** `announce` tells who serves on this machine that an address is banned. */
  constructor(
    options: Numbered<'clock' | 'log'>,
    announce: (service: number, key: string, forMs: number) => void,
    shared?: SharedLimits,
  ) {
    this.#options = options;
    this.#announce = announce;
    this.#shared = shared;
  }

  /** An offence was seen here. */
  offended(service: number, key: string): void {
    this.#shared?.offended(service, key);
    this.offendedElsewhere(service, key);
  }

  /** Another machine has seen one. */
  offendedElsewhere(service: number, key: string): void {
    const ledger = this.#ledgerOf(service);
    if (ledger?.offend(key, this.#options.clock.nowMs()) !== true) return;
    const { banMs: forMs } = ledger.policy;
    this.#shared?.banned(service, key, forMs);
    this.#tell(service, key, forMs);
  }

  /** Another machine has banned it. */
  bannedElsewhere(service: number, key: string, forMs: number): void {
    if (this.#ledgerOf(service)?.ban(key, forMs, this.#options.clock.nowMs()) === true) this.#tell(service, key, forMs);
  }

  /** A reload has changed a service: who was banned at it is banned at what has taken its place. */
  inherit(from: number, to: number): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { key, forMs } of this.#ledgerOf(from)?.bans(nowMs) ?? []) this.#ledgerOf(to)?.ban(key, forMs, nowMs);
  }

  /** A service is no more. */
  release(service: number): void {
    this.#ledgers.delete(service);
  }

  /** Who is banned now, and for how much longer. */
  bans(): { readonly service: number; readonly key: string; readonly forMs: number }[] {
    const nowMs = this.#options.clock.nowMs();
    return [...this.#ledgers].flatMap(([service, ledger]) =>
      ledger.bans(nowMs).map(({ key, forMs }) => ({ service, key, forMs })),
    );
  }

  #ledgerOf(service: number): BanLedger | undefined {
    const bans = this.#options.services[service]?.protocol.bans;
    if (bans === undefined) return undefined;
    const ledger = this.#ledgers.get(service) ?? new BanLedger(bans);
    this.#ledgers.set(service, ledger);
    return ledger;
  }

  #tell(service: number, key: string, forMs: number): void {
    const { log, services } = this.#options;
    logBan(log, { service: services[service]?.name ?? '', key, forMs });
    this.#announce(service, key, forMs);
  }
}
