// The limits of one client over several machines: tells the others what was counted here, and counts here what they tell.
// Each machine decides by itself, by what it has heard so far: nobody waits for another machine to be let in. So a limit
// may be passed by what the machines let in during the same moment (FLUSH_MS and the way between them), and while the
// others can't be reached each one has the limits for itself.

import type { AddressCounts, LimitsExchange, LimitsNews } from '../limits-exchange.ts';
import { MAX_BAN_MS, MAX_COUNTS } from '../limits-exchange.ts';
import type { Logger } from '../log.ts';
import type { LimitsExchangeStatus } from '../observe/status.ts';
import type { ServerLimits } from '../options.ts';
import type { Numbered } from '../resolved-options.ts';
import type { Clock, Timer } from '../time/clock.ts';
import type { AddressLedger, LedgerObserver } from './address-ledger.ts';

/** What was counted goes out together, so often. */
const FLUSH_MS = 100;
/** All that this machine holds is told so often: for machines that came since, and as a sign of life. */
const WHOLE_MS = 10_000;
/** A machine that has given no sign of life for so long has gone. */
const GONE_MS = 3 * WHOLE_MS;
// Nearly all addresses hold far less than their limit, and the others need not know.
const TOLD_FROM = 1 / 100;

export interface SharedLimitsOptions {
  readonly exchange: LimitsExchange;
  readonly clock: Clock;
  readonly log: Logger;
  /** A reload brings more: one that it has changed comes again, with the same name. */
  readonly services: readonly ({ readonly name: string; readonly limits: ServerLimits } | undefined)[];
  /** The numbers of those that are served now. Default: all. */
  readonly present?: (() => readonly number[]) | undefined;
}

/** What counts here, of each service. */
export interface SharedParts {
  ledgerOf(service: number): AddressLedger | undefined;
  readonly bans: {
    /** An offence was seen by another machine. */
    offendedElsewhere(service: number, key: string): void;
    /** Another machine has banned an address. */
    bannedElsewhere(service: number, key: string, forMs: number): void;
    /** Who is banned now, and for how much longer. */
    bans(): readonly { readonly service: number; readonly key: string; readonly forMs: number }[];
  };
}

// Errors begin with their kind; nobody reads more lines than this.
const MAX_REFUSALS = 8;

interface SharedService {
  readonly name: string;
  /** From so many connections on the others are told of an address. */
  readonly toldFrom: number;
  readonly opened: Map<string, number>;
  readonly changed: Set<string>;
  /** What the others know. */
  readonly told: Map<string, number>;
}

export class SharedLimits {
  readonly #options: SharedLimitsOptions;
  /** By the number of the service. */
  readonly #services = new Map<number, SharedService>();
  readonly #heardAtMs = new Map<string, number>();
  #parts: SharedParts | undefined;
  #flush: Timer | undefined;
  #whole: Timer | undefined;
  #isConnected = false;
  #told = 0;
  #received = 0;
  #lost = 0;
  /** The kinds of errors that the log has named. */
  readonly #refusals = new Set<string>();

  constructor(options: SharedLimitsOptions) {
    this.#options = options;
    for (const [number, service] of options.services.entries())
      if (service !== undefined) this.#add(number, service.name);
  }

