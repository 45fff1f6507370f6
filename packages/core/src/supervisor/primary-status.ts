// The status of a whole program: what its workers say when they are asked, what they said before, and what the primary
// knows itself.

import { residentBytes } from '../kernel/process-limits.ts';
import { NO_MEMORY, serviceStatus, type EventLoopStatus, type ServerStatus } from '../observe/status.ts';
import type { PrimaryParts } from './primary-parts.ts';
import type { ServiceAnswer } from './worker-messages.ts';

interface WorkerAnswer {
  readonly slot: number;
  readonly workerId: number;
  /** Nothing of one that did not answer in time. */
  readonly answered: readonly ServiceAnswer[];
}

/** Asks all workers what they are serving. What they have counted is remembered as that of a beat is. */
export async function askWorkers({
  pool,
  counters,
}: Pick<PrimaryParts, 'pool' | 'counters'>): Promise<readonly WorkerAnswer[]> {
  // One that is loading hears nothing yet, and has nothing to tell.
  const running = pool.all().filter(({ stage }) => stage !== 'loading');
  const answers = await Promise.all(
    running.map(async ({ slot, workerId, questions }) => ({ slot, workerId, answered: await questions.status() })),
  );
  for (const { slot, workerId, answered } of answers) {
    if (answered.length > 0 && pool.get(workerId) !== undefined)
      counters.told(
        slot,
        workerId,
        answered.map(({ share }) => share),
      );
  }
  return answers;
}

/** Workers that are asked and can answer do; of the others the last beat is known. `eventLoop` is the primary's own. */
export async function primaryStatus(
  {
    options: { services: all },
    generations,
    pool,
    listeners,
    dispatchers,
    counters,
    lifecycle,
    shared,
  }: Pick<
    PrimaryParts,
    'options' | 'generations' | 'pool' | 'listeners' | 'dispatchers' | 'counters' | 'lifecycle' | 'shared'
  >,
  eventLoop: () => EventLoopStatus,
  asksWorkers: boolean,
): Promise<ServerStatus> {
  const answers = asksWorkers ? await askWorkers({ pool, counters }) : [];
  const { services } = generations.current;
  const kernel = await listeners.kernelCounters();
  return {
    role: 'primary',
    pid: process.pid,
    state: lifecycle.state,
    eventLoop: eventLoop(),
    // The primary writes nothing for peers.
    memory: { residentBytes: residentBytes(), unsentBytes: 0 },
    services: services.map((index) => {
      const name = all[index]?.name ?? '';
      // What a reload has changed was another service before, of which connections may still drain.
      const numbers = [...all.keys()].filter((number) => all[number]?.name === name);
      const pairs = answers.flatMap(({ answered }) => numbers.flatMap((number) => answered[number]?.pairs ?? []));
      return serviceStatus(
        name,
        listeners.urlsOf(index),
        [...dispatchers.shareOf(index), ...counters.of(...numbers)],
        pairs,
        kernel(name),
      );
    }),
    workers: pool.records.map(({ slot, workerId, at, generation, eventLoop: loop }) => ({
      slot,
      pid: pool.get(workerId)?.pid ?? 0,
      at,
      generation,
      eventLoop: loop,
      memory: pool.get(workerId)?.memory ?? NO_MEMORY,
    })),
    ...(shared === undefined ? {} : { limitsExchange: shared.status() }),
    supervision: { started: pool.started, ended: pool.exits.ended },
  };
}
