import type { CloseReason } from './connection-state.ts';
import type { DatagramCounters } from './datagram-socket.ts';
import type { WorkerRecord } from './arbiter.ts';

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
  readonly workers: readonly { readonly slot: number; readonly pid: number; readonly at: WorkerRecord['at'] }[];
}

const addUp = (a: Readonly<Partial<Record<string, number>>>, b: Readonly<Partial<Record<string, number>>>): Record<string, number> => {
  const sum: Record<string, number> = {};
  for (const [key, count = 0] of [...Object.entries(a), ...Object.entries(b)]) sum[key] = (sum[key] ?? 0) + count;
  return sum;
};

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
    datagrams: {
      received: a.datagrams.received + b.datagrams.received,
      sent: a.datagrams.sent + b.datagrams.sent,
      droppedQueueFull: a.datagrams.droppedQueueFull + b.datagrams.droppedQueueFull,
      failed: a.datagrams.failed + b.datagrams.failed,
    },
    counters: addUp(a.counters, b.counters),
  };
}
