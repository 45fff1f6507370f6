// What a server tells of itself: its status, as Prometheus text, and what it asks of a metrics library.

export { prometheusText } from './prometheus-text.ts';
export type { MetricSettings, MetricsLibrary } from './prom-client-adapter.ts';
export type { ConnectionFilter, ConnectionPage, OpenConnection } from './open-connections.ts';
export type {
  ConnectionCounters,
  EventLoopStatus,
  ListenerStatus,
  ServerStatus,
  ServiceStatus,
  WorkerEnd,
  WorkerPhase,
  WorkerShare,
} from './status.ts';
