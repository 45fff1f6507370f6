// The worker's side: asks the primary for its sockets, serves on them, and drains when it is told to or when the
// primary is gone. Workers obey the primary, not the terminal: Ctrl-C reaches the whole process group.

import cluster from 'node:cluster';
import type dgram from 'node:dgram';
import { Socket } from 'node:net';
import { firstQuota, type LeaseVerdict } from '../accept/address-ledger.ts';
import type { Leases } from '../accept/admission.ts';
import { parseEndpoint } from '../address/endpoint.ts';
import { WellknownError } from '../errors.ts';
import { watchEventLoop, type EventLoopWatch } from '../observe/event-loop-delay.ts';
import { ListenerStates } from '../listener/states.ts';
import { ServiceRuntime } from '../accept/service-runtime.ts';
import type { ResolvedOptions } from '../options.ts';
import { becomeIdentity } from './privileges.ts';
import { boundEndpoint, type BoundEndpoint, publishServer, type Server } from '../server.ts';
import { IDLE_EVENT_LOOP, NO_SUPERVISION, serviceStatus } from '../observe/status.ts';
import { TimerWheel } from '../time/timer-wheel.ts';
import { envelope, messageFromPrimary, type FromPrimary, type FromWorker } from './worker-messages.ts';

/** The environment by which a forked process knows that it is ours: its slot, and how many workers there are. */
export const WORKER_SLOT_VARIABLE = 'WELLKNOWN_WORKER_SLOT';
export const WORKER_COUNT_VARIABLE = 'WELLKNOWN_WORKER_COUNT';

export const isOurWorker = (): boolean => cluster.isWorker && process.env[WORKER_SLOT_VARIABLE] !== undefined;

/** Tells the primary why this worker can't start, and ends it. */
export function reportStartFailure(message: string): void {
  const failed: FromWorker = { type: 'failed', message };
  process.send?.(envelope(failed), undefined, {}, () => process.exit(1));
}

const IGNORED_SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

