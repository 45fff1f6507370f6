// The metrics that a status comes to, as a table: the text for Prometheus and the objects of prom-client are made from
// it. Pure. Labels are bounded: services, listeners, worker slots and reasons, never an address or a process.

import type {
  EventLoopStatus,
  MemoryStatus,
  ListenerShare,
  ListenerStatus,
  ServerStatus,
  ServiceStatus,
} from './status.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labelNames: readonly string[];
  /** It is of a process, and several servers in one say the same: they are not added up. */
  readonly isOfProcess?: true;
  readonly samples: (status: ServerStatus) => readonly Sample[];
}

type Counts = Readonly<Partial<Record<string, number>>>;
type Family = Omit<MetricFamily, 'name'>;

type Rows = Pick<Family, 'labelNames' | 'samples'>;
type Kind = 'streams' | 'datagrams';

const isOf =
  (kind: Kind) =>
  ({ endpoint }: ListenerShare): boolean =>
    endpoint.startsWith('udp:') === (kind === 'datagrams');

const perListener = (kind: Kind, value: (listener: ListenerStatus) => number): Rows => ({
  labelNames: ['service', 'listener'],
  samples: ({ services }) =>
    services.flatMap(({ name, listeners }) =>
      listeners
        .filter(isOf(kind))
        .map((listener) => ({ labels: { service: name, listener: listener.endpoint }, value: value(listener) })),
    ),
});

/** One for each listener of each worker. */
const perShare = (value: (share: ListenerShare) => number): Rows => ({
  labelNames: ['service', 'listener', 'worker'],
  samples: (status) => sharesOf('streams', status).map(({ labels, share }) => ({ labels, value: value(share) })),
});

/** One for each listener of each worker and each entry of a record. */
const perEntry = (kind: Kind, label: string, entries: (share: ListenerShare) => Counts): Rows => ({
  labelNames: ['service', 'listener', 'worker', label],
  samples: (status) =>
    sharesOf(kind, status).flatMap(({ labels, share }) =>
      Object.entries(entries(share)).map(([key, count = 0]) => ({ labels: { ...labels, [label]: key }, value: count })),
    ),
});

const sharesOf = (
  kind: Kind,
  { services }: ServerStatus,
): { readonly labels: Record<string, string>; readonly share: ListenerShare }[] =>
  services.flatMap(({ name, byWorker }) =>
    byWorker.flatMap(({ slot, listeners }) =>
      listeners
        .filter(isOf(kind))
        .map((share) => ({ labels: { service: name, listener: share.endpoint, worker: String(slot) }, share })),
    ),
  );

interface ProcessStatus {
  readonly eventLoop: EventLoopStatus;
  readonly memory: MemoryStatus;
}

/** Of every process that there is: the primary or the server that is alone is 0, as it is in `byWorker`. */
const perProcess = (value: (process: ProcessStatus) => number): Rows => ({
  labelNames: ['worker'],
  samples: ({ eventLoop, memory, workers }) => [
    { labels: { worker: '0' }, value: value({ eventLoop, memory }) },
    // Two workers of one slot are there while one replaces the other: the one that serves is shown.
    ...workers
      .filter(({ at }) => at === 'ready')
      .map((worker) => ({ labels: { worker: String(worker.slot) }, value: value(worker) })),
  ],
});

/** What the kernel drops has no worker, and a metric of its own. */
const outcomesOf = ({ datagrams }: ListenerShare): Counts =>
  Object.fromEntries(Object.entries(datagrams).filter(([outcome]) => outcome !== 'droppedByKernel'));

const protocolCounts = ({ name, byWorker }: ServiceStatus): Sample[] =>
  byWorker.flatMap(({ slot, counters }) =>
    Object.entries(counters).map(([counter, value]) => ({
      labels: { service: name, worker: String(slot), counter },
      value,
    })),
  );

