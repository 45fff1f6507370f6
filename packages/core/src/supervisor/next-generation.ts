// A reload as the primary begins and ends it: what the next workers serve, and which sockets that takes.

import { availableParallelism } from 'node:os';
import { currentLogLevel } from '../log.ts';
import type { ResolvedNext, ResolvedNextSettings } from '../resolved-options.ts';
import { DEFAULT_POLICY, type ArbiterEvent } from './arbiter-state.ts';
import type { Owner } from './generations.ts';
import type { PrimaryParts } from './primary-parts.ts';
import { releaseServices } from './release-services.ts';
import type { WorkerHandle } from './worker-handle.ts';

/**
 * Binds what the next generation needs, and returns what the arbiter has to decide on. Where it rejects, nothing has
 * changed.
 */
export async function prepareGeneration(
  parts: PrimaryParts,
  next: ResolvedNext | undefined,
): Promise<readonly ArbiterEvent[]> {
  const { options, pool, generations, tickets, bans } = parts;
  const number = pool.nextGeneration;
  const { current } = generations;
  if (next === undefined) {
    generations.begin(number, current);
    return [{ type: 'reload' }];
  }
  // A logger that has no level is told of before anything begins.
  if (next.settings?.logLevel !== undefined) currentLogLevel(options.log);
  const services = generations.number(next.services);
  const sockets = await bindNext(parts, services);
  const isNew = (service: number): boolean => !current.services.includes(service);
  tickets.add(
    next.services.filter((_, index) => isNew(services[index] ?? -1)),
    options.clock,
  );
  const succeeded = (): void => {
    next.succeeded?.();
    if (next.settings !== undefined) changeSettings(parts, next.settings);
  };
  generations.begin(number, { services, sockets, workerData: next.workerData, succeeded });
  for (const to of services.filter(isNew)) {
    const from = current.services.find((old) => options.services[old]?.name === options.services[to]?.name);
    if (from !== undefined) bans.inherit(from, to);
  }
  const isUnchanged =
    services.length === current.services.length &&
    !services.some(isNew) &&
    JSON.stringify(next.workerData) === JSON.stringify(current.workerData);
  const workers = next.workers === 'auto' ? availableParallelism() : next.workers;
  // Where nothing has changed, it is asked for the sake of the code: then no connection is kept.
  return [{ type: 'reload', keeps: !isUnchanged, ...(workers === undefined ? {} : { target: workers }) }];
}

/** Where it rejects, what it has taken is given back. */
async function bindNext(parts: PrimaryParts, services: readonly number[]): Promise<ReadonlyMap<number, Owner>> {
  const { pool, listeners, dispatchers, generations } = parts;
  const slots = Array.from({ length: pool.target }, (_, index) => index + 1);
  const before = new Set(listeners.all());
  try {
    const sockets = await listeners.bindFor(services, slots);
    for (const socket of listeners.all()) {
      if (before.has(socket) || socket.via !== 'dispatch') continue;
      listeners.listens(socket);
      await dispatchers.start(socket);
    }
    return sockets;
  } catch (error) {
    generations.dropNumbered();
    await closeUnused(parts);
    releaseServices(parts);
    throw error;
  }
}

/** Sockets of which the present generation has no use are closed. */
async function closeUnused({ generations, listeners, dispatchers, pool }: PrimaryParts): Promise<void> {
  const { sockets } = generations.current;
  for (const socket of listeners.all()) if (!sockets.has(socket.id)) dispatchers.end(socket);
  const closed = listeners.keepOnly(sockets);
  // Workers of a reload that has failed serve until they have successors.
  listeners.updateAssignments(pool.assignable());
  await closed;
}

function changeSettings(
  { pool, lifecycle, logLevel: levels }: PrimaryParts,
  { policy, drainTimeoutMs, logLevel }: ResolvedNextSettings,
): void {
  pool.changePolicy({ ...DEFAULT_POLICY, ...policy });
  lifecycle.drainTimeoutMs = drainTimeoutMs;
  if (logLevel !== undefined) levels.change(logLevel);
}

/** The reload has come to its end: sockets that are not served any more are closed. */
export async function settleGeneration(parts: PrimaryParts, number: number, hasSucceeded: boolean): Promise<void> {
  const { generations, pool, lifecycle } = parts;
  if (hasSucceeded) generations.succeeded(number);
  else generations.failed(number);
  if (hasSucceeded) {
    // What an older worker keeps may have changed by now.
    for (const { workerId, isKept } of pool.records) {
      const worker = pool.get(workerId);
      if (isKept === true && worker !== undefined)
        worker.send({ type: 'drain', graceMs: lifecycle.graceMs, keep: keptBy(worker, generations.current.services) });
    }
  }
  await closeUnused(parts);
  releaseServices(parts);
}

/** Of a worker that drains without a deadline, the services that are served on, by its own numbers. */
export const keptBy = ({ generation }: WorkerHandle, services: readonly number[]): readonly number[] =>
  (generation?.services ?? []).flatMap((service, index) => (services.includes(service) ? [index] : []));
