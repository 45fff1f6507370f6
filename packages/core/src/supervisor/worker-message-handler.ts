// What workers say, and which of the primary's parts it concerns. What the arbiter has to decide on is returned.

import type { ServiceShare } from '../observe/status.ts';
import type { ArbiterEvent } from './arbiter-state.ts';
import type { PrimaryParts } from './primary-parts.ts';
import { askWorkers } from './primary-status.ts';
import { readSharedFiles } from './shared-files.ts';
import type { WorkerHandle } from './worker-handle.ts';
import type { FromWorker } from './worker-messages.ts';

export class WorkerMessageHandler {
  readonly #parts: PrimaryParts;

  constructor(parts: PrimaryParts) {
    this.#parts = parts;
  }

  handle(worker: WorkerHandle, message: FromWorker): ArbiterEvent | undefined {
    const { options, lifecycle, pool, listeners, dispatchers, limits, counters, bans, places } = this.#parts;
    const { workerId } = worker;
    switch (message.type) {
      case 'data-question':
        void this.#giveData(worker);
        return undefined;
      case 'hello':
        this.#greet(worker);
        return undefined;
      case 'ready':
        pool.exits.forgetStartFailure();
        return { type: 'ready', workerId };
      case 'leaving':
        return { type: message.type, workerId };
      case 'beat':
        worker.memory = message.memory;
        counters.told(worker.slot, workerId, message.services);
        options.metrics?.sampled(worker.slot, message.eventLoop);
        return { type: 'beat', workerId, served: servedBy(message.services), eventLoop: message.eventLoop };
      case 'failed':
        // A start and a reload that fail say it themselves; of a slot that is tried again and again it is said once.
        if (lifecycle.at === 'serving' && pool.exits.startFailure?.message !== message.message)
          options.log.error({ slot: worker.slot, reason: message.message }, 'a worker could not start');
        pool.exits.startFailed(message);
        worker.kill('SIGTERM');
        return message.isMistake ? { type: 'refused', workerId } : undefined;
      case 'full':
        worker.fullServices.add(message.service);
        listeners.forgetAssignments(worker, message.service);
        listeners.updateAssignments(pool.assignable());
        return undefined;
      case 'room':
        worker.fullServices.delete(message.service);
        listeners.updateAssignments(pool.assignable());
        dispatchers.pump();
        return undefined;
      case 'taken':
      case 'returned':
      case 'closed':
        dispatchers.received(message);
        return undefined;
      case 'lease':
      case 'release':
        limits.received(worker, message);
        return undefined;
      case 'place-wanted':
      case 'place-joined':
      case 'place-released':
        places.received(worker, message);
        return undefined;
      case 'offence':
        bans.offended(message.service, message.key);
        return undefined;
      case 'quota':
        limits.received(worker, message);
        limits.balance();
        return undefined;
      case 'tell':
        for (const other of pool.all()) {
          if (other === worker || other.stage === 'loading') continue;
          other.send({ type: 'told', service: message.service, message: message.message });
        }
        return undefined;
      case 'status':
      case 'listing':
      case 'connection-closed':
        worker.questions.answered(message);
        return undefined;
    }
  }

  /** Files only to workers that are another user than this process. */
  async #giveData(worker: WorkerHandle): Promise<void> {
    const data = worker.generation?.workerData;
    worker.send({ type: 'data', data, files: this.#parts.options.runAs === undefined ? {} : await readSharedFiles() });
  }

  #greet(worker: WorkerHandle): void {
    const { options, lifecycle, pool, limits, bans, tickets, logLevel } = this.#parts;
    worker.stage = 'running';
    // Told to drain while it was starting, and a program that handles SIGTERM by itself has started nevertheless.
    if (pool.stateOf(worker.workerId) === 'draining') {
      worker.send({ type: 'drain', graceMs: lifecycle.graceMs });
      return;
    }
    if (tickets.current !== undefined) worker.send({ type: 'ticket-key', key: tickets.current });
    limits.introduce(worker);
    bans.introduce(worker);
    logLevel.introduce(worker);
    this.#assignFirst(worker).catch((error: unknown) => {
      options.log.error({ err: error, slot: worker.slot }, 'a worker could not be given its sockets');
      worker.kill('SIGTERM');
    });
  }

  async #assignFirst(worker: WorkerHandle): Promise<void> {
    const { pool, listeners, generations, limits } = this.#parts;
    // It takes the place of one that serves on: what is open by now, and not as of the last beats, leaves the rest for it.
    if (pool.all().some((other) => other.slot === worker.slot && other !== worker)) {
      await askWorkers(this.#parts);
      limits.balance();
    }
    await listeners.bindForSlot(worker.slot, generations.sockets());
    worker.stage = 'assignable';
    listeners.updateAssignments(pool.assignable());
    worker.send({
      type: 'assigned',
      endpoints: listeners.endpoints().map(({ service, url }) => ({ service, endpoint: url })),
    });
  }
}

/** Connections that it has accepted since it was started. */
const servedBy = (services: readonly ServiceShare[]): number =>
  services.reduce(
    (sum, { listeners }) => listeners.reduce((whole, { connections }) => whole + connections.accepted, sum),
    0,
  );
