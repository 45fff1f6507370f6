// The open connections of all services of one process: listed a few at a time, and ended one by one.

import { matcherOf, type ConnectionFilter, type ConnectionPage } from '../observe/open-connections.ts';
import type { Clock } from '../time/clock.ts';
import { ConnectionListing, connectionOf, type ConnectionSource, type ListingPlace } from './connection-listing.ts';

/** What has connections. */
export interface ConnectionHolder {
  connections(): readonly ConnectionSource[];
  /** Ends one: as in a drain, and at once with no grace. False where there is none of this number. */
  closeConnection(id: number, graceMs: number): Promise<boolean>;
}

export class ProcessConnections {
  readonly #holders: readonly ConnectionHolder[];
  readonly #place: ListingPlace;
  readonly #clock: Clock;

  constructor(holders: readonly ConnectionHolder[], place: ListingPlace, clock: Clock) {
    this.#holders = holders;
    this.#place = place;
    this.#clock = clock;
  }

  /** Throws OPTION_INVALID. */
  listing(filter: ConnectionFilter): ConnectionListing {
    const sources = this.#holders.flatMap((holder) => holder.connections());
    const matcher = matcherOf(
      filter,
      sources.map(({ service }) => service),
    );
    return new ConnectionListing(sources, matcher, this.#place);
  }

  /** The same, for who wants all of them in this process: between two pages others have their turn. */
  pages(filter: ConnectionFilter): AsyncGenerator<ConnectionPage, void, undefined> {
    return this.#pagesOf(this.listing(filter));
  }

  async *#pagesOf(listing: ConnectionListing): AsyncGenerator<ConnectionPage, void, undefined> {
    const { worker } = this.#place;
    for (;;) {
      const { connections, isLast } = listing.next();
      yield { worker, connections, answered: true };
      if (isLast) return;
      await new Promise<void>((resolve) => void this.#clock.after(0, resolve));
    }
  }

  /** By the id of a list; false where this process has no such connection. */
  async close(id: string, graceMs: number): Promise<boolean> {
    const meant = connectionOf(id);
    return meant?.pid === this.#place.pid && (await this.closeNumber(meant.connection, graceMs));
  }

  /** Numbers are unique in a process. */
  async closeNumber(connection: number, graceMs: number): Promise<boolean> {
    for (const holder of this.#holders) if (await holder.closeConnection(connection, graceMs)) return true;
    return false;
  }
}
