// Metrics by interface. A metrics library is three constructors, as prom-client has them, so that its module is passed
// as it is:
//
//     import prometheus from 'prom-client';
//     await serve(daytime, { workers: 'auto', metrics: prometheus });
//
// Nothing is pushed while connections come and go: when the library collects, the status is asked for, once for all
// metrics, and over all workers. The one exception is the delay of the event loop, whose distribution a status cannot
// hold: each second of each process is an observation in a histogram.

import { WellknownError } from '../errors.ts';
import { EndedCounts, type TakenStatus } from './ended-counts.ts';
import { METRICS, type MetricFamily } from './metric-families.ts';
import type { EventLoopStatus, ServerStatus } from './status.ts';

type Labels = Readonly<Record<string, string>>;

/** What core tells a constructor. */
export interface MetricSettings<Metric> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  /** What `registers` of the library was, untouched. */
  readonly registers?: never[];
  /** Called before the values are read; a promise is waited for. */
  readonly collect?: (this: Metric) => void | Promise<void>;
}

/** A server, as far as its metrics are concerned. */
export interface StatusSource {
  status(): Promise<ServerStatus>;
  readonly ended: Promise<void>;
}

interface Countable {
  inc(labels: Labels, value: number): void;
  reset(): void;
}

interface Observable {
  observe(labels: Labels, value: number): void;
}

/** What core asks of a metrics library. prom-client 15 fits as it is, with its default registry. */
export interface MetricsLibrary {
  readonly Counter: new (settings: MetricSettings<Countable>) => Countable;
  readonly Gauge: new (settings: MetricSettings<Countable>) => Countable;
  readonly Histogram: new (settings: MetricSettings<Observable> & { readonly buckets: number[] }) => Observable;
  /** Other registries than the default one: `{ ...prometheus, registers: [registry] }`. */
  readonly registers?: readonly object[];
}

/** The metrics of all servers of this process that were given the same library. */
export interface ServerMetrics {
  /** Registers the metrics, and tells of this server until it has ended. */
  watch(server: StatusSource): void;
  /** A second of an event loop is over. */
  sampled(worker: number, loop: EventLoopStatus): void;
}

// From what is not felt to what a heartbeat is missed by.
const DELAY_BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A registry refuses a second metric of the same name: two servers with one library share theirs. */
const known = new WeakMap<MetricsLibrary, ServerMetrics>();

/** Throws OPTION_INVALID for what is no metrics library. */
export function metricsOf(library: MetricsLibrary): ServerMetrics {
  for (const name of ['Counter', 'Gauge', 'Histogram'] as const) {
    if (typeof library[name] !== 'function') {
      throw new WellknownError(
        'OPTION_INVALID',
        `option 'metrics' has no constructor ${name}, allowed is what prom-client exports: Counter, Gauge and Histogram`,
        { fault: 'local' },
      );
    }
  }
  const metrics = known.get(library) ?? createMetrics(library);
  known.set(library, metrics);
  return metrics;
}

function createMetrics(library: MetricsLibrary): ServerMetrics {
  const servers = new Map<StatusSource, { hasEnded: boolean }>();
  const ended = new EndedCounts();
  // Handed on to constructors that know what they are.
  const registers = library.registers === undefined ? {} : { registers: [...library.registers] as never[] };
  let pending: Promise<readonly TakenStatus[]> | undefined;
  let delays: Observable | undefined;

  /** The library collects all its metrics in one go, and they shall be of one moment. */
  const statuses = (): Promise<readonly TakenStatus[]> =>
    (pending ??= Promise.all(
      [...servers].map(async ([server, { hasEnded }]) => ({ status: await server.status(), hasEnded })),
    ).finally(() => (pending = undefined)));

  const register = (family: MetricFamily): void => {
    const { type, name, help, labelNames } = family;
    const Metric = type === 'counter' ? library.Counter : library.Gauge;
    new Metric({
      name,
      help,
      labelNames: [...labelNames],
      ...registers,
      async collect() {
        const all = await statuses();
        this.reset();
        for (const { labels, value } of ended.join(family, all)) this.inc(labels, value);
      },
    });
  };

  const forget = async (server: StatusSource, known: { hasEnded: boolean }): Promise<void> => {
    known.hasEnded = true;
    const last = await server.status().catch(() => undefined);
    if (last !== undefined) ended.add(last);
    servers.delete(server);
  };

  return {
    watch(server) {
      if (delays === undefined) {
        METRICS.forEach(register);
        delays = new library.Histogram({
          name: 'wellknown_event_loop_delay_seconds',
          help: 'How late the event loop was at the worst, in each second.',
          labelNames: ['worker'],
          buckets: DELAY_BUCKETS_SECONDS,
          ...registers,
        });
      }
      const known = { hasEnded: false };
      servers.set(server, known);
      const hasEnded = (): void => void forget(server, known);
      server.ended.then(hasEnded, hasEnded);
    },
    sampled: (worker, { delayMs }) => delays?.observe({ worker: String(worker) }, delayMs.max / 1000),
  };
}
