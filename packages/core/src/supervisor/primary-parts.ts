// What a primary is made of: each part owns the state of one concept, and none knows the primary.

import { availableParallelism } from 'node:os';
import { TicketKeys } from '../connection/ticket-keys.ts';
import type { Inheritance } from '../listener/inheritance.ts';
import { sharedLimitsOf, type SharedLimits } from '../accept/shared-limits.ts';
import type { Numbered, ResolvedOptions, ResolvedService } from '../resolved-options.ts';
import { DEFAULT_POLICY } from './arbiter-state.ts';
import { Generations } from './generations.ts';
import { DispatcherGroup } from './dispatcher-group.ts';
import { ListenerTable } from './listener-table.ts';
import { PoolBans } from './pool-bans.ts';
import { PoolConnections } from './pool-connections.ts';
import { PoolLimits } from './pool-limits.ts';
import { PoolLogLevel } from './pool-log-level.ts';
import { PoolPlaces } from './pool-places.ts';
import { PrimaryLifecycle } from './primary-lifecycle.ts';
import { WorkerCounters } from './worker-counters.ts';
import { WorkerPool } from './worker-pool.ts';
import { forkWorker, type WorkerEvents } from './worker-process.ts';

export interface PrimaryParts {
  readonly options: Numbered<'log' | 'metrics' | 'clock' | 'runAs'>;
  readonly generations: Generations;
  readonly lifecycle: PrimaryLifecycle;
  readonly pool: WorkerPool;
  readonly listeners: ListenerTable;
  readonly dispatchers: DispatcherGroup;
  readonly limits: PoolLimits;
  readonly bans: PoolBans;
  readonly places: PoolPlaces;
  /** Where limits hold over several machines. */
  readonly shared: SharedLimits | undefined;
  readonly counters: WorkerCounters;
  readonly tickets: TicketKeys;
  readonly connections: PoolConnections;
  readonly logLevel: PoolLogLevel;
}

/** Makes the parts. Nothing is bound or forked yet; what workers do then is told to `events`. */
export function createPrimaryParts(
  given: ResolvedOptions,
  inheritance: Inheritance,
  events: WorkerEvents,
): PrimaryParts {
  const { clock, log, runAs } = given;
  // A reload brings more.
  const services: (ResolvedService | undefined)[] = [...given.services];
  const options = { ...given, services };
  const generations = new Generations(services, given.workerData);
  const workerCount = options.workers === 'auto' ? availableParallelism() : options.workers;
  const pool = new WorkerPool({
    clock,
    policy: { ...DEFAULT_POLICY, ...options.policy },
    workerCount,
    fork: (slot, workerId, number) =>
      forkWorker({ slot, workerId, workerCount, runAs, clock, log, events, generation: generations.of(number) }),
  });
  const listeners = new ListenerTable(options, inheritance);
  const counters = new WorkerCounters();
  const shared = sharedLimitsOf(options, () => generations.current.services);
  return {
    options,
    generations,
    lifecycle: new PrimaryLifecycle(options.drainTimeoutMs),
    pool,
    listeners,
    dispatchers: new DispatcherGroup(options, pool, (socket) => listeners.ownerOf(socket)),
    limits: new PoolLimits(options, pool, counters, shared),
    bans: new PoolBans(options, pool, shared),
    places: new PoolPlaces(options, pool),
    shared,
    counters,
    connections: new PoolConnections(services, pool),
    logLevel: new PoolLogLevel(log, pool),
    tickets: new TicketKeys(given.services, (key) => {
      for (const worker of pool.all()) worker.send({ type: 'ticket-key', key });
    }),
  };
}
