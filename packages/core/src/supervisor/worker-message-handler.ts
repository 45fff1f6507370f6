// What the primary hears from its workers, and whom it concerns: the arbiter, the sockets, the dispatchers, the limits,
// the counters.

import type { ArbiterEvent, ArbiterState } from './arbiter.ts';
import type { Dispatching } from './dispatcher-group.ts';
import type { ResolvedOptions } from '../options.ts';
import type { PoolLimits } from './pool-limits.ts';
import type { ListenerTable } from './listener-table.ts';
import type { ServiceShare } from '../observe/status.ts';
import type { TicketKeys } from '../connection/ticket-keys.ts';
import type { WorkerHandle, WorkerPool } from './worker-pool.ts';
import type { FromWorker } from './worker-messages.ts';
import type { WorkerCounters } from './worker-counters.ts';

export interface Hearing {
  readonly options: Pick<ResolvedOptions, 'log' | 'metrics'>;
  readonly pool: WorkerPool;
  readonly book: ListenerTable;
  readonly dispatching: Dispatching;
  readonly limits: PoolLimits;
  readonly shares: WorkerCounters;
  readonly tickets: TicketKeys;
  /** As the arbiter sees the workers now. */
  readonly state: () => ArbiterState;
  /** How long a worker may drain. */
  readonly graceMs: () => number;
  readonly observe: (events: readonly ArbiterEvent[]) => void;
  /** Who may accept from what has changed. */
  readonly updateLoans: () => void;
  /** A worker has said why it could not start. */
  readonly failed: (message: string) => void;
}

/** Handles one message of a worker. */
export function createHearing({
  options,
  pool,
  book,
  dispatching,
  limits,
  shares,
  tickets,
  state,
  graceMs,
  observe,
  updateLoans,
  failed,
}: Hearing): (workerId: WorkerHandle, message: FromWorker) => void {
  const lendTo = async (workerId: WorkerHandle): Promise<void> => {
    await book.bindForSlot(workerId.slot);
    workerId.hasAsked = true;
    updateLoans();
    pool.send(workerId.workerId, {
      type: 'lent',
      endpoints: book.endpoints().map(({ service, url }) => ({ service, endpoint: url })),
    });
  };

  const greet = (workerId: WorkerHandle): void => {
    workerId.hasSaidHello = true;
    // Told to drain while it was starting, and a program that handles SIGTERM by itself has started nevertheless.
    if (state().workers.find((worker) => worker.workerId === workerId.workerId)?.at === 'draining') {
      pool.send(workerId.workerId, { type: 'drain', graceMs: graceMs() });
      return;
    }
    if (tickets.current !== undefined) pool.send(workerId.workerId, { type: 'ticket-key', key: tickets.current });
    limits.introduce(workerId, state());
    lendTo(workerId).catch((error: unknown) => {
      options.log.error({ err: error, slot: workerId.slot }, 'a worker could not be given its sockets');
      pool.kill(workerId.workerId, 'SIGTERM');
    });
  };

  return (workerId, message) => {
    switch (message.type) {
      case 'hello':
        greet(workerId);
        return;
      case 'ready':
        observe([{ type: 'ready', workerId: workerId.workerId }]);
        return;
      case 'beat':
        shares.told(workerId.slot, workerId.workerId, message.services);
        options.metrics?.sampled(workerId.slot, message.eventLoop);
        observe([
          {
            type: 'beat',
            workerId: workerId.workerId,
            served: servedBy(message.services),
            eventLoop: message.eventLoop,
          },
        ]);
        return;
      case 'failed':
        failed(message.message);
        pool.kill(workerId.workerId, 'SIGTERM');
        return;
      case 'leaving':
        observe([{ type: 'leaving', workerId: workerId.workerId }]);
        return;
      case 'full':
        workerId.fullServices.add(message.service);
        book.forgetLoans(workerId.workerId, message.service);
        updateLoans();
        return;
      case 'room':
        workerId.fullServices.delete(message.service);
        updateLoans();
        dispatching.pump();
        return;
      case 'taken':
      case 'returned':
      case 'closed':
        dispatching.heard(message);
        return;
      case 'lease':
      case 'release':
        limits.heard(workerId.workerId, message);
        return;
      case 'quota':
        limits.heard(workerId.workerId, message);
        limits.balance(state());
        return;
      // The one who asked hears it.
      case 'status':
    }
  };
}

/** Connections that it has accepted since it was started. */
const servedBy = (services: readonly ServiceShare[]): number =>
  services.reduce(
    (sum, { listeners }) => listeners.reduce((whole, { connections }) => whole + connections.accepted, sum),
    0,
  );
