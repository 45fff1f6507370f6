import type { CloseReason, ConnectionState } from './connection-state.ts';
import { addDatagramCounters, NO_DATAGRAMS, type DatagramCounters } from './datagram-limits.ts';
import type { WorkerRecord } from './arbiter.ts';

export interface ConnectionPair {
  readonly local: string;
  readonly remote: string;
  readonly state: ConnectionState;
}

/** What one service is doing, in one process or summed over all workers. */
export interface ServiceStatus {
  readonly name: string;
  readonly endpoints: readonly string[];
  readonly connections: {
    readonly open: number;
    readonly waiting: number;
    readonly accepted: number;
    readonly closed: Readonly<Partial<Record<CloseReason, number>>>;
  };
  /** Connections that wait in the kernel for somebody to accept them. */
  readonly backlog: number;
  /** The open connections, each a pair of endpoints that no other has; the first hundred of each process. */
  readonly pairs: readonly ConnectionPair[];
  readonly datagrams: DatagramCounters;
  /** What the protocol itself counts. */
  readonly counters: Readonly<Record<string, number>>;
}

/** One JSON value: all that a server knows of itself. */
export interface ServerStatus {
  readonly role: 'alone' | 'primary' | 'worker';
  readonly pid: number;
  readonly services: readonly ServiceStatus[];
  /** Empty in a process that serves alone, and in a worker. */
  readonly workers: readonly {
    readonly slot: number;
    readonly pid: number;
    readonly at: WorkerRecord['at'];
    readonly generation: number;
    /** The share of the last second that its event loop was busy, 0 to 1. */
    readonly busy: number;
  }[];
}

const addUp = (a: Readonly<Partial<Record<string, number>>>, b: Readonly<Partial<Record<string, number>>>): Record<string, number> => {
  const sum: Record<string, number> = {};
  for (const [key, count = 0] of [...Object.entries(a), ...Object.entries(b)]) sum[key] = (sum[key] ?? 0) + count;
  return sum;
};

export const emptyServiceStatus = (name: string, endpoints: readonly string[]): ServiceStatus => ({
  name,
  endpoints,
  connections: { open: 0, waiting: 0, accepted: 0, closed: {} },
  backlog: 0,
  pairs: [],
  datagrams: NO_DATAGRAMS,
  counters: {},
});

/** Sums the same service over several workers. */
export function addServiceStatus(a: ServiceStatus, b: ServiceStatus): ServiceStatus {
  return {
    name: a.name,
    endpoints: a.endpoints,
    connections: {
      open: a.connections.open + b.connections.open,
      waiting: a.connections.waiting + b.connections.waiting,
      accepted: a.connections.accepted + b.connections.accepted,
      closed: addUp(a.connections.closed, b.connections.closed),
    },
    backlog: a.backlog + b.backlog,
    pairs: [...a.pairs, ...b.pairs],
    datagrams: addDatagramCounters(a.datagrams, b.datagrams),
    counters: addUp(a.counters, b.counters),
  };
}
