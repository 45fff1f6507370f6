// The status of a whole program: what its workers say when they are asked, what they said before, and what the primary
// knows itself.

import type { ArbiterState } from './arbiter.ts';
import type { Dispatching } from './dispatcher-group.ts';
import { kernelCounters } from '../kernel/socket-counters.ts';
import type { ResolvedOptions } from '../options.ts';
import type { ListenerTable } from './listener-table.ts';
import { serviceStatus, type EventLoopStatus, type ServerStatus } from '../observe/status.ts';
import type { WorkerExits } from './worker-exits.ts';
import type { WorkerPool } from './worker-pool.ts';
import type { WorkerCounters } from './worker-counters.ts';

export interface PrimaryParts {
  readonly services: ResolvedOptions['services'];
  readonly pool: WorkerPool;
  readonly book: ListenerTable;
  readonly dispatching: Dispatching;
  readonly shares: WorkerCounters;
  readonly chronicle: WorkerExits;
  readonly state: () => ArbiterState;
  /** Of the primary itself. */
  readonly eventLoop: () => EventLoopStatus;
}

/** Those who can answer do; of the others the last beat is known. */
export async function primaryStatus({
  services,
  pool,
  book,
  dispatching,
  shares,
  chronicle,
  state,
  eventLoop,
}: PrimaryParts): Promise<ServerStatus> {
  const answers = await pool.askStatus();
  for (const { slot, workerId, services: told } of answers) {
    if (told.length > 0 && pool.get(workerId) !== undefined)
      shares.told(
        slot,
        workerId,
        told.map(({ share }) => share),
      );
  }
  const kernel = await kernelCounters(services.flatMap((_, index) => book.urlsOf(index)));
  const { workers, pool: started } = state();
  return {
    role: 'primary',
    pid: process.pid,
    eventLoop: eventLoop(),
    services: services.map(({ protocol }, index) => {
      const pairs = answers.flatMap((answer) => answer.services[index]?.pairs ?? []);
      return serviceStatus(
        protocol.name,
        book.urlsOf(index),
        [...dispatching.shareOf(index), ...shares.of(index)],
        pairs,
        kernel,
      );
    }),
    workers: workers.map((record) => ({
      slot: record.slot,
      pid: pool.pidOf(record.workerId),
      at: record.at,
      generation: record.generation,
      eventLoop: record.eventLoop,
    })),
    supervision: { started, ended: chronicle.ended },
  };
}
