// A reload as the primary begins and ends it: what the next workers serve, and which sockets that takes.

import { availableParallelism } from 'node:os';
import type { ResolvedNext } from '../resolved-options.ts';
import type { ArbiterEvent } from './arbiter-state.ts';
import type { PrimaryParts } from './primary-parts.ts';
import type { WorkerHandle } from './worker-handle.ts';

/**
 * Binds what the next generation needs, and returns what the arbiter has to decide on. Where it rejects, nothing has
 * changed.
 */
export async function prepareGeneration(
  parts: PrimaryParts,
  next: ResolvedNext | undefined,
): Promise<readonly ArbiterEvent[]> {
  const { options, pool, generations, listeners, dispatchers, tickets, bans } = parts;
  const number = pool.nextGeneration;
  const { current } = generations;
  if (next === undefined) {
    generations.begin(number, current);
    return [{ type: 'reload' }];
  }
  const services = generations.number(next.services);
  const slots = Array.from({ length: pool.target }, (_, index) => index + 1);
  const before = new Set(listeners.all());
  const sockets = await listeners.bindFor(services, slots);
  for (const socket of listeners.all()) {
    if (before.has(socket) || socket.via !== 'dispatch') continue;
    listeners.listens(socket);
    await dispatchers.start(socket);
  }
  const isNew = (service: number): boolean => !current.services.includes(service);
  tickets.add(
    next.services.filter((_, index) => isNew(services[index] ?? -1)),
    options.clock,
  );
  generations.begin(number, { services, sockets, workerData: next.workerData });
  for (const to of services.filter(isNew)) {
    const from = current.services.find((old) => options.services[old]?.name === options.services[to]?.name);
    if (from !== undefined) bans.inherit(from, to);
  }
  const isUnchanged =
    services.length === current.services.length &&
    !services.some(isNew) &&
    JSON.stringify(next.workerData) === JSON.stringify(current.workerData);
  const workers = next.workers === 'auto' ? availableParallelism() : next.workers;
  return [
    ...(workers === undefined || workers < 1 ? [] : [{ type: 'scale', by: workers - pool.target } as const]),
    // Where nothing has changed, it is asked for the sake of the code: then no connection is kept.
    { type: 'reload', keeps: !isUnchanged },
  ];
}

/** The reload has come to its end: sockets that no worker serves any more are closed. */
export async function settleGeneration(
  { generations, listeners, dispatchers, pool, lifecycle }: PrimaryParts,
  number: number,
  hasSucceeded: boolean,
): Promise<void> {
  if (hasSucceeded) generations.succeeded(number);
  else generations.failed(number);
  const { sockets } = generations.current;
  for (const socket of listeners.all()) if (!sockets.has(socket.id)) dispatchers.end(socket);
  if (hasSucceeded) {
    // What an older worker keeps may have changed by now.
    for (const { workerId, isKept } of pool.records) {
      const worker = pool.get(workerId);
      if (isKept === true && worker !== undefined)
        worker.send({ type: 'drain', graceMs: lifecycle.graceMs, keep: keptBy(worker, generations.current.services) });
    }
  }
  await listeners.keepOnly(sockets);
}

/** Of a worker that drains without a deadline, the services that are served on, by its own numbers. */
export const keptBy = ({ generation }: WorkerHandle, services: readonly number[]): readonly number[] =>
  (generation?.services ?? []).flatMap((service, index) => (services.includes(service) ? [index] : []));