const FAMILIES: Readonly<Record<string, Family>> = {
  wellknown_connections_open: {
    type: 'gauge',
    help: 'Connections open now.',
    ...perShare(({ connections }) => connections.open),
  },
  wellknown_connections_waiting: {
    type: 'gauge',
    help: 'Accepted connections that wait for room.',
    ...perShare(({ connections }) => connections.waiting),
  },
  wellknown_backlog: {
    type: 'gauge',
    help: 'Connections in the accept queue of the kernel.',
    ...perListener('streams', ({ backlog }) => backlog),
  },
  wellknown_connections_accepted_total: {
    type: 'counter',
    help: 'Connections accepted.',
    ...perShare(({ connections }) => connections.accepted),
  },
  wellknown_connections_closed_total: {
    type: 'counter',
    help: 'Connections closed, by reason.',
    ...perEntry('streams', 'reason', ({ connections }) => connections.closed),
  },
  wellknown_datagrams_total: {
    type: 'counter',
    help: 'Datagrams, by what became of them.',
    ...perEntry('datagrams', 'outcome', outcomesOf),
  },
  wellknown_datagrams_dropped_by_kernel_total: {
    type: 'counter',
    help: 'Datagrams that the kernel dropped unread.',
    ...perListener('datagrams', ({ datagrams }) => datagrams.droppedByKernel),
  },
  wellknown_protocol_total: {
    type: 'counter',
    help: 'What the protocol itself counts.',
    labelNames: ['service', 'worker', 'counter'],
    samples: ({ services }) => services.flatMap(protocolCounts),
  },
  wellknown_event_loop_busy_ratio: {
    type: 'gauge',
    help: 'The share of the last second that the event loop was busy.',
    isOfProcess: true,
    ...perProcess(({ eventLoop }) => eventLoop.busy),
  },
  wellknown_event_loop_delay_mean_seconds: {
    type: 'gauge',
    help: 'How late the event loop was in the last second, on average.',
    isOfProcess: true,
    ...perProcess(({ eventLoop }) => eventLoop.delayMs.mean / 1000),
  },
  wellknown_event_loop_delay_max_seconds: {
    type: 'gauge',
    help: 'How late the event loop was in the last second, at the worst.',
    isOfProcess: true,
    ...perProcess(({ eventLoop }) => eventLoop.delayMs.max / 1000),
  },
  wellknown_resident_memory_bytes: {
    type: 'gauge',
    help: 'Memory of the process, as the system counts it.',
    isOfProcess: true,
    ...perProcess(({ memory }) => memory.residentBytes),
  },
  wellknown_unsent_bytes: {
    type: 'gauge',
    help: 'Bytes that were written for slow readers and wait in the process.',
    ...perProcess(({ memory }) => memory.unsentBytes),
  },
  wellknown_limits_exchange: {
    type: 'gauge',
    help: 'Whether limits are shared with other machines now; while it is lost, this one counts for itself.',
    isOfProcess: true,
    labelNames: ['state'],
    samples: ({ limitsExchange: exchange }) =>
      exchange === undefined
        ? []
        : (['connected', 'lost'] as const).map((state) => ({
            labels: { state },
            value: exchange.connected === (state === 'connected') ? 1 : 0,
          })),
  },
  wellknown_limits_exchange_messages_total: {
    type: 'counter',
    help: 'Messages about shared limits, by what became of them: told, received, or lost.',
    labelNames: ['outcome'],
    samples: ({ limitsExchange: exchange }) =>
      exchange === undefined
        ? []
        : (['told', 'received', 'lost'] as const).map((outcome) => ({ labels: { outcome }, value: exchange[outcome] })),
  },
  wellknown_workers: {
    type: 'gauge',
    help: 'Workers, by state.',
    labelNames: ['state'],
    samples: ({ workers }) =>
      (['starting', 'ready', 'draining'] as const).map((at) => ({
        labels: { state: at },
        value: workers.filter((worker) => worker.at === at).length,
      })),
  },
  wellknown_workers_started_total: {
    type: 'counter',
    help: 'Workers started.',
    labelNames: [],
    samples: ({ supervision }) => [{ labels: {}, value: supervision.started }],
  },
  wellknown_workers_ended_total: {
    type: 'counter',
    help: 'Workers that are no more, by reason.',
    labelNames: ['reason'],
    samples: ({ supervision }) =>
      Object.entries(supervision.ended).map(([reason, value]) => ({ labels: { reason }, value })),
  },
};

export const METRICS: readonly MetricFamily[] = Object.entries(FAMILIES).map(([name, family]) => ({ name, ...family }));
