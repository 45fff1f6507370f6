// The open connections as lists of them show them: plain values, some at a time, and who is meant by a list.

import { CidrTable } from '../address/cidr-table.ts';
import type { Address } from '../address/address.ts';
import { WellknownError } from '../errors.ts';
import type { ConnectionPair } from './status.ts';

export interface OpenConnection extends ConnectionPair {
  /** `PID.N`, which no other connection of this machine has. In log lines they are `pid` and `connection`. */
  readonly id: string;
  readonly service: string;
  /** The slot of the worker that serves it; 0 in a process that serves alone. */
  readonly worker: number;
  /** What was agreed on in the TLS handshake; left out in clear. */
  readonly tls?: {
    readonly protocol: string;
    readonly cipher: string;
    readonly serverName?: string;
    readonly alpn?: string;
  };
}

/** Which connections are meant; without either, all of them. */
export interface ConnectionFilter {
  /** The name of one service. */
  readonly service?: string;
  /** An address or a range (`192.0.2.0/24`) that the client is from. No unix socket is from anywhere. */
  readonly remote?: string;
}

/** Some of the connections of one process. */
export interface ConnectionPage {
  readonly worker: number;
  readonly connections: readonly OpenConnection[];
  /** False for a worker that did not answer in time: the rest of its connections is missing. */
  readonly answered: boolean;
}

/** Says whether a connection is meant. */
export interface ConnectionMatcher {
  service(name: string): boolean;
  remote(address: Address): boolean;
}

/** Reads a filter. Throws OPTION_INVALID, with what is allowed, where none of the services or no range is named. */
export function matcherOf({ service, remote }: ConnectionFilter, services: readonly string[]): ConnectionMatcher {
  if (service !== undefined && !services.includes(service))
    throw new WellknownError(
      'OPTION_INVALID',
      `there is no service '${service}', there is ${[...new Set(services)].join(', ')}`,
      { fault: 'local' },
    );
  const ranges = new CidrTable<true>();
  const added = remote === undefined ? undefined : ranges.add(remote, true);
  if (added?.ok === false) throw new WellknownError('OPTION_INVALID', `remote: ${added.error}`, { fault: 'local' });
  return {
    service: (name) => service === undefined || name === service,
    remote: (address) => remote === undefined || ranges.match(address) !== undefined,
  };
}
