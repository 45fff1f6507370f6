// The only owner of connection limits and counters in a process. Pure: it decides and counts, others carry.
//
// The total limit is back-pressure: what is over it waits. The per-address limit turns away at once, since one address
// must not fill the queue that all others wait in. Over several workers the total is split into fixed shares (a full
// worker stops accepting, so the others take over), while an address is counted exactly: up to a free quota each worker
// decides by itself, beyond it the primary's ledger is asked (see accept/address-ledger.ts).

import type { BeyondQuota } from './address-ledger.ts';
import type { CloseReason } from '../connection/states.ts';
import type { TransportConnection } from '../connection/transport-connection.ts';

export interface RegistryLimits {
  /** Connections open at once in this process; the next ones wait. */
  readonly maxConnections: number;
  /** Connections of one address (IPv6: of one /64) over all workers; the next one is turned away. */
  readonly maxConnectionsPerAddress: number;
  /** How many of an address this process may open without asking the ledger, until it has another quota. */
  readonly freePerAddress: number;
  /** Accepted connections that may wait for room; the next one is turned away. */
  readonly maxWaiting: number;
}

export type AddressVerdict = 'open' | 'ask' | 'refuse';

/**
 * What one listener of the service has brought, in this process. It is counted through the registry's verbs.
 */
export interface ListenerTally {
  waiting: number;
  accepted: number;
  readonly closed: Partial<Record<CloseReason, number>>;
}

/** The same for a reader. `open` is what is left: accepted, neither waiting nor closed. */
export interface ListenerCounters extends Readonly<ListenerTally> {
  readonly open: number;
}

/**
 * How a connection is counted that is beyond the free quota of its address. `asking`: the ledger has not answered yet.
 */
type Account = 'asking' | 'leased';

interface Held {
  readonly key: string;
  readonly account: Account;
}

/** What a registry counts: a connection, or anything else that opens and closes with a reason. */
export interface Counted {
  readonly reason: CloseReason | undefined;
}

export class Registry<Member extends Counted = TransportConnection> {
  readonly limits: Omit<RegistryLimits, 'maxConnections' | 'freePerAddress'>;
  #maxConnections: number;
  #freePerAddress: number;
  /** On the free quota only the key, which is nearly all of them; else the account too. */
  readonly #open = new Map<Member, string | Held>();
  /** On the free quota. */
  readonly #countByAddress = new Map<string, number>();
  /** On lease from the ledger. */
  readonly #leasedByAddress = new Map<string, number>();
  /** By the name of the listener, which outlives suspensions of its socket. */
  readonly #listeners = new Map<string, ListenerTally>();
  #waiting = 0;

  constructor(limits: RegistryLimits) {
    this.limits = limits;
    this.#maxConnections = limits.maxConnections;
    this.#freePerAddress = limits.freePerAddress;
  }

  /** Another share of the total: there are more processes now, or fewer. Nothing that is open is closed for it. */
  resize(maxConnections: number): void {
    this.#maxConnections = maxConnections;
  }

  /**
   * Another free quota. What addresses hold beyond a lower one is on lease from now on, and the ledger has to be told
   * of it.
   */
  changeQuota(freePerAddress: number): BeyondQuota {
    const isLower = freePerAddress < this.#freePerAddress;
    this.#freePerAddress = freePerAddress;
    const beyond = new Map<string, number>();
    if (!isLower) return [];
    for (const [member, key] of this.#open) {
      if (typeof key !== 'string' || (this.#countByAddress.get(key) ?? 0) <= freePerAddress) continue;
      this.#open.set(member, { key, account: 'leased' });
      addTo(this.#countByAddress, key, -1);
      addTo(this.#leasedByAddress, key, 1);
      beyond.set(key, (beyond.get(key) ?? 0) + 1);
    }
    return [...beyond];
  }

  get openCount(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#maxConnections;
  }

  /** Every open connection, for drain and status. */
  connections(): Iterable<Member> {
    return this.#open.keys();
  }

  /** The tally of a listener, from its first mention on. */
  listener(name: string): ListenerTally {
    const known = this.#listeners.get(name);
    if (known !== undefined) return known;
    const tally: ListenerTally = { waiting: 0, accepted: 0, closed: {} };
    this.#listeners.set(name, tally);
    return tally;
  }

  /** Counts one that was accepted but must wait; false when too many wait already. */
  startWaiting(listener: ListenerTally): boolean {
    if (this.#waiting >= this.limits.maxWaiting) return false;
    this.#waiting += 1;
    listener.waiting += 1;
    return true;
  }

  stopWaiting(listener: ListenerTally): void {
    this.#waiting -= 1;
    listener.waiting -= 1;
  }

  /** May one more connection of this address open? `ask`: only the ledger of all workers knows. */
  addressVerdict(key: string): AddressVerdict {
    const count = this.#countByAddress.get(key) ?? 0;
    if (count < this.#freePerAddress) return 'open';
    return this.#freePerAddress < this.limits.maxConnectionsPerAddress ? 'ask' : 'refuse';
  }

  /** How many of this address are open in this process. */
  openOf(key: string): number {
    return (this.#countByAddress.get(key) ?? 0) + (this.#leasedByAddress.get(key) ?? 0);
  }

  countAccepted(listener: ListenerTally): void {
    listener.accepted += 1;
  }

  /** Opens a connection on the free quota of its address. */
  add(connection: Member, key: string): void {
    this.#open.set(connection, key);
    addTo(this.#countByAddress, key, 1);
  }

  /** Holds a place in the total for a connection while the ledger is asked about its address. */
  hold(connection: Member, key: string): void {
    this.#open.set(connection, { key, account: 'asking' });
  }

  /** It is open, or has a place while something is asked. */
  holds(connection: Member): boolean {
    return this.#open.has(connection);
  }

  /** The ledger has granted a place; false when the connection has closed meanwhile: the place must be given back. */
  grant(connection: Member): boolean {
    const held = this.#open.get(connection);
    if (held === undefined || typeof held === 'string') return false;
    this.#open.set(connection, { key: held.key, account: 'leased' });
    addTo(this.#leasedByAddress, held.key, 1);
    return true;
  }

  /** The ledger has refused: takes a held connection out without counting it as closed. */
  withdraw(connection: Member): void {
    this.#open.delete(connection);
  }

  /** Takes a closed connection out. Returns the key of the lease to give back, if it held one. */
  remove(connection: Member, listener: ListenerTally): string | undefined {
    const held = this.#open.get(connection);
    if (held === undefined) return undefined;
    this.#open.delete(connection);
    this.countClosed(connection.reason ?? 'finished', listener);
    if (typeof held === 'string') addTo(this.#countByAddress, held, -1);
    if (typeof held === 'string' || held.account !== 'leased') return undefined;
    addTo(this.#leasedByAddress, held.key, -1);
    return held.key;
  }

  /** Counts a connection that was turned away before it opened. */
  countClosed(reason: CloseReason, { closed }: ListenerTally): void {
    closed[reason] = (closed[reason] ?? 0) + 1;
  }

  /** Of every listener, by its name. */
  counters(): ReadonlyMap<string, ListenerCounters> {
    return new Map(
      [...this.#listeners].map(([name, { waiting, accepted, closed }]) => {
        const gone = Object.values(closed).reduce((sum, count) => sum + count, waiting);
        return [name, { open: accepted - gone, waiting, accepted, closed: { ...closed } }] as const;
      }),
    );
  }
}

function addTo(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count <= 0) counts.delete(key);
  else counts.set(key, count);
}
