// The worker's side: asks the primary for its sockets, serves on them, and drains when it is told to or when the primary
// is gone. Workers obey the primary, not the terminal: Ctrl-C reaches the whole process group.

import cluster from 'node:cluster';
import type dgram from 'node:dgram';
import type net from 'node:net';
import { freeQuota } from './address-ledger.ts';
import type { Leases } from './acceptor.ts';
import { parseEndpoint } from './endpoint.ts';
import { WellknownError } from './errors.ts';
import { LocalService } from './local-service.ts';
import type { ResolvedOptions } from './options.ts';
import { boundEndpoint, type BoundEndpoint, type Server } from './server.ts';
import { TimerWheel } from './timer-wheel.ts';
import { envelope, messageFromPrimary, type FromPrimary, type FromWorker } from './worker-messages.ts';

/** The environment by which a forked process knows that it is ours: its slot, and how many workers there are. */
export const WORKER_SLOT_VARIABLE = 'WELLKNOWN_WORKER_SLOT';
export const WORKER_COUNT_VARIABLE = 'WELLKNOWN_WORKER_COUNT';

export const isOurWorker = (): boolean => cluster.isWorker && process.env[WORKER_SLOT_VARIABLE] !== undefined;

const IGNORED_SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

export function createWorker(options: ResolvedOptions): Server {
  const { log, clock, backlog } = options;
  const slot = Number(process.env[WORKER_SLOT_VARIABLE]);
  const workerCount = Math.max(1, Number(process.env[WORKER_COUNT_VARIABLE]));
  const wheel = new TimerWheel(clock);
  const leaseAnswers = new Map<number, (granted: boolean) => void>();
  let questions = 0;

  const send = (message: FromWorker): void => {
    // The channel may close at any moment when the primary dies; that arrives as 'disconnect'.
    if (process.connected) process.send?.(envelope(message), undefined, {}, () => undefined);
  };

  const locals = options.services.map((service, index) => new LocalService({
    service,
    context: { log, clock, workerSlot: slot, counters: {} },
    wheel,
    backlog,
    registryLimits: {
      // Fixed shares that add up to the whole. A full worker stops accepting, so the others take what it leaves.
      maxConnections: shareOf(service.limits.maxConnections, slot, workerCount),
      maxConnectionsPerAddress: service.limits.maxConnectionsPerAddress,
      freePerAddress: freeQuota(service.limits.maxConnectionsPerAddress, workerCount),
      maxWaiting: backlog,
    },
    leases: leasesOf(index),
    onRoom: (listener) => send({ type: 'room', service: index, listener }),
  }));

  function leasesOf(service: number): Leases {
    return {
      ask: (key) =>
        new Promise((resolve) => {
          questions += 1;
          leaseAnswers.set(questions, resolve);
          send({ type: 'lease', service, key, question: questions });
        }),
      release: (key) => send({ type: 'release', service, key }),
    };
  }

  const endpoints: BoundEndpoint[] = [];
  const wanted = options.services.reduce((sum, service) => sum + service.listen.length, 0);
  let started: { resolve: (endpoints: readonly BoundEndpoint[]) => void; reject: (error: unknown) => void } | undefined;
  let closing: Promise<void> | undefined;
  let markEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (markEnded = resolve));

  const listen = async (message: Extract<FromPrimary, { type: 'listen' }>, carried: unknown): Promise<void> => {
    const endpoint = parseEndpoint(message.endpoint);
    const local = locals[message.service];
    if (!endpoint.ok || local === undefined || carried === undefined) return;
    if (closing !== undefined) return;
    if (endpoint.value.scheme === 'udp') local.listenDatagrams(message.listener, endpoint.value, carried as dgram.Socket);
    else await local.listenStream(message.listener, endpoint.value, carried as net.Socket);
    if (endpoints.length === wanted) return;
    endpoints.push(boundEndpoint(options.services[message.service]?.protocol.name ?? '', endpoint.value));
    if (endpoints.length < wanted) return;
    send({ type: 'ready' });
    started?.resolve(endpoints);
  };

  const receive = (message: FromPrimary, carried: unknown): void => {
    switch (message.type) {
      case 'listen':
        listen(message, carried).catch((error: unknown) => {
          send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
          started?.reject(error);
        });
        return;
      case 'lease-answer':
        leaseAnswers.get(message.question)?.(message.granted);
        leaseAnswers.delete(message.question);
        return;
      case 'status-question':
        send({ type: 'status', question: message.question, services: locals.map((local) => local.status()) });
        return;
      case 'drain':
        void close(message.graceMs);
    }
  };

  const close = (graceMs: number): Promise<void> => {
    if (closing !== undefined) for (const local of locals) void local.drain(graceMs);
    closing ??= Promise.all(locals.map((local) => local.drain(graceMs))).then(() => {
      markEnded();
      // The program around us may still hold timers or sockets of its own; a drained worker is done nevertheless.
      setImmediate(() => process.exit(0));
    });
    return closing;
  };

  const server: Server = {
    role: 'worker',
    ended,
    listen() {
      if (started !== undefined) throw new WellknownError('WRONG_STATE', 'listen was called before on this server', { fault: 'local' });
      process.on('message', (raw, carried) => {
        const message = messageFromPrimary(raw);
        if (message !== undefined) receive(message, carried);
      });
      // Otherwise node ends a worker at once when its primary dies, and what is in flight with it.
      if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
      process.on('disconnect', () => {
        // Nobody is left to ask: an address may not have more than the free quota now.
        for (const answer of leaseAnswers.values()) answer(false);
        log.info({ slot }, 'the primary is gone, draining');
        void close(options.drainTimeoutMs);
      });
      for (const signal of IGNORED_SIGNALS) process.on(signal, () => undefined);
      process.on('SIGTERM', () => void close(options.drainTimeoutMs));
      const ready = new Promise<readonly BoundEndpoint[]>((resolve, reject) => (started = { resolve, reject }));
      send({ type: 'hello' });
      return ready;
    },
    close: ({ graceMs = options.drainTimeoutMs } = {}) => close(graceMs),
    status: () => Promise.resolve({ role: 'worker', pid: process.pid, services: locals.map((local) => local.status()), workers: [] }),
    scale() {
      throw new WellknownError('WRONG_STATE', 'a worker cannot be scaled', { fault: 'local' });
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}

/** The whole divided over the slots, the remainder to the first ones. Slots beyond the count (scaled up) get an even share. */
function shareOf(whole: number, slot: number, workerCount: number): number {
  if (!Number.isFinite(whole)) return whole;
  return Math.floor(whole / workerCount) + (slot <= whole % workerCount ? 1 : 0);
}