  open(parts: SharedParts): void {
    const { exchange, clock, log } = this.#options;
    this.#parts = parts;
    this.#whole = clock.every(WHOLE_MS, () => {
      this.#forgetSilent();
      this.#tellWhole();
    });
    exchange.open({
      received: (machine, news) => this.#hear(machine, news),
      connected: () => {
        if (this.#isConnected) return;
        this.#isConnected = true;
        this.#refusals.clear();
        log.info({}, 'limits are shared with other machines');
        this.#tellWhole();
        // Made while nobody could be told, or forgotten by what carries them.
        for (const { service, key, forMs } of parts.bans.bans()) this.banned(service, key, forMs);
      },
      lost: (error) => {
        this.#isConnected = false;
        log.warn(
          { err: error },
          'the exchange of limits is lost: until it is back, addresses are counted by this machine alone',
        );
      },
      refused: (error) => this.#refused(error),
    });
  }

  async close(): Promise<void> {
    this.#flush?.cancel();
    this.#whole?.cancel();
    if (this.#parts === undefined) return;
    this.#parts = undefined;
    for (const [, { name, told }] of this.#presentServices())
      if (told.size > 0) this.#tell({ type: 'holds', service: name, counts: [], isWhole: true });
    await this.#options.exchange.close();
  }

  /** Said once for each kind of error, until it is connected anew: it may be refused for each message. */
  #refused(error: unknown): void {
    this.#lost += 1;
    if (!this.#isConnected) return;
    const [kind = ''] = String(error instanceof Error ? error.message : error).split(' ', 1);
    if (this.#refusals.size >= MAX_REFUSALS || this.#refusals.has(kind)) return;
    this.#refusals.add(kind);
    this.#options.log.warn(
      { err: error },
      'the exchange of limits does not take what it is told: others do not hear of it',
    );
  }

  status(): LimitsExchangeStatus {
    return { connected: this.#isConnected, told: this.#told, received: this.#received, lost: this.#lost };
  }

  /** A service is no more. */
  release(service: number): void {
    this.#services.delete(service);
  }

  /** An address did wrong here. */
  offended(service: number, key: string): void {
    this.#tell({ type: 'offence', service: this.#nameOf(service), key });
  }

  /** An address was banned here. */
  banned(service: number, key: string, forMs: number): void {
    this.#tell({ type: 'ban', service: this.#nameOf(service), key, forMs: Math.min(forMs, MAX_BAN_MS) });
  }

  /** A connection was let pass here. Only of use where there is a rate. */
  opened(service: number, key: string): void {
    const { maxAcceptsPerSecondPerAddress = 0 } = this.#options.services[service]?.limits ?? {};
    const opened = this.#serviceOf(service)?.opened;
    if (opened === undefined || maxAcceptsPerSecondPerAddress <= 0) return;
    opened.set(key, (opened.get(key) ?? 0) + 1);
    this.#flushSoon();
  }

  /** Watches what is leased of a service. */
  observer(service: number): LedgerObserver {
    const shared = this.#serviceOf(service);
    return {
      changed: (key, leased) => {
        if (shared === undefined || (leased < shared.toldFrom && !shared.told.has(key))) return;
        shared.changed.add(key);
        this.#flushSoon();
      },
    };
  }

  #nameOf(service: number): string {
    return this.#serviceOf(service)?.name ?? '';
  }

  #serviceOf(service: number): SharedService | undefined {
    const name = this.#options.services[service]?.name;
    return this.#services.get(service) ?? (name === undefined ? undefined : this.#add(service, name));
  }

  #add(number: number, name: string): SharedService {
    const { maxConnectionsPerAddress = 0 } = this.#options.services[number]?.limits ?? {};
    const service: SharedService = {
      name,
      toldFrom: Math.max(1, Math.floor(maxConnectionsPerAddress * TOLD_FROM)),
      opened: new Map(),
      changed: new Set(),
      told: new Map(),
    };
    this.#services.set(number, service);
    return service;
  }

  /** Without those that a reload has changed: what still drains of them is not told, and not counted elsewhere. */
  #presentServices(): readonly (readonly [number: number, service: SharedService])[] {
    const numbers = this.#options.present?.() ?? [...this.#services.keys()];
    return numbers.flatMap((number) => {
      const service = this.#serviceOf(number);
      return service === undefined ? [] : [[number, service] as const];
    });
  }

  #flushSoon(): void {
    if (this.#parts === undefined) return;
    this.#flush ??= this.#options.clock.after(FLUSH_MS, () => {
      this.#flush = undefined;
      for (const [number, service] of this.#presentServices()) this.#flushService(number, service);
    });
  }

  #flushService(index: number, { name, toldFrom, opened, changed, told }: SharedService): void {
    for (const counts of inMessages([...opened])) this.#tell({ type: 'opened', service: name, counts });
    opened.clear();
    const ledger = this.#parts?.ledgerOf(index);
    const counts = [...changed].map((key) => {
      const leased = ledger?.leasedOf(key) ?? 0;
      const count = leased < toldFrom ? 0 : leased;
      if (count === 0) told.delete(key);
      else told.set(key, count);
      return [key, count] as const;
    });
    changed.clear();
    for (const part of inMessages(counts)) this.#tell({ type: 'holds', service: name, counts: part, isWhole: false });
  }

  #tellWhole(): void {
    for (const [, { name, told }] of this.#presentServices()) {
      const [first = [], ...rest] = inMessages([...told]);
      this.#tell({ type: 'holds', service: name, counts: first, isWhole: true });
      for (const counts of rest) this.#tell({ type: 'holds', service: name, counts, isWhole: false });
    }
  }

  #tell(news: LimitsNews): void {
    if (this.#options.exchange.tell(news)) this.#told += 1;
    else this.#lost += 1;
  }

  #hear(machine: string, news: LimitsNews): void {
    const meant = this.#presentServices().find(([, { name }]) => name === news.service);
    if (this.#parts === undefined || meant === undefined) return;
    const [service] = meant;
    const { bans } = this.#parts;
    const ledger = this.#parts.ledgerOf(service);
    this.#received += 1;
    switch (news.type) {
      case 'offence':
        bans.offendedElsewhere(service, news.key);
        return;
      case 'ban':
        bans.bannedElsewhere(service, news.key, news.forMs);
        return;
      case 'opened': {
        const nowMs = this.#options.clock.nowMs();
        for (const [key, count] of news.counts) ledger?.openedElsewhere(key, count, nowMs);
        return;
      }
      case 'holds':
        this.#heardAtMs.set(machine, this.#options.clock.nowMs());
        ledger?.elsewhere.told(machine, news.counts, news.isWhole);
    }
  }

  #forgetSilent(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [machine, heardAtMs] of this.#heardAtMs) {
      if (nowMs - heardAtMs < GONE_MS) continue;
      this.#heardAtMs.delete(machine);
      for (const service of this.#services.keys()) this.#parts?.ledgerOf(service)?.elsewhere.forget(machine);
    }
  }
}

/** Shares the limits of these services, where there is a way to do so. */
export const sharedLimitsOf = (
  { limitsExchange, clock, log, services }: Numbered<'limitsExchange' | 'clock' | 'log'>,
  present?: () => readonly number[],
): SharedLimits | undefined =>
  limitsExchange === undefined
    ? undefined
    : new SharedLimits({
        exchange: limitsExchange,
        clock,
        log,
        services,
        present,
      });

/** None for none. */
function inMessages(counts: AddressCounts): AddressCounts[] {
  const messages: AddressCounts[] = [];
  for (let from = 0; from < counts.length; from += MAX_COUNTS) messages.push(counts.slice(from, from + MAX_COUNTS));
  return messages;
}
