// The primary: binds every listener once and owns it for its whole life, forks workers through node:cluster, lends them
// the sockets, and carries out what the arbiter decides. Unless the strategy is `dispatch` it never accepts: what comes
// while no worker lives waits in the kernel's queue and is served by the next one.

import { closeSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { DEFAULT_POLICY, initialArbiterState, tick, type ArbiterAction, type ArbiterEvent } from './arbiter.ts';
import type { Timer } from '../time/clock.ts';
import { Dispatching } from './dispatcher-group.ts';
import { WellknownError } from '../errors.ts';
import { INHERIT_VARIABLE, readInheritance } from '../listener/inheritance.ts';
import type { ResolvedOptions, SupervisionPolicy } from '../options.ts';
import { PoolLimits } from './pool-limits.ts';
import { primaryStatus } from './primary-status.ts';
import { closedBeforeReady, publishServer, type Server } from '../server.ts';
import { watchEventLoop, type EventLoopWatch } from '../observe/event-loop-delay.ts';
import { ListenerStates } from '../listener/states.ts';
import { ListenerTable } from './listener-table.ts';
import { IDLE_EVENT_LOOP } from '../observe/status.ts';
import { startSuccessor } from './upgrade.ts';
import { TicketKeys } from '../connection/ticket-keys.ts';
import { createHearing } from './worker-message-handler.ts';
import { WorkerPool, type WorkerHandle } from './worker-pool.ts';
import { WorkerExits } from './worker-exits.ts';
import { WorkerCounters } from './worker-counters.ts';

const TICK_MS = 1_000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** node:cluster has one set of workers for each process, and so have we. */
let isSupervising = false;

export function createPrimary(options: ResolvedOptions): Server {
  const { clock, log, services } = options;
  const workerCount = options.workers === 'auto' ? availableParallelism() : options.workers;
  const policy: SupervisionPolicy = { ...DEFAULT_POLICY, ...options.policy };
  const pool = new WorkerPool({
    clock,
    log,
    workerCount,
    runAs: options.runAs,
    received: (workerId, message) => hear(workerId, message),
    exited,
  });
  const limits = new PoolLimits(options, pool);
  const dispatching = new Dispatching(options, pool, () => state.workers);
  const tickets = new TicketKeys(services, (key) => {
    for (const { workerId } of pool.all()) pool.send(workerId, { type: 'ticket-key', key });
  });
  const inheritance = readInheritance(process.env);
  const states = new ListenerStates('primary');
  const book = new ListenerTable(options, pool, inheritance, states);
  const shares = new WorkerCounters();
  const chronicle = new WorkerExits();
  const hear = createHearing({
    options,
    pool,
    book,
    dispatching,
    limits,
    shares,
    tickets,
    observe,
    updateLoans,
    state: () => state,
    graceMs: () => closeGraceMs,
    failed: (message) => (lastFailure = message),
  });
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
    if (isResized) limits.resized(state.target);
    for (const action of step.actions) carryOut(action);
    wakeUp?.cancel();
    wakeUp = state.mayStartAtMs > nowMs ? clock.after(state.mayStartAtMs - nowMs, () => observe()) : undefined;
    limits.balance(state);
    updateLoans();
    dispatching.pump();
    if (
      listening !== undefined &&
      state.workers.length === state.target &&
      state.workers.every((worker) => worker.at === 'ready')
    ) {
      listening.resolve();
      listening = undefined;
    }
  }

  function carryOut(action: ArbiterAction): void {
    switch (action.do) {
      case 'start':
        pool.fork(action.slot, action.workerId);
        return;
      case 'drain':
        pool.send(action.workerId, { type: 'drain', graceMs: closeGraceMs });
        // Its program is still being loaded and hears nothing yet: it has nothing to drain, and would cost its whole
        // start.
        if (pool.get(action.workerId)?.hasSaidHello === false) pool.kill(action.workerId, 'SIGTERM');
        return;
      case 'kill':
        log.warn({ pid: pool.pidOf(action.workerId), why: action.why }, 'ending a worker that does not end by itself');
        chronicle.killing(action.workerId, action.why);
        pool.kill(action.workerId, 'SIGKILL');
        return;
      case 'reloaded':
        log.info({ generation: action.generation }, 'reloaded');
        publishServer('primary', 'listening');
        reloading?.resolve();
        reloading = undefined;
        return;
      case 'reload-failed': {
        const error = new WellknownError(
          'RELOAD_FAILED',
          'a new worker ended before it was ready, the old ones go on serving',
          { fault: 'local', ...hintOfFailure() },
        );
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
    book.updateLoans(
      state.workers.flatMap((record) => {
        const workerId = pool.get(record.workerId);
        return record.at === 'draining' || workerId?.hasAsked !== true
          ? []
          : [{ workerId: record.workerId, slot: record.slot, at: record.at, fullServices: workerId.fullServices }];
      }),
    );
  }

  function exited({ slot, workerId }: WorkerHandle, code: number | null, signal: string | null): void {
    limits.forget(workerId);
    const wasDraining = state.workers.find((worker) => worker.workerId === workerId)?.at === 'draining';
    if (!wasDraining) log.warn({ slot, code, signal }, 'a worker has ended');
    shares.ended(workerId);
    observe([{ type: 'exited', workerId }]);
    dispatching.exited(workerId);
  }

  // Ending ----------------------------------------------------------------------------------------------------------

  /** Takes the addresses back. While the primary holds a listening socket, the kernel goes on queueing for it. */
  async function unbind(): Promise<void> {
    dispatching.close();
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
    const error = new WellknownError(
      'WORKERS_NEVER_READY',
      `gave up after ${failures} workers ended before any was ready`,
      { fault: 'local', ...hintOfFailure() },
    );
    for (const { workerId } of pool.all()) pool.kill(workerId, 'SIGKILL');
    await release();
    publishServer('primary', 'ended');
    listening?.reject(error);
    markEnded.reject(error);
  }

  function hintOfFailure(): { hint: string } {
    return { hint: lastFailure === '' ? 'its output above says why' : lastFailure };
  }

  /** Tells a predecessor that it may drain. */
  function reportReady(): void {
    if (inheritance.readyDescriptor === undefined) return;
    writeSync(inheritance.readyDescriptor, '1');
    closeSync(inheritance.readyDescriptor);
    for (const descriptor of inheritance.rest()) closeSync(descriptor);
  }

  const isChanging = (): boolean => reloading !== undefined || isUpgrading || state.stopping || listening !== undefined;
  const requireWanted = (): void => {
    if (isUnwanted) throw closedBeforeReady();
  };

  const server: Server = {
    role: 'primary',
    ended,
    async listen() {
      if (isSupervising)
        throw new WellknownError('WRONG_STATE', 'this process supervises workers already', {
          fault: 'local',
          hint: 'give all services to one createServer',
        });
      requireWanted();
      isSupervising = true;
      publishServer('primary', 'starting');
      Reflect.deleteProperty(process.env, INHERIT_VARIABLE);
      isBinding = true;
      try {
        await book.bindAll(Array.from({ length: workerCount }, (_, index) => index + 1));
        for (const socket of book.all()) {
          if (socket.via !== 'dispatch') continue;
          states.move(socket.id, 'listening');
          await dispatching.start(socket);
        }
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
      if (state.stopping && graceMs < closeGraceMs)
        for (const { workerId } of pool.all()) pool.send(workerId, { type: 'drain', graceMs });
      closeGraceMs = graceMs;
      if (!state.stopping) {
        publishServer('primary', 'draining');
        observe([{ type: 'stop' }]);
        // The workers close theirs as they begin to drain; from then on nobody will serve what is queued.
        void unbind();
      }
      return ended.catch(() => undefined);
    },
    status: () =>
      primaryStatus({
        services,
        pool,
        book,
        dispatching,
        shares,
        chronicle,
        state: () => state,
        eventLoop: () => watch?.last ?? IDLE_EVENT_LOOP,
      }),
    scale: (by) => observe([{ type: 'scale', by }]),
    reload() {
      if (isChanging()) return Promise.reject(changesAlready());
      lastFailure = '';
      return new Promise<void>((resolve, reject) => {
        reloading = { resolve, reject };
        publishServer('primary', 'reloading');
        observe([{ type: 'reload' }]);
      });
    },
    async upgrade() {
      if (isChanging()) throw changesAlready();
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

const changesAlready = (): WellknownError =>
  new WellknownError('WRONG_STATE', 'the server is starting, stopping, reloading or being upgraded already', {
    fault: 'local',
    hint: 'wait for it to end',
  });
