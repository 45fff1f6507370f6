// What a server knows of itself, as one JSON value. What processes count is kept by service, worker and listener; every
// sum is made here, in one place, so that the parts always add up to the whole.

import type { CloseReason, ConnectionState } from '../connection/states.ts';
import { addDatagramCounters, NO_DATAGRAMS, type DatagramCounters } from '../datagram/limits.ts';
import type { KernelCounters } from '../kernel/socket-counters.ts';

export interface EventLoopStatus {
  /** The share of the last second that it was busy, 0 to 1. */
  readonly busy: number;
  /** How late it was in the last second for what was due, on average and at the worst. */
  readonly delayMs: { readonly mean: number; readonly max: number };
}

export const IDLE_EVENT_LOOP: EventLoopStatus = { busy: 0, delayMs: { mean: 0, max: 0 } };

/** What one process holds. */
export interface MemoryStatus {
  /** All of it, as the system counts (RSS). */
  readonly residentBytes: number;
  /** What was written for slow readers and the kernel has not taken; bounded by `maxUnsentBytesTotal`. */
  readonly unsentBytes: number;
}

export const NO_MEMORY: MemoryStatus = { residentBytes: 0, unsentBytes: 0 };

/** How this machine and others share limits. */
export interface LimitsExchangeStatus {
  readonly connected: boolean;
  /**
   * Messages since the start: told to the others, received from them, and lost because nobody could be reached, or because
   * what carries them refused them after they were told.
   */
  readonly told: number;
  readonly received: number;
  readonly lost: number;
}

export interface ConnectionPair {
  readonly local: string;
  readonly remote: string;
  readonly state: ConnectionState;
  /** These are not known where a program of its own has the connection (`exec`). */
  readonly ageMs?: number;
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
  /** What its protocol says that it is doing. */
  readonly doing?: string;
}

/** What a server is doing, over all its processes. */
export type ServerState = 'starting' | 'listening' | 'reloading' | 'upgrading' | 'draining' | 'ended';

export interface ConnectionCounters {
  readonly open: number;
  /** Accepted, and waiting for room. */
  readonly waiting: number;
  /** Since the start, as are the closed ones. Neither ever falls, whatever becomes of workers. */
  readonly accepted: number;
  readonly closed: Readonly<Partial<Record<CloseReason, number>>>;
}

/** What came through one listener in one process. */
export interface ListenerShare {
  /** In the text form: `tcp://127.0.0.1:8080`; `secondary` for connections that a protocol opened beside its own. */
  readonly endpoint: string;
  readonly connections: ConnectionCounters;
  readonly datagrams: DatagramCounters;
}

/** What one process has counted of a service. */
export interface ServiceShare {
  readonly listeners: readonly ListenerShare[];
  /** What the protocol itself counts. */
  readonly counters: Readonly<Record<string, number>>;
}

/**
 * What the workers of one slot have counted, the present one and those before it. A server without workers has slot 0
 * alone.
 */
export interface WorkerShare extends ServiceShare {
  readonly slot: number;
}

/** A listener, over all workers. */
export interface ListenerStatus extends ListenerShare {
  /** Connections that wait in the kernel to be accepted; of a unix path the kernel does not tell. */
  readonly backlog: number;
}

/** What one service is doing: its sums, then by listener, and by worker and listener. */
export interface ServiceStatus {
  readonly name: string;
  readonly endpoints: readonly string[];
  readonly connections: ConnectionCounters;
  readonly backlog: number;
  readonly datagrams: DatagramCounters;
  readonly counters: Readonly<Record<string, number>>;
  readonly listeners: readonly ListenerStatus[];
  readonly byWorker: readonly WorkerShare[];
  /** The open connections, each a pair of endpoints that no other has; the first hundred of each process. */
  readonly pairs: readonly ConnectionPair[];
}

/** Where a worker is between its start and its end. */
export type WorkerPhase = 'starting' | 'ready' | 'draining';

/** How a worker has ended: it had drained, it ended by itself, or the primary killed it for the reason named. */
export type WorkerEnd = 'drained' | 'crashed' | 'start-timeout' | 'drain-timeout' | 'stalled';

