// The status of a whole program: what its workers say when they are asked, what they said before, and what the primary
// knows itself.

import type { ArbiterState } from './arbiter.ts';
import type { Dispatching } from './dispatcher-group.ts';
import { kernelCounters } from '../kernel/socket-counters.ts';
import type { ResolvedOptions } from '../options.ts';
import type { SocketBook } from './listener-table.ts';
import { serviceStatus, type EventLoopStatus, type ServerStatus } from '../observe/status.ts';
import type { WorkerChronicle } from './worker-exits.ts';
import type { WorkerLives } from './worker-pool.ts';
import type { WorkerShares } from './worker-counters.ts';

export interface PrimaryParts {
  readonly services: ResolvedOptions['services'];
  readonly lives: WorkerLives;
  readonly book: SocketBook;
  readonly dispatching: Dispatching;
  readonly shares: WorkerShares;
  readonly chronicle: WorkerChronicle;
  readonly state: () => ArbiterState;
  /** Of the primary itself. */
  readonly eventLoop: () => EventLoopStatus;
}

/** Those who can answer do; of the others the last beat is known. */
export async function primaryStatus({
  services,
  lives,
  book,
  dispatching,
  shares,
  chronicle,
  state,
  eventLoop,
}: PrimaryParts): Promise<ServerStatus> {
  const answers = await lives.askStatus();
  for (const { slot, life, services: told } of answers) {
    if (told.length > 0 && lives.get(life) !== undefined)
      shares.told(
        slot,
        life,
        told.map(({ share }) => share),
      );
  }
  const kernel = await kernelCounters(services.flatMap((_, index) => book.urlsOf(index)));
  const { workers, lives: started } = state();
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
      pid: lives.pidOf(record.life),
      at: record.at,
      generation: record.generation,
      eventLoop: record.eventLoop,
    })),
    supervision: { started, ended: chronicle.ended },
  };
}
