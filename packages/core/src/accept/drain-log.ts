// What the log says of a drain: whom it waits for, and whom it cuts.

import { formatAddress, type Address } from '../address/address.ts';
import type { Logger } from '../log.ts';

/** A connection, or anything else that is known by its peer and by what it does. */
export interface Drained {
  readonly remote: Address;
  readonly doing?: string | undefined;
}

// A line is read by people.
const MAX_NAMED = 5;

export class DrainLog {
  readonly #service: string;
  readonly #log: Logger;
  #hasBegun = false;

  constructor(service: string, log: Logger) {
    this.#service = service;
    this.#log = log;
  }

  /** A drain begins with these still open. Said once, and not where they are given no time. */
  waitsFor(open: readonly Drained[], graceMs: number): void {
    if (open.length === 0 || graceMs <= 0 || this.#hasBegun) return;
    this.#hasBegun = true;
    // Those that do something: the others end as soon as they are told.
    const first = namesOf(open.filter(({ doing }) => doing !== undefined));
    this.#log.info(
      { service: this.#service, open: open.length, ...(first.length === 0 ? {} : { first }), graceMs },
      'open connections are waited for',
    );
  }

  /** The deadline has passed for these. Who gives no time at all knows what that means. */
  cuts(open: readonly Drained[]): void {
    if (open.length === 0 || !this.#hasBegun) return;
    this.#log.warn(
      { service: this.#service, cut: open.length, first: namesOf(open), reason: 'drain-timeout' },
      'connections were still open at the drain deadline and are cut',
    );
  }
}

const namesOf = (open: readonly Drained[]): string[] =>
  open.slice(0, MAX_NAMED).map(({ remote, doing }) => {
    const name = formatAddress(remote);
    return doing === undefined ? name : `${name} ${doing}`;
  });
