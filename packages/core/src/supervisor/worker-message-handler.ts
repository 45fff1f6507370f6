// What the primary hears from its workers, and whom it concerns: the arbiter, the sockets, the dispatchers, the limits,
// the counters.

import type { ArbiterEvent, ArbiterState } from './arbiter.ts';
import type { Dispatching } from './dispatcher-group.ts';
import type { ResolvedOptions } from '../options.ts';
import type { PoolLimits } from './pool-limits.ts';
import type { SocketBook } from './listener-table.ts';
import type { ServiceShare } from '../observe/status.ts';
import type { TicketKeys } from '../connection/ticket-keys.ts';
import type { Life, WorkerLives } from './worker-pool.ts';
import type { FromWorker } from './worker-messages.ts';
import type { WorkerShares } from './worker-counters.ts';

export interface Hearing {
  readonly options: Pick<ResolvedOptions, 'log' | 'metrics'>;
  readonly lives: WorkerLives;
  readonly book: SocketBook;
  readonly dispatching: Dispatching;
  readonly limits: PoolLimits;
  readonly shares: WorkerShares;
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
  lives,
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
}: Hearing): (life: Life, message: FromWorker) => void {
  const lendTo = async (life: Life): Promise<void> => {
    await book.bindForSlot(life.slot);
    life.hasAsked = true;
    updateLoans();
    lives.send(life.life, {
      type: 'lent',
      endpoints: book.endpoints().map(({ service, url }) => ({ service, endpoint: url })),
    });
  };

  const greet = (life: Life): void => {
    life.hasSaidHello = true;
    // Told to drain while it was starting, and a program that handles SIGTERM by itself has started nevertheless.
    if (state().workers.find((worker) => worker.life === life.life)?.at === 'draining') {
      lives.send(life.life, { type: 'drain', graceMs: graceMs() });
      return;
    }
    if (tickets.current !== undefined) lives.send(life.life, { type: 'ticket-key', key: tickets.current });
    limits.introduce(life, state());
    lendTo(life).catch((error: unknown) => {
      options.log.error({ err: error, slot: life.slot }, 'a worker could not be given its sockets');
      lives.kill(life.life, 'SIGTERM');
    });
  };

  return (life, message) => {
    switch (message.type) {
      case 'hello':
        greet(life);
        return;
      case 'ready':
        observe([{ type: 'ready', life: life.life }]);
        return;
      case 'beat':
        shares.told(life.slot, life.life, message.services);
        options.metrics?.sampled(life.slot, message.eventLoop);
        observe([{ type: 'beat', life: life.life, served: servedBy(message.services), eventLoop: message.eventLoop }]);
        return;
      case 'failed':
        failed(message.message);
        lives.kill(life.life, 'SIGTERM');
        return;
      case 'leaving':
        observe([{ type: 'leaving', life: life.life }]);
        return;
      case 'full':
        life.fullServices.add(message.service);
        book.forgetLoans(life.life, message.service);
        updateLoans();
        return;
      case 'room':
        life.fullServices.delete(message.service);
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
        limits.heard(life.life, message);
        return;
      case 'quota':
        limits.heard(life.life, message);
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
