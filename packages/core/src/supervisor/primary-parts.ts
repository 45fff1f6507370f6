// What a primary is made of: each part owns the state of one concept, and none knows the primary.

import { availableParallelism } from 'node:os';
import { TicketKeys } from '../connection/ticket-keys.ts';
import type { Inheritance } from '../listener/inheritance.ts';
import type { ResolvedOptions } from '../options.ts';
import { DEFAULT_POLICY } from './arbiter-state.ts';
import { DispatcherGroup } from './dispatcher-group.ts';
import { ListenerTable } from './listener-table.ts';
import { PoolBans } from './pool-bans.ts';
import { PoolConnections } from './pool-connections.ts';
import { PoolLimits } from './pool-limits.ts';
import { PoolLogLevel } from './pool-log-level.ts';
import { PrimaryLifecycle } from './primary-lifecycle.ts';
import { WorkerCounters } from './worker-counters.ts';
import { WorkerPool } from './worker-pool.ts';
import { forkWorker, type WorkerEvents } from './worker-process.ts';

export interface PrimaryParts {
  readonly options: Pick<ResolvedOptions, 'services' | 'log' | 'metrics'>;
  readonly lifecycle: PrimaryLifecycle;
  readonly pool: WorkerPool;
  readonly listeners: ListenerTable;
  readonly dispatchers: DispatcherGroup;
  readonly limits: PoolLimits;
  readonly bans: PoolBans;
  readonly counters: WorkerCounters;
  readonly tickets: TicketKeys;
  readonly connections: PoolConnections;
  readonly logLevel: PoolLogLevel;
}

/** Makes the parts. Nothing is bound or forked yet; what workers do then is told to `events`. */
export function createPrimaryParts(
  options: ResolvedOptions,
  inheritance: Inheritance,
  events: WorkerEvents,
): PrimaryParts {
  const { clock, log, services, runAs } = options;
  const workerCount = options.workers === 'auto' ? availableParallelism() : options.workers;
  const pool = new WorkerPool({
    clock,
    policy: { ...DEFAULT_POLICY, ...options.policy },
    workerCount,
    fork: (slot, workerId) => forkWorker({ slot, workerId, workerCount, runAs, clock, log, events }),
  });
  return {
    options,
    lifecycle: new PrimaryLifecycle(options.drainTimeoutMs),
    pool,
    listeners: new ListenerTable(options, inheritance),
    dispatchers: new DispatcherGroup(options, pool),
    limits: new PoolLimits(options, pool),
    bans: new PoolBans(options, pool),
    counters: new WorkerCounters(),
    connections: new PoolConnections(
      services.map(({ protocol }) => protocol.name),
      pool,
    ),
    logLevel: new PoolLogLevel(log, pool),
    tickets: new TicketKeys(services, (key) => {
      for (const worker of pool.all()) worker.send({ type: 'ticket-key', key });
    }),
  };
}
