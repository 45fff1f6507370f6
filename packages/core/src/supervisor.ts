// The primary: binds every listener once and owns it for its whole life, forks workers through node:cluster, lends them the
// sockets, and carries out what the arbiter decides. Unless the strategy is `dispatch` it never accepts: what comes while no
// worker lives waits in the kernel's queue and is served by the next one.

import { closeSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { AddressLedger } from './address-ledger.ts';
import { DEFAULT_POLICY, initialArbiterState, tick, type ArbiterAction, type ArbiterEvent, type ArbiterPolicy } from './arbiter.ts';
import type { Timer } from './clock.ts';
import { Dispatcher } from './dispatcher.ts';
import { WellknownError } from './errors.ts';
import { INHERIT_VARIABLE, readInheritance } from './inheritance.ts';
import type { ResolvedOptions } from './options.ts';
import { closedBeforeReady, type Server } from './server.ts';
import { publishServer } from './diagnostics.ts';
import { watchEventLoop, type EventLoopWatch } from './event-loop.ts';
import { kernelCounters } from './kernel-counters.ts';
import { ListenerStates } from './listener-states.ts';
import { handleOf, urlOf, type SharedSocket } from './shared-sockets.ts';
import { SocketBook } from './socket-book.ts';
import { NO_DATAGRAMS } from './datagram-limits.ts';
import { IDLE_EVENT_LOOP, serviceStatus, type ServerStatus, type ServiceShare, type WorkerShare } from './status.ts';
import { startSuccessor } from './upgrade.ts';
import { TicketKeys } from './ticket-keys.ts';
import { WorkerLives, type Life } from './worker-lives.ts';
import type { FromWorker } from './worker-messages.ts';
import { WorkerChronicle } from './worker-chronicle.ts';
import { WorkerShares } from './worker-shares.ts';

const TICK_MS = 1_000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** node:cluster has one set of workers for each process, and so have we. */
let isSupervising = false;

export function createPrimary(options: ResolvedOptions): Server {
  const { clock, log, services, backlog } = options;
  const workerCount = options.workers === 'auto' ? availableParallelism() : options.workers;
  const policy: ArbiterPolicy = { ...DEFAULT_POLICY, ...options.policy };
  const ledgers = services.map((service) => new AddressLedger(service.limits.maxConnectionsPerAddress, service.limits.maxAcceptsPerSecondPerAddress));
  const dispatchers = new Map<number, Dispatcher>();
  const lives = new WorkerLives({ clock, log, workerCount, runAs: options.runAs, received, exited });
  const tickets = new TicketKeys(services, (key) => {
    for (const { life } of lives.all()) lives.send(life, { type: 'ticket-key', key });
  });
  const inheritance = readInheritance(process.env);
  const states = new ListenerStates('primary');
  const book = new SocketBook(options, lives, inheritance, states);
  const shares = new WorkerShares();
  const chronicle = new WorkerChronicle();
  let state = initialArbiterState(workerCount);
  let lastFailure = '';
  let heartbeat: Timer | undefined;
  let watch: EventLoopWatch | undefined;
  let wakeUp: Timer | undefined;
  let listening: Waiter | undefined;
  let reloading: Waiter | undefined;
  let isUpgrading = false;
  let isBinding = false;
  /** Closed before there was a worker. */
  let isUnwanted = false;
  let hasHandedOver = false;
  let closeGraceMs = options.drainTimeoutMs;
  let markEnded: Waiter = { resolve: () => undefined, reject: () => undefined };
  const ended = new Promise<void>((resolve, reject) => (markEnded = { resolve, reject }));
  // Whoever does not look at `ended` is told by `listen` or by the log.
  ended.catch(() => undefined);

  // Deciding --------------------------------------------------------------------------------------------------------

  function observe(events: readonly ArbiterEvent[] = [], isSecondly = false): void {
    const nowMs = clock.nowMs();
    const step = tick(state, nowMs, events, policy, Math.random, isSecondly);
    chronicle.changed(state, step.state);
    const isResized = step.state.target !== state.target;
    state = step.state;
    if (isResized) for (const { life } of lives.all()) lives.send(life, { type: 'pool', workers: state.target });
    for (const action of step.actions) carryOut(action);
    wakeUp?.cancel();
    wakeUp = state.mayStartAtMs > nowMs ? clock.after(state.mayStartAtMs - nowMs, () => observe()) : undefined;
    updateQuotas();
    updateLoans();
    for (const dispatcher of dispatchers.values()) dispatcher.pump();
    if (listening !== undefined && state.workers.length === state.target && state.workers.every((worker) => worker.at === 'ready')) {
      listening.resolve();
      listening = undefined;
    }
  }

  function carryOut(action: ArbiterAction): void {
    switch (action.do) {
      case 'start':
        lives.fork(action.slot, action.life);
        return;
      case 'drain':
        lives.send(action.life, { type: 'drain', graceMs: closeGraceMs });
        // Its program is still being loaded and hears nothing yet: it has nothing to drain, and would cost its whole start.
        if (lives.get(action.life)?.hasSaidHello === false) lives.kill(action.life, 'SIGTERM');
        return;
      case 'kill':
        log.warn({ pid: lives.pidOf(action.life), why: action.why }, 'ending a worker that does not end by itself');
        chronicle.killing(action.life, action.why);
        lives.kill(action.life, 'SIGKILL');
        return;
      case 'reloaded':
        log.info({ generation: action.generation }, 'reloaded');
        publishServer('primary', 'listening');
        reloading?.resolve();
        reloading = undefined;
        return;
      case 'reload-failed': {
        const error = new WellknownError('RELOAD_FAILED', 'a new worker ended before it was ready, the old ones go on serving', { fault: 'local', ...hintOfFailure() });
        log.error({ err: error }, 'the reload failed');
        publishServer('primary', 'listening');
        reloading?.reject(error);
        reloading = undefined;
        return;
      }
      case 'give-up':
        void giveUp(action.failures);
        return;
      case 'stopped':
        void finish();
    }
  }

  // Lending ---------------------------------------------------------------------------------------------------------

  /** Lends every worker that has asked what it should accept from now. */
  function updateLoans(): void {
    if (state.stopping) return;
    book.updateLoans(state.workers.flatMap((record) => {
      const life = lives.get(record.life);
      return record.at === 'draining' || life?.hasAsked !== true ? [] : [{ life: record.life, slot: record.slot, at: record.at, fullServices: life.fullServices }];
    }));
  }

  /** Tells workers how many connections of an address they may open without asking, where that has changed. */
  function updateQuotas(): void {
    const serving = new Set(state.workers.filter(({ at }) => at !== 'draining').map(({ life }) => life));
    const holders = lives.all().filter(({ hasSaidHello }) => hasSaidHello).map(({ life }) => ({ worker: life, isServing: serving.has(life) }));
    for (const [service, ledger] of ledgers.entries()) {
      for (const { worker, free } of ledger.balance(holders, state.target)) lives.send(worker, { type: 'quota', service, free });
    }
  }

  async function introduce(life: Life): Promise<void> {
    await book.bindForSlot(life.slot);
    life.hasAsked = true;
    updateLoans();
    lives.send(life.life, { type: 'lent', endpoints: book.endpoints().map(({ service, url }) => ({ service, endpoint: url })) });
  }

  function startDispatching(socket: SharedSocket): Promise<void> {
    const { service } = socket;
    const dispatcher = new Dispatcher({
      policy: options.dispatch,
      maxWaiting: backlog,
      targets: () => state.workers.filter((record) => record.at === 'ready' && lives.get(record.life)?.fullServices.has(service) === false),
      send: (life, connection, carried) => lives.send(life, { type: 'connection', service, endpoint: urlOf(socket), connection }, carried),
    });
    dispatchers.set(socket.id, dispatcher);
    states.move(socket.id, 'listening');
    return dispatcher.listen(handleOf(socket) as never, backlog);
  }

  // Hearing ---------------------------------------------------------------------------------------------------------

  function received(life: Life, message: FromWorker): void {
    switch (message.type) {
      case 'hello':
        life.hasSaidHello = true;
        // Told to drain while it was starting, and a program that handles SIGTERM by itself has started nevertheless.
        if (state.workers.find((worker) => worker.life === life.life)?.at === 'draining') {
          lives.send(life.life, { type: 'drain', graceMs: closeGraceMs });
          return;
        }
        if (tickets.current !== undefined) lives.send(life.life, { type: 'ticket-key', key: tickets.current });
        lives.send(life.life, { type: 'pool', workers: state.target });
        updateQuotas();
        introduce(life).catch((error: unknown) => {
          log.error({ err: error, slot: life.slot }, 'a worker could not be given its sockets');
          lives.kill(life.life, 'SIGTERM');
        });
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
        lastFailure = message.message;
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
        for (const dispatcher of dispatchers.values()) dispatcher.pump();
        return;
      case 'taken':
        for (const dispatcher of dispatchers.values()) dispatcher.taken(message.connection);
        return;
      case 'returned':
        for (const dispatcher of dispatchers.values()) dispatcher.returned(message.connection);
        return;
      case 'closed':
        for (const dispatcher of dispatchers.values()) dispatcher.closed(message.connection);
        return;
      case 'lease':
        lives.send(life.life, { type: 'lease-answer', question: message.question, verdict: ledgers[message.service]?.lease(life.life, message.key, clock.nowMs()) ?? 'address-limit' });
        return;
      case 'release':
        ledgers[message.service]?.release(life.life, message.key);
        return;
      case 'quota':
        ledgers[message.service]?.lowered(life.life, message.free, message.beyond);
        updateQuotas();
        return;
      case 'status':
        return;
    }
  }

  function exited({ slot, life }: Life, code: number | null, signal: string | null): void {
    for (const ledger of ledgers) ledger.forget(life);
    const wasDraining = state.workers.find((worker) => worker.life === life)?.at === 'draining';
    if (!wasDraining) log.warn({ slot, code, signal }, 'a worker has ended');
    shares.ended(life);
    observe([{ type: 'exited', life }]);
    for (const dispatcher of dispatchers.values()) dispatcher.exited(life);
  }

  // Ending ----------------------------------------------------------------------------------------------------------

  /** Takes the addresses back. While the primary holds a listening socket, the kernel goes on queueing for it. */
  async function unbind(): Promise<void> {
    for (const dispatcher of dispatchers.values()) dispatcher.close();
    dispatchers.clear();
    await book.close(hasHandedOver);
  }

  async function release(): Promise<void> {
    heartbeat?.cancel();
    watch?.stop();
    tickets.stop();
    wakeUp?.cancel();
    await unbind();
    isSupervising = false;
  }

  async function finish(): Promise<void> {
    await release();
    const error = closedBeforeReady();
    listening?.reject(error);
    reloading?.reject(error);
    publishServer('primary', 'ended');
    markEnded.resolve();
  }

  async function giveUp(failures: number): Promise<void> {
    const error = new WellknownError('WORKERS_NEVER_READY', `gave up after ${failures} workers ended before any was ready`, { fault: 'local', ...hintOfFailure() });
    for (const { life } of lives.all()) lives.kill(life, 'SIGKILL');
    await release();
    publishServer('primary', 'ended');
    listening?.reject(error);
    markEnded.reject(error);
  }

  function hintOfFailure(): { hint: string } {
    return { hint: lastFailure === '' ? 'its output above says why' : lastFailure };
  }

  /** Those who can answer do; of the others the last beat is known. */
  async function status(): Promise<ServerStatus> {
    const answers = await lives.askStatus();
    for (const { slot, life, services: told } of answers) {
      if (told.length > 0 && lives.get(life) !== undefined) shares.told(slot, life, told.map(({ share }) => share));
    }
    const kernel = await kernelCounters(services.flatMap((_, index) => book.urlsOf(index)));
    return {
      role: 'primary',
      pid: process.pid,
      eventLoop: watch?.last ?? IDLE_EVENT_LOOP,
      services: services.map(({ protocol }, index) => {
        const pairs = answers.flatMap((answer) => answer.services[index]?.pairs ?? []);
        return serviceStatus(protocol.name, book.urlsOf(index), [...ownShare(index), ...shares.of(index)], pairs, kernel);
      }),
      workers: state.workers.map((record) => ({ slot: record.slot, pid: lives.pidOf(record.life), at: record.at, generation: record.generation, eventLoop: record.eventLoop })),
      supervision: { started: state.lives, ended: chronicle.ended },
    };
  }

  /** Where the primary accepts, it counts too: as slot 0. */
  function ownShare(service: number): WorkerShare[] {
    const listeners = book.all().flatMap((socket) => {
      const dispatcher = dispatchers.get(socket.id);
      return dispatcher === undefined || socket.service !== service ? [] : [{ endpoint: urlOf(socket), connections: dispatcher.counters(), datagrams: NO_DATAGRAMS }];
    });
    return listeners.length === 0 ? [] : [{ slot: 0, listeners, counters: {} }];
  }

  /** Tells a predecessor that it may drain. */
  function reportReady(): void {
    if (inheritance.readyDescriptor === undefined) return;
    writeSync(inheritance.readyDescriptor, '1');
    closeSync(inheritance.readyDescriptor);
    for (const descriptor of inheritance.rest()) closeSync(descriptor);
  }

  const requireWanted = (): void => {
    if (isUnwanted) throw closedBeforeReady();
  };

  const server: Server = {
    role: 'primary',
    ended,
    async listen() {
      if (isSupervising) throw new WellknownError('WRONG_STATE', 'this process supervises workers already', { fault: 'local', hint: 'give all services to one createServer' });
      requireWanted();
      isSupervising = true;
      publishServer('primary', 'starting');
      Reflect.deleteProperty(process.env, INHERIT_VARIABLE);
      isBinding = true;
      try {
        await book.bindAll(Array.from({ length: workerCount }, (_, index) => index + 1));
        for (const socket of book.all()) if (socket.via === 'dispatch') await startDispatching(socket);
        requireWanted();
      } catch (error) {
        await release();
        publishServer('primary', 'ended');
        markEnded.resolve();
        throw error;
      } finally {
        isBinding = false;
      }
      const ready = new Promise<void>((resolve, reject) => (listening = { resolve, reject }));
      // Without workers nothing else would keep the primary alive between a death and the replacement.
      tickets.start(clock);
      watch = watchEventLoop(clock, (loop) => options.metrics?.sampled(0, loop));
      heartbeat = clock.every(TICK_MS, () => observe([], true), { keepAlive: true });
      observe();
      await ready;
      reportReady();
      publishServer('primary', 'listening');
      return book.endpoints();
    },
    close({ graceMs = options.drainTimeoutMs } = {}) {
      if (!isSupervising || isBinding) {
        isUnwanted = true;
        // What is bound is given back by `listen`, which then ends it.
        if (isBinding) publishServer('primary', 'draining');
        else markEnded.resolve();
        return ended;
      }
      if (state.stopping && graceMs < closeGraceMs) for (const { life } of lives.all()) lives.send(life, { type: 'drain', graceMs });
      closeGraceMs = graceMs;
      if (!state.stopping) {
        publishServer('primary', 'draining');
        observe([{ type: 'stop' }]);
        // The workers close theirs as they begin to drain; from then on nobody will serve what is queued.
        void unbind();
      }
      return ended.catch(() => undefined);
    },
    status,
    scale: (by) => observe([{ type: 'scale', by }]),
    reload() {
      if (reloading !== undefined || isUpgrading || state.stopping || listening !== undefined) {
        return Promise.reject(new WellknownError('WRONG_STATE', 'the server is starting, stopping, reloading or being upgraded already', { fault: 'local', hint: 'wait for it to end' }));
      }
      lastFailure = '';
      return new Promise<void>((resolve, reject) => {
        reloading = { resolve, reject };
        publishServer('primary', 'reloading');
        observe([{ type: 'reload' }]);
      });
    },
    async upgrade() {
      if (reloading !== undefined || isUpgrading || state.stopping || listening !== undefined) {
        throw new WellknownError('WRONG_STATE', 'the server is starting, stopping, reloading or being upgraded already', { fault: 'local', hint: 'wait for it to end' });
      }
      isUpgrading = true;
      publishServer('primary', 'upgrading');
      try {
        const pid = await startSuccessor(book.all(), clock);
        hasHandedOver = true;
        log.info({ successor: pid }, 'the successor is ready, draining');
        void server.close();
        return pid;
      } catch (error) {
        log.error({ err: error }, 'the upgrade failed');
        publishServer('primary', 'listening');
        throw error;
      } finally {
        isUpgrading = false;
      }
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}

/** Connections that it has accepted since it was started. */
const servedBy = (services: readonly ServiceShare[]): number =>
  services.reduce((sum, { listeners }) => listeners.reduce((whole, { connections }) => whole + connections.accepted, sum), 0);