/** One JSON value: all that a server knows of itself. */
export interface ServerStatus {
  readonly role: 'standalone' | 'primary' | 'worker';
  readonly pid: number;
  readonly state: ServerState;
  /** Of this process. */
  readonly eventLoop: EventLoopStatus;
  readonly memory: MemoryStatus;
  readonly services: readonly ServiceStatus[];
  /** Empty in a process that serves alone, and in a worker. */
  readonly workers: readonly {
    readonly slot: number;
    readonly pid: number;
    readonly at: WorkerPhase;
    readonly generation: number;
    readonly eventLoop: EventLoopStatus;
    readonly memory: MemoryStatus;
  }[];
  /** Workers since the start. */
  readonly supervision: {
    readonly started: number;
    readonly ended: Readonly<Partial<Record<WorkerEnd, number>>>;
  };
  /** Only where limits are shared with other machines. */
  readonly limitsExchange?: LimitsExchangeStatus;
}

/** A server that has no workers has started none. */
export const NO_SUPERVISION: ServerStatus['supervision'] = { started: 0, ended: {} };

export const NO_CONNECTIONS: ConnectionCounters = { open: 0, waiting: 0, accepted: 0, closed: {} };

const addUp = (
  a: Readonly<Partial<Record<string, number>>>,
  b: Readonly<Partial<Record<string, number>>>,
): Record<string, number> => {
  const sum: Record<string, number> = {};
  for (const [key, count = 0] of [...Object.entries(a), ...Object.entries(b)]) sum[key] = (sum[key] ?? 0) + count;
  return sum;
};

const addConnections = (a: ConnectionCounters, b: ConnectionCounters): ConnectionCounters => ({
  open: a.open + b.open,
  waiting: a.waiting + b.waiting,
  accepted: a.accepted + b.accepted,
  closed: addUp(a.closed, b.closed),
});

function addListeners(shares: readonly ListenerShare[]): ListenerShare[] {
  const byEndpoint = new Map<string, ListenerShare>();
  for (const share of shares) {
    const { endpoint } = share;
    const known = byEndpoint.get(endpoint);
    byEndpoint.set(
      endpoint,
      known === undefined
        ? share
        : {
            endpoint,
            connections: addConnections(known.connections, share.connections),
            datagrams: addDatagramCounters(known.datagrams, share.datagrams),
          },
    );
  }
  return [...byEndpoint.values()];
}

/** The sum of what several processes have counted of one service. */
export const addShares = (shares: readonly ServiceShare[]): ServiceShare => ({
  listeners: addListeners(shares.flatMap(({ listeners }) => listeners)),
  counters: shares.reduce<Record<string, number>>((sum, { counters }) => addUp(sum, counters), {}),
});

/**
 * What is left of a process that has ended: its connections are no more, and those that it did not close itself are
 * counted as lost.
 */
export const shareOfDead = ({ listeners, counters }: ServiceShare): ServiceShare => ({
  listeners: listeners.map(({ endpoint, connections: { open, waiting, accepted, closed }, datagrams }) => ({
    endpoint,
    connections: {
      open: 0,
      waiting: 0,
      accepted,
      closed: open + waiting === 0 ? closed : addUp(closed, { 'worker-lost': open + waiting }),
    },
    datagrams,
  })),
  counters,
});

/**
 * Puts a service together. `endpoints` are what it listens on now; a listener that was is shown as long as something
 * was counted there.
 */
export function serviceStatus(
  name: string,
  endpoints: readonly string[],
  byWorker: readonly WorkerShare[],
  pairs: readonly ConnectionPair[],
  kernel: ReadonlyMap<string, KernelCounters> = new Map(),
): ServiceStatus {
  const whole = addShares([
    {
      listeners: endpoints.map((endpoint) => ({ endpoint, connections: NO_CONNECTIONS, datagrams: NO_DATAGRAMS })),
      counters: {},
    },
    ...byWorker,
  ]);
  const listeners = whole.listeners.map(({ endpoint, connections, datagrams }) => {
    const { backlog, drops } = kernel.get(endpoint) ?? { backlog: 0, drops: 0 };
    return {
      endpoint,
      connections,
      backlog,
      datagrams: { ...datagrams, droppedByKernel: datagrams.droppedByKernel + drops },
    };
  });
  return {
    name,
    endpoints,
    connections: listeners.reduce((sum, { connections }) => addConnections(sum, connections), NO_CONNECTIONS),
    backlog: listeners.reduce((sum, { backlog }) => sum + backlog, 0),
    datagrams: listeners.reduce((sum, { datagrams }) => addDatagramCounters(sum, datagrams), NO_DATAGRAMS),
    counters: whole.counters,
    listeners,
    byWorker,
    pairs,
  };
}
