// A status as text for Prometheus (its exposition format, version 0.0.4). Pure.

import type { ServerStatus, ServiceStatus } from './status.ts';

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: (status: ServerStatus) => readonly Sample[];
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const perService = (value: (service: ServiceStatus) => number) => (status: ServerStatus): Sample[] =>
  status.services.map((service) => ({ labels: { service: service.name }, value: value(service) }));

const perEntry = (label: string, entries: (service: ServiceStatus) => Readonly<Partial<Record<string, number>>>) => (status: ServerStatus): Sample[] =>
  status.services.flatMap((service) => Object.entries(entries(service)).map(([key, value = 0]) => ({ labels: { service: service.name, [label]: key }, value })));

const METRICS: readonly Metric[] = [
  { name: 'wellknown_connections_open', type: 'gauge', help: 'Connections open now.', samples: perService((service) => service.connections.open) },
  { name: 'wellknown_connections_waiting', type: 'gauge', help: 'Accepted connections that wait for room.', samples: perService((service) => service.connections.waiting) },
  { name: 'wellknown_backlog', type: 'gauge', help: 'Connections in the accept queues of the kernel.', samples: perService((service) => service.backlog) },
  { name: 'wellknown_connections_accepted_total', type: 'counter', help: 'Connections accepted.', samples: perService((service) => service.connections.accepted) },
  { name: 'wellknown_connections_closed_total', type: 'counter', help: 'Connections closed, by reason.', samples: perEntry('reason', (service) => service.connections.closed) },
  { name: 'wellknown_datagrams_total', type: 'counter', help: 'Datagrams, by what became of them.', samples: perEntry('outcome', (service) => ({ ...service.datagrams })) },
  { name: 'wellknown_protocol_total', type: 'counter', help: 'What the protocol itself counts.', samples: perEntry('counter', (service) => service.counters) },
  {
    name: 'wellknown_worker_busy_ratio', type: 'gauge', help: 'The share of the last second that the event loop of a worker was busy.',
    samples: (status) => status.workers.map((worker) => ({ labels: { slot: String(worker.slot) }, value: worker.busy })),
  },
  {
    name: 'wellknown_workers', type: 'gauge', help: 'Workers, by state.',
    samples: (status) => (['starting', 'ready', 'draining'] as const).map((at) => ({ labels: { state: at }, value: status.workers.filter((worker) => worker.at === at).length })),
  },
];

/** A label's value: backslash, quote and line feed are escaped. */
const escapeLabel = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const labelsOf = (labels: Readonly<Record<string, string>>): string => Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',');

/** The whole status as metrics. Serve it as `text/plain; version=0.0.4`. */
export function prometheusText(status: ServerStatus): string {
  return METRICS.map(({ name, type, help, samples }) => {
    const lines = samples(status).map(({ labels, value }) => `${name}{${labelsOf(labels)}} ${value}`);
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map((line) => `${line}\n`).join('')}`;
  }).join('');
}
