// The open connections of one process, some at a time: each step looks at a bounded number of them, so that a list of very
// many holds nobody up.

import { formatAddress, type Address } from '../address/address.ts';
import type { SecureInfo } from '../connection/secure-info.ts';
import type { ConnectionMatcher, OpenConnection } from '../observe/open-connections.ts';
import type { ConnectionPair } from '../observe/status.ts';

/** What is told of a connection. Bytes are not known where a program of its own has it. */
export interface Listed {
  readonly id: number;
  readonly local: Address;
  readonly remote: Address;
  readonly state: ConnectionPair['state'];
  readonly ageMs: number;
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
  readonly doing: string | undefined;
  readonly secure?: SecureInfo | undefined;
}

/** The connections of a service, in the order in which they were opened. */
export interface ConnectionSource {
  readonly service: string;
  /** How many there are now. */
  readonly count: number;
  /** May change while it is gone through, as a Map or a Set does. */
  readonly connections: Iterable<Listed>;
}

/** Whose connections they are. */
export interface ListingPlace {
  readonly pid: number;
  readonly worker: number;
}

// So many are looked at in one step: a third of a millisecond of work, and some 30 KB between worker and primary.
export const MAX_LISTED = 128;

export class ConnectionListing {
  readonly #entries: Iterator<OpenConnection | undefined>;

  constructor(sources: readonly ConnectionSource[], matcher: ConnectionMatcher, place: ListingPlace) {
    this.#entries = entriesOf(sources, matcher, place);
  }

  /** The next ones. There may be none among them that is meant, and more afterwards. */
  next(): { readonly connections: readonly OpenConnection[]; readonly isLast: boolean } {
    const connections: OpenConnection[] = [];
    for (let looked = 0; looked < MAX_LISTED; looked += 1) {
      const entry = this.#entries.next();
      if (entry.done === true) return { connections, isLast: true };
      if (entry.value !== undefined) connections.push(entry.value);
    }
    return { connections, isLast: false };
  }
}

/** Undefined for each that is not meant. */
function* entriesOf(
  sources: readonly ConnectionSource[],
  matcher: ConnectionMatcher,
  place: ListingPlace,
): Generator<OpenConnection | undefined> {
  for (const { service, count, connections } of sources) {
    if (!matcher.service(service)) continue;
    // What opens meanwhile comes after those that were open: the list ends, however many come.
    let left = count;
    for (const connection of connections) {
      if (left === 0) break;
      left -= 1;
      yield matcher.remote(connection.remote) ? openConnection(connection, service, place) : undefined;
    }
  }
}

const openConnection = (connection: Listed, service: string, { pid, worker }: ListingPlace): OpenConnection => ({
  id: `${pid}.${connection.id}`,
  service,
  worker,
  ...pairOf(connection),
  ...(connection.secure === undefined ? {} : { tls: tlsOf(connection.secure) }),
});

function tlsOf({ protocol, cipher, serverName, alpn }: SecureInfo): NonNullable<OpenConnection['tls']> {
  return {
    protocol,
    cipher,
    ...(serverName === undefined ? {} : { serverName }),
    ...(alpn === undefined ? {} : { alpn }),
  };
}

/** A connection as the status shows it. */
export const pairOf = ({ local, remote, state, ageMs, receivedBytes, sentBytes, doing }: Listed): ConnectionPair => ({
  local: formatAddress(local),
  remote: formatAddress(remote),
  state,
  ageMs,
  ...(receivedBytes === undefined ? {} : { receivedBytes }),
  ...(sentBytes === undefined ? {} : { sentBytes }),
  ...(doing === undefined ? {} : { doing }),
});

/** The number in an id, for the process that it is of; undefined for any other text. */
export function connectionOf(id: string): { readonly pid: number; readonly connection: number } | undefined {
  const parts = /^([1-9][0-9]{0,9})\.([1-9][0-9]{0,14})$/.exec(id);
  return parts === null ? undefined : { pid: Number(parts[1]), connection: Number(parts[2]) };
}
