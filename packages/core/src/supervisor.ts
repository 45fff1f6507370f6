// The primary: binds every listener once and owns it for its whole life, forks workers through node:cluster, lends them the
// sockets, and carries out what the arbiter decides. It never accepts: what comes while no worker lives waits in the
// kernel's queue and is served by the next one.

import { availableParallelism } from 'node:os';
import cluster, { type Worker } from 'node:cluster';
import { AddressLedger } from './address-ledger.ts';
import { DEFAULT_POLICY, initialArbiterState, tick, type ArbiterAction, type ArbiterEvent, type ArbiterPolicy } from './arbiter.ts';
import type { Timer } from './clock.ts';
import { formatEndpoint } from './endpoint.ts';
import { WellknownError } from './errors.ts';
import { bindListener, type BoundListener } from './listener.ts';
import type { ResolvedOptions } from './options.ts';
import { boundEndpoint, type BoundEndpoint, type Server } from './server.ts';
import { stopReceiving } from './socket-handle.ts';
import { addServiceStatus, type ServerStatus, type ServiceStatus } from './status.ts';
import { envelope, messageFromWorker, type FromPrimary, type FromWorker } from './worker-messages.ts';
import { WORKER_COUNT_VARIABLE, WORKER_SLOT_VARIABLE } from './worker.ts';

const TICK_MS = 1_000;
// A worker that is too busy to answer within this is left out of the sum.
const STATUS_TIMEOUT_MS = 1_000;

interface Life {
  readonly slot: number;
  readonly life: number;
  readonly worker: Worker;
}

/** node:cluster has one set of workers for each process, and so have we. */
let supervising = false;