export function createWorker(options: ResolvedOptions): Server {
  const { log, clock, backlog } = options;
  const slot = Number(process.env[WORKER_SLOT_VARIABLE]);
  const workerCount = Math.max(1, Number(process.env[WORKER_COUNT_VARIABLE]));
  const wheel = new TimerWheel(clock);
  const leaseAnswers = new Map<number, (verdict: LeaseVerdict) => void>();
  let questions = 0;
  const states = new ListenerStates('worker');

  const send = (message: FromWorker): void => {
    // The channel may close at any moment when the primary dies; that arrives as 'disconnect'.
    if (process.connected) process.send?.(envelope(message), undefined, {}, () => undefined);
  };

  const locals = options.services.map(
    (service, index) =>
      new ServiceRuntime({
        service,
        context: { log, clock, workerSlot: slot, workerCount, counters: {} },
        wheel,
        backlog,
        registryLimits: {
          // Fixed shares that add up to the whole. A full worker stops accepting, so the others take what it leaves.
          maxConnections: shareOf(service.limits.maxConnections, slot, workerCount),
          maxConnectionsPerAddress: service.limits.maxConnectionsPerAddress,
          freePerAddress: firstQuota(
            service.limits.maxConnectionsPerAddress,
            service.limits.maxAcceptsPerSecondPerAddress,
          ),
          maxWaiting: backlog,
        },
        states,
        leases: leasesOf(index),
        // node:cluster closes the port once nobody accepts: there, a full worker lets its connections wait.
        ...(options.accept === 'cluster-rr'
          ? {}
          : {
              pool: {
                full: () => send({ type: 'full', service: index }),
                room: () => send({ type: 'room', service: index }),
              },
            }),
      }),
  );

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

  const listening: Promise<void>[] = [];
  let started: { resolve: (endpoints: readonly BoundEndpoint[]) => void; reject: (error: unknown) => void } | undefined;
  let closing: Promise<void> | undefined;
  let markEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (markEnded = resolve));

  const listen = async (message: Extract<FromPrimary, { type: 'listen' }>, carried: unknown): Promise<void> => {
    const endpoint = parseEndpoint(message.endpoint);
    const local = locals[message.service];
    if (!endpoint.ok || local === undefined || (carried === undefined && message.via === 'handle')) return;
    if (closing !== undefined) return;
    if (message.via === 'cluster') await local.listenThroughCluster(message.listener, endpoint.value);
    else if (endpoint.value.scheme === 'udp')
      local.listenDatagrams(message.listener, endpoint.value, carried as dgram.Socket);
    else await local.listenStream(message.listener, endpoint.value, carried as Socket);
  };

  const fail = (error: unknown): void => {
    send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    started?.reject(error);
  };

  const becomeReady = async (message: Extract<FromPrimary, { type: 'lent' }>): Promise<void> => {
    await Promise.all(listening);
    send({ type: 'ready' });
    publishServer('worker', 'listening');
    started?.resolve(
      message.endpoints.flatMap(({ service, endpoint }) => {
        const parsed = parseEndpoint(endpoint);
        return parsed.ok ? [boundEndpoint(service, parsed.value)] : [];
      }),
    );
  };

  /**
   * A connection that the primary has accepted. Returned, or without an answer before we end, the primary gives it to
   * another worker.
   */
  const take = (message: Extract<FromPrimary, { type: 'connection' }>, carried: unknown): void => {
    const endpoint = parseEndpoint(message.endpoint);
    const local = locals[message.service];
    if (!(carried instanceof Socket)) return;
    // It was on its way when we said that we leave or are full. Only our copy goes: the primary has its own.
    if (!endpoint.ok || local === undefined || closing !== undefined || local.isFull) {
      carried.destroy();
      send({ type: 'returned', connection: message.connection });
      return;
    }
    carried.allowHalfOpen = true;
    carried.setNoDelay(true);
    carried.once('close', () => send({ type: 'closed', connection: message.connection }));
    send({ type: 'taken', connection: message.connection });
    local.adopt(carried, endpoint.value);
  };

  let watch: EventLoopWatch | undefined;
  const beat = (): FromWorker => ({
    type: 'beat',
    eventLoop: watch?.last ?? IDLE_EVENT_LOOP,
    services: locals.map((local) => local.share()),
  });

  const receive = (message: FromPrimary, carried: unknown): void => {
    switch (message.type) {
      case 'listen':
        listening.push(listen(message, carried).catch(fail));
        return;
      case 'lent':
        becomeReady(message).catch(fail);
        return;
      case 'pool':
        for (const [index, { limits }] of options.services.entries())
          locals[index]?.resize(shareOf(limits.maxConnections, slot, message.workers), message.workers);
        return;
      case 'quota':
        send({
          type: 'quota',
          service: message.service,
          free: message.free,
          beyond: locals[message.service]?.changeQuota(message.free) ?? [],
        });
        return;
      case 'unlisten':
        locals[message.service]?.unlisten(message.listener);
        return;
      case 'connection':
        take(message, carried);
        return;
      case 'ticket-key':
        for (const { tls } of options.services) tls?.setTicketKey(Buffer.from(message.key, 'base64'));
        return;
      case 'lease-answer':
        leaseAnswers.get(message.question)?.(message.verdict);
        leaseAnswers.delete(message.question);
        return;
      case 'status-question':
        send({
          type: 'status',
          question: message.question,
          services: locals.map((local) => ({ share: local.share(), pairs: local.pairs() })),
        });
        return;
      case 'drain':
        void close(message.graceMs);
    }
  };

  const close = (graceMs: number): Promise<void> => {
    if (closing !== undefined) for (const local of locals) void local.drain(graceMs);
    else {
      publishServer('worker', 'draining');
      send({ type: 'leaving' });
    }
    closing ??= Promise.all(locals.map((local) => local.drain(graceMs))).then(() => {
      publishServer('worker', 'ended');
      markEnded();
      // The program around us may still hold timers or sockets of its own; a drained worker is done nevertheless.
      const exit = (): void => void setImmediate(() => process.exit(0));
      if (process.connected) process.send?.(envelope(beat()), undefined, {}, exit);
      else exit();
    });
    return closing;
  };

  const server: Server = {
    role: 'worker',
    ended,
    listen() {
      if (started !== undefined)
        throw new WellknownError('WRONG_STATE', 'listen was called before on this server', { fault: 'local' });
      process.on('message', (raw, carried) => {
        const message = messageFromPrimary(raw);
        if (message !== undefined) receive(message, carried);
      });
      // Otherwise node ends a worker at once when its primary dies, and what is in flight with it.
      if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
      process.on('disconnect', () => {
        // Nobody is left to ask: an address may not have more than the free quota now.
        for (const answer of leaseAnswers.values()) answer('address-limit');
        log.info({ slot }, 'the primary is gone, draining');
        void close(options.drainTimeoutMs);
      });
      for (const signal of IGNORED_SIGNALS) process.on(signal, () => undefined);
      process.on('SIGTERM', () => void close(options.drainTimeoutMs));
      if (options.runAs !== undefined) {
        try {
          becomeIdentity(options.runAs);
        } catch (error) {
          fail(error);
          return Promise.reject(error instanceof Error ? error : new Error(String(error)));
        }
      }
      const ready = new Promise<readonly BoundEndpoint[]>((resolve, reject) => (started = { resolve, reject }));
      // Each second of it is a beat.
      watch = watchEventLoop(clock, () => send(beat()));
      publishServer('worker', 'starting');
      send({ type: 'hello' });
      return ready;
    },
    close: ({ graceMs = options.drainTimeoutMs } = {}) => close(graceMs),
    status: () =>
      Promise.resolve({
        role: 'worker',
        pid: process.pid,
        eventLoop: watch?.last ?? IDLE_EVENT_LOOP,
        services: locals.map((local, index) =>
          serviceStatus(
            options.services[index]?.protocol.name ?? '',
            local.endpoints(),
            [{ slot, ...local.share() }],
            local.pairs(),
          ),
        ),
        workers: [],
        supervision: NO_SUPERVISION,
      }),
    scale: notHere('scaled'),
    reload: notHere('reloaded'),
    upgrade: notHere('upgraded'),
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}

const notHere = (what: string) => (): never => {
  throw new WellknownError('WRONG_STATE', `a worker cannot be ${what}`, { fault: 'local', hint: 'ask the primary' });
};

/** The whole divided over the slots, the remainder to the first ones. */
function shareOf(whole: number, slot: number, workerCount: number): number {
  if (!Number.isFinite(whole)) return whole;
  return Math.floor(whole / workerCount) + (slot <= whole % workerCount ? 1 : 0);
}