export function createPrimary(options: ResolvedOptions): Server {
  const { clock, log, services } = options;
  const workerCount = options.workers === 'auto' ? availableParallelism() : options.workers;
  const policy: ArbiterPolicy = { ...DEFAULT_POLICY, ...options.policy };
  const ledgers = services.map((service) => new AddressLedger(service.limits.maxConnectionsPerAddress, workerCount));
  const bound: BoundListener[][] = [];
  const lives = new Map<number, Life>();
  const statusAnswers = new Map<number, (services: readonly ServiceStatus[]) => void>();
  let questions = 0;
  let state = initialArbiterState(workerCount);
  let lastFailure = '';
  let heartbeat: Timer | undefined;
  let wakeUp: Timer | undefined;
  let listening: { resolve: () => void; reject: (error: Error) => void } | undefined;
  let closeGraceMs = options.drainTimeoutMs;
  let endedHandlers: { resolve: () => void; reject: (error: Error) => void } = { resolve: () => undefined, reject: () => undefined };
  const ended = new Promise<void>((resolve, reject) => (endedHandlers = { resolve, reject }));
  // Whoever does not look at `ended` is told by `listen` or by the log.
  ended.catch(() => undefined);

  const send = (worker: Worker, message: FromPrimary, handle?: object, keepOpen = false): void => {
    if (!worker.isConnected()) return;
    // An error here means that the worker is dying; its exit event follows.
    worker.send(envelope(message), handle as never, { keepOpen }, () => undefined);
  };

  const observe = (...events: ArbiterEvent[]): void => {
    const nowMs = clock.nowMs();
    const step = tick(state, nowMs, events, policy);
    state = step.state;
    for (const action of step.actions) carryOut(action);
    wakeUp?.cancel();
    wakeUp = state.mayStartAtMs > nowMs ? clock.after(state.mayStartAtMs - nowMs, () => observe()) : undefined;
    if (listening !== undefined && state.workers.length === state.target && state.workers.every((worker) => worker.at === 'ready')) {
      listening.resolve();
      listening = undefined;
    }
  };

  const carryOut = (action: ArbiterAction): void => {
    switch (action.do) {
      case 'start':
        fork(action.slot, action.life);
        return;
      case 'drain': {
        const life = lives.get(action.life);
        if (life !== undefined) send(life.worker, { type: 'drain', graceMs: closeGraceMs });
        return;
      }
      case 'kill':
        log.warn({ worker: action.life, why: action.why }, 'ending a worker that does not end by itself');
        lives.get(action.life)?.worker.process.kill('SIGKILL');
        return;
      case 'give-up':
        void giveUp(action.failures);
        return;
      case 'stopped':
        void finish();
    }
  };

  const fork = (slot: number, life: number): void => {
    const worker = cluster.fork({ [WORKER_SLOT_VARIABLE]: String(slot), [WORKER_COUNT_VARIABLE]: String(workerCount) });
    lives.set(life, { slot, life, worker });
    worker.on('message', (raw: unknown) => {
      const message = messageFromWorker(raw);
      if (message !== undefined) receive(worker, life, message);
    });
    worker.on('error', (error) => log.warn({ err: error, slot }, 'the channel to a worker failed'));
    worker.on('exit', (code, signal) => {
      lives.delete(life);
      for (const ledger of ledgers) ledger.forget(life);
      if (!state.stopping) log.warn({ slot, pid: worker.process.pid, code, signal }, 'a worker has ended');
      observe({ type: 'exited', life });
    });
  };

  const lend = (worker: Worker, service: number, listener: number): void => {
    const lent = bound[service]?.[listener];
    if (lent === undefined) return;
    const handle = lent.socket.type === 'stream' ? lent.socket.handle : lent.socket.socket;
    send(worker, { type: 'listen', service, listener, endpoint: formatEndpoint(lent.endpoint) }, handle, true);
  };

  const receive = (worker: Worker, life: number, message: FromWorker): void => {
    switch (message.type) {
      case 'hello':
        for (const [service, listeners] of bound.entries()) for (const listener of listeners.keys()) lend(worker, service, listener);
        return;
      case 'ready':
        observe({ type: 'ready', life });
        return;
      case 'failed':
        lastFailure = message.message;
        worker.process.kill('SIGTERM');
        return;
      case 'room':
        lend(worker, message.service, message.listener);
        return;
      case 'lease':
        send(worker, { type: 'lease-answer', question: message.question, granted: ledgers[message.service]?.lease(life, message.key) ?? false });
        return;
      case 'release':
        ledgers[message.service]?.release(life, message.key);
        return;
      case 'status':
        statusAnswers.get(message.question)?.(message.services);
        statusAnswers.delete(message.question);
    }
  };

  /** Takes the addresses back. While the primary holds a listening socket, the kernel goes on queueing for it. */
  const unbind = async (): Promise<void> => {
    await Promise.all(bound.splice(0).flat().map((listener) => listener.close()));
  };

  const release = async (): Promise<void> => {
    heartbeat?.cancel();
    wakeUp?.cancel();
    await unbind();
    supervising = false;
  };

  const finish = async (): Promise<void> => {
    await release();
    listening?.reject(new WellknownError('WRONG_STATE', 'the server was closed before it was ready', { fault: 'local' }));
    endedHandlers.resolve();
  };

  const giveUp = async (failures: number): Promise<void> => {
    const error = new WellknownError('WORKERS_NEVER_READY', `gave up after ${failures} workers ended before any was ready`, {
      fault: 'local',
      ...(lastFailure === '' ? { hint: 'their output above says why' } : { hint: lastFailure }),
    });
    for (const { worker } of lives.values()) worker.process.kill('SIGKILL');
    await release();
    listening?.reject(error);
    endedHandlers.reject(error);
  };

  const askStatus = ({ worker }: Life): Promise<readonly ServiceStatus[]> =>
    new Promise((resolve) => {
      questions += 1;
      const question = questions;
      const timer = clock.after(STATUS_TIMEOUT_MS, () => {
        statusAnswers.delete(question);
        resolve([]);
      });
      statusAnswers.set(question, (answer) => {
        timer.cancel();
        resolve(answer);
      });
      send(worker, { type: 'status-question', question });
    });

  const status = async (): Promise<ServerStatus> => {
    const answers = await Promise.all([...lives.values()].map(askStatus));
    return {
      role: 'primary',
      pid: process.pid,
      services: services.map((service, index) => answers.reduce<ServiceStatus>((sum, answer) => {
        const one = answer[index];
        return one === undefined ? sum : addServiceStatus(sum, one);
      }, {
        name: service.protocol.name,
        endpoints: (bound[index] ?? []).map((listener) => formatEndpoint(listener.endpoint)),
        connections: { open: 0, waiting: 0, accepted: 0, closed: {} },
        datagrams: { received: 0, sent: 0, droppedQueueFull: 0, failed: 0 },
        counters: {},
      })),
      workers: state.workers.map((record) => ({ slot: record.slot, pid: lives.get(record.life)?.worker.process.pid ?? 0, at: record.at })),
    };
  };

  const server: Server = {
    role: 'primary',
    ended,
    async listen() {
      if (supervising) throw new WellknownError('WRONG_STATE', 'this process supervises workers already', { fault: 'local', hint: 'give all services to one createServer' });
      supervising = true;
      const endpoints: BoundEndpoint[] = [];
      try {
        for (const service of services) {
          const listeners: BoundListener[] = [];
          bound.push(listeners);
          for (const endpoint of service.listen) {
            const listener = await bindListener(endpoint);
            listeners.push(listener);
            if (listener.socket.type === 'datagram') stopReceiving(listener.socket.socket);
            endpoints.push(boundEndpoint(service.protocol.name, listener.endpoint));
          }
        }
      } catch (error) {
        await release();
        throw error;
      }
      const ready = new Promise<void>((resolve, reject) => (listening = { resolve, reject }));
      // Without workers nothing else would keep the primary alive between a death and the replacement.
      heartbeat = clock.every(TICK_MS, () => observe(), { keepAlive: true });
      observe();
      await ready;
      return endpoints;
    },
    close({ graceMs = options.drainTimeoutMs } = {}) {
      if (!supervising) {
        endedHandlers.resolve();
        return ended;
      }
      if (state.stopping && graceMs < closeGraceMs) for (const { worker } of lives.values()) send(worker, { type: 'drain', graceMs });
      closeGraceMs = graceMs;
      if (!state.stopping) {
        observe({ type: 'stop' });
        // The workers close theirs as they begin to drain; from then on nobody will serve what is queued.
        void unbind();
      }
      return ended.catch(() => undefined);
    },
    status,
    scale: (by) => observe({ type: 'scale', by }),
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}
