// The primary: binds every listener once and owns it until it ends, forks workers through node:cluster, assigns them the
// sockets, and carries out what the arbiter decides. Unless the strategy is `dispatch` it never accepts: what comes while
// there is no worker waits in the kernel's queue and is served by the next one.
//
// Each of its parts owns the state of one concept; here they are wired.

import { WellknownError } from '../errors.ts';
import { INHERIT_VARIABLE, readInheritance } from '../listener/inheritance.ts';
import { watchEventLoop, type EventLoopWatch } from '../observe/event-loop-delay.ts';
import type { LogLevel } from '../log.ts';
import { IDLE_EVENT_LOOP, type ServerStatus } from '../observe/status.ts';
import { graceOf, requireKind, SCALE } from '../option-values.ts';
import type { ResolvedOptions } from '../resolved-options.ts';
import type { BoundEndpoint, Reloaded, Server } from '../server.ts';
import type { Timer } from '../time/clock.ts';
import { TICK_MS } from './arbiter.ts';
import type { ArbiterAction, ArbiterEvent } from './arbiter-state.ts';
import { endEarlyWorkers } from './early-workers.ts';
import type { PoolConnections } from './pool-connections.ts';
import { createPrimaryParts, type PrimaryParts } from './primary-parts.ts';
import { keptBy, settleGeneration } from './next-generation.ts';
import { releaseServices } from './release-services.ts';
import { primaryStatus } from './primary-status.ts';
import { requireMayBecome } from './privileges.ts';
import { Reloads } from './reloads.ts';
import { Scaling } from './scaling.ts';
import { startSuccessor, tellPredecessor } from './upgrade.ts';
import { hasCrashed } from './worker-exits.ts';
import type { WorkerHandle } from './worker-handle.ts';
import { WorkerMessageHandler } from './worker-message-handler.ts';
import type { FromWorker } from './worker-messages.ts';

// What a worker with no grace needs to close what it has.
const KILL_AFTER_MS = 1_000;

/** node:cluster has one set of workers for each process, and so have we. */
let isSupervising = false;

/** A plain object, as every server is: programs spread it to put a verb of their own in the place of one of these. */
export function createPrimary(options: ResolvedOptions): Server {
  const primary = new Primary(options);
  return {
    role: 'primary',
    ended: primary.ended,
    listen: () => primary.listen(),
    close: async (given) => primary.stop(graceOf(given, primary.drainTimeoutMs)),
    status: ({ asksWorkers = true } = {}) => primary.status(asksWorkers),
    connections: (which = {}) => primary.connections.list(which),
    closeConnection: async (id, given) => primary.connections.close(id, graceOf(given, primary.drainTimeoutMs)),
    logLevel: (level) => Promise.resolve().then(() => primary.logLevel(level)),
    scale: (change) => primary.scale(change),
    reload: () => primary.reload(),
    upgrade: () => primary.upgrade(),
    [Symbol.asyncDispose]: () => primary.stop(primary.drainTimeoutMs),
  };
}

class Primary {
  readonly #options: ResolvedOptions;
  readonly #inheritance = readInheritance(process.env);
  readonly #parts: PrimaryParts;
  readonly #messages: WorkerMessageHandler;
  #heartbeat: Timer | undefined;
  #wakeUp: Timer | undefined;
  #watch: EventLoopWatch | undefined;
  readonly #scaling = new Scaling();
  readonly #reloads: Reloads;
  /** The grace of a stop that was asked for during an upgrade. */
  #stopAfterUpgradeMs: number | undefined;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#parts = createPrimaryParts(options, this.#inheritance, {
      received: (worker, message) => this.#received(worker, message),
      exited: (worker, code, signal) => this.#exited(worker, code, signal),
    });
    this.#messages = new WorkerMessageHandler(this.#parts);
    this.#reloads = new Reloads(this.#parts, options, (events) => this.#observe(events));
  }

  get ended(): Promise<void> {
    return this.#parts.lifecycle.ended;
  }

  get drainTimeoutMs(): number {
    return this.#parts.lifecycle.drainTimeoutMs;
  }

  get connections(): PoolConnections {
    return this.#parts.connections;
  }

  logLevel(level: LogLevel | undefined): string {
    const { logLevel } = this.#parts;
    if (level !== undefined) logLevel.change(level);
    return logLevel.current;
  }

  async listen(): Promise<readonly BoundEndpoint[]> {
    const { lifecycle, listeners, tickets, shared, limits, bans } = this.#parts;
    const { clock, metrics } = this.#options;
    if (isSupervising)
      throw new WellknownError('WRONG_STATE', 'this process supervises workers already', {
        fault: 'local',
        hint: 'give all services to one createServer',
      });
    // Node would throw as it makes the process of a worker.
    if (this.#options.runAs !== undefined) requireMayBecome(this.#options.runAs);
    lifecycle.bind();
    isSupervising = true;
    Reflect.deleteProperty(process.env, INHERIT_VARIABLE);
    let ready: Promise<void>;
    try {
      await this.#bind();
      ready = lifecycle.start();
    } catch (error) {
      await this.#release();
      lifecycle.end();
      throw error;
    }
    tickets.start(clock);
    shared?.open({ ledgerOf: (service) => limits.ledgerOf(service), bans });
    this.#watch = watchEventLoop(clock, (loop) => metrics?.sampled(0, loop));
    // Without workers nothing else would keep the primary alive between a death and the replacement.
    this.#heartbeat = clock.every(TICK_MS, () => this.#observe([], true), { keepAlive: true });
    this.#observe();
    // Made for a number of workers that it does not have.
    endEarlyWorkers();
    await ready;
    tellPredecessor(this.#inheritance, this.#options.log);
    lifecycle.serve();
    return listeners.endpoints();
  }

  stop(graceMs: number, hasHandedOver = false): Promise<void> {
    const { lifecycle, pool } = this.#parts;
    // Of both processes one serves at any time: this one goes on until it is known what becomes of the successor.
    if (lifecycle.at === 'upgrading' && !hasHandedOver && graceMs > 0) {
      this.#options.log.info({}, 'the upgrade is waited for');
      this.#stopAfterUpgradeMs = Math.min(graceMs, this.#stopAfterUpgradeMs ?? graceMs);
      return lifecycle.ended.catch(() => undefined);
    }
    // A successor that starts has the sockets already, whatever becomes of this process.
    const verdict = lifecycle.stop(graceMs, hasHandedOver || lifecycle.at === 'upgrading');
    if (verdict === 'shorten-grace') for (const worker of pool.all()) worker.send({ type: 'drain', graceMs });
    if (verdict === 'stop') {
      this.#observe([{ type: 'stop' }]);
      // The workers close theirs as they begin to drain; from then on none would serve what is queued.
      void this.#unbind();
    }
    if (graceMs === 0) this.#killLater();
    return lifecycle.ended.catch(() => undefined);
  }

  /** Asked to end at once: also when a worker is blocked and hears nothing. */
  #killLater(): void {
    this.#options.clock.after(KILL_AFTER_MS, () => {
      for (const worker of this.#parts.pool.all()) worker.kill('SIGKILL');
    });
  }

  status(asksWorkers: boolean): Promise<ServerStatus> {
    return primaryStatus(this.#parts, () => this.#watch?.last ?? IDLE_EVENT_LOOP, asksWorkers);
  }

  async scale(change: number | { readonly to: number }): Promise<number> {
    const { lifecycle, pool } = this.#parts;
    lifecycle.requireStarted();
    // The last one stays, whoever asks for fewer.
    const to = typeof change === 'number' ? Math.max(1, pool.target + change) : change.to;
    requireKind('workers', to, SCALE);
    pool.exits.forgetStartFailure();
    const scaled = this.#scaling.wait();
    // Those that could not start yet count too.
    this.#observe([{ type: 'scale', by: to - pool.target }]);
    await scaled;
    return pool.target;
  }

  reload(): Promise<Reloaded> {
    return this.#reloads.reload();
  }

  async upgrade(): Promise<number> {
    const { lifecycle, listeners } = this.#parts;
    const { clock, log } = this.#options;
    lifecycle.upgrade();
    try {
      const pid = await startSuccessor(listeners.toHandOn(), clock);
      log.info({ successor: pid }, 'the successor is ready, draining');
      void this.stop(this.#stopAfterUpgradeMs ?? this.drainTimeoutMs, true);
      return pid;
    } catch (error) {
      log.error({ err: error }, 'the upgrade failed');
      lifecycle.upgradeFailed();
      if (this.#stopAfterUpgradeMs !== undefined) void this.stop(this.#stopAfterUpgradeMs);
      throw error;
    }
  }

  // Deciding --------------------------------------------------------------------------------------------------------

  #observe(events: readonly ArbiterEvent[] = [], isSecondly = false): void {
    const { lifecycle, pool, listeners, dispatchers, limits } = this.#parts;
    const { actions, isResized, dueInMs } = pool.step(events, isSecondly);
    if (isResized) limits.resized();
    for (const action of actions) this.#carryOut(action);
    this.#wakeUp?.cancel();
    this.#wakeUp = dueInMs === undefined ? undefined : this.#options.clock.after(dueInMs, () => this.#observe());
    limits.balance();
    listeners.updateAssignments(pool.assignable());
    dispatchers.pump();
    if (pool.isComplete) lifecycle.complete();
    if (pool.isStaffed) this.#scaling.done();
  }

  #carryOut(action: ArbiterAction): void {
    const { lifecycle, pool, generations } = this.#parts;
    const { log } = this.#options;
    switch (action.do) {
      case 'start':
        pool.fork(action.slot, action.workerId, action.generation);
        return;
      case 'drain': {
        const worker = pool.get(action.workerId);
        const isKept = pool.records.some((one) => one.workerId === action.workerId && one.isKept === true);
        const { services } = generations.of(pool.generation);
        const keep = worker !== undefined && isKept ? { keep: keptBy(worker, services) } : {};
        worker?.send({ type: 'drain', graceMs: lifecycle.graceMs, ...keep });
        // It hears nothing yet: it has nothing to drain, and would cost its whole start.
        if (worker?.stage === 'loading') worker.kill('SIGTERM');
        return;
      }
      case 'kill': {
        const worker = pool.get(action.workerId);
        log.warn({ pid: worker?.pid ?? 0, why: action.why }, 'ending a worker that does not end by itself');
        pool.exits.killing(action.workerId, action.why);
        worker?.kill('SIGKILL');
        return;
      }
      case 'reloaded':
        log.info({ generation: action.generation }, 'reloaded');
        void settleGeneration(this.#parts, action.generation, true).then(() => lifecycle.reloaded());
        return;
      case 'reload-failed': {
        const what =
          action.failures === undefined
            ? 'a new worker ended before it was ready, the old ones go on serving'
            : `${action.failures} new workers ended before they were ready or soon after, what was before is served again`;
        const error = new WellknownError('RELOAD_FAILED', what, { fault: 'local', hint: this.#hintOfStartFailure() });
        log.error({ err: error }, 'the reload failed');
        void settleGeneration(this.#parts, action.generation, false).then(() => lifecycle.reloaded(error));
        return;
      }
      case 'give-up':
        void this.#giveUp(action.failures);
        return;
      case 'stopped':
        void this.#release().then(() => lifecycle.end());
    }
  }

  #received(worker: WorkerHandle, message: FromWorker): void {
    const event = this.#messages.handle(worker, message);
    if (event !== undefined) this.#observe([event]);
  }

  #exited(worker: WorkerHandle, code: number | null, signal: string | null): void {
    const { slot, workerId, questions } = worker;
    const { lifecycle, pool, dispatchers, limits, places, counters } = this.#parts;
    pool.remove(workerId);
    questions.exited();
    limits.forget(workerId);
    places.forget(workerId);
    if (pool.stateOf(workerId) === 'starting') this.#scaling.failed(slot, this.#hintOfStartFailure());
    // Once it stops, each of them was told to go, or supervision has given up and says why.
    const isExpected = pool.stateOf(workerId) === 'draining' || ['stopping', 'ended'].includes(lifecycle.at);
    if (!isExpected) this.#options.log.warn({ slot, code, signal }, 'a worker has ended');
    else if (hasCrashed(worker, code, signal)) {
      this.#options.log.warn(
        { slot, code, signal },
        'a worker has ended while it drained, and its connections with it',
      );
      pool.exits.crashed(workerId);
    }
    counters.ended(workerId);
    this.#observe([{ type: 'exited', workerId }]);
    dispatchers.exited(workerId);
    releaseServices(this.#parts);
  }

  // Beginning and ending --------------------------------------------------------------------------------------------

  async #bind(): Promise<void> {
    const { pool, listeners, dispatchers, generations } = this.#parts;
    await listeners.bindAll(Array.from({ length: pool.target }, (_, index) => index + 1));
    generations.bound(listeners.owners);
    for (const socket of listeners.all()) {
      if (socket.via !== 'dispatch') continue;
      listeners.listens(socket);
      await dispatchers.start(socket);
    }
  }

  async #giveUp(failures: number): Promise<void> {
    const { lifecycle, pool } = this.#parts;
    if (!lifecycle.giveUp()) return;
    for (const worker of pool.all()) worker.kill('SIGKILL');
    await this.#release();
    const failure = pool.exits.startFailure;
    lifecycle.end(
      failure?.isMistake === true
        ? new WellknownError('OPTION_INVALID', failure.message, { fault: 'local' })
        : new WellknownError('WORKERS_NEVER_READY', `gave up after ${failures} workers ended before any was ready`, {
            fault: 'local',
            hint: this.#hintOfStartFailure(),
          }),
    );
  }

  #hintOfStartFailure(): string {
    return this.#parts.pool.exits.startFailure?.message ?? 'its output above says why';
  }

  /** Takes the addresses back. While the primary holds a listening socket, the kernel goes on queueing for it. */
  async #unbind(): Promise<void> {
    const { lifecycle, listeners, dispatchers } = this.#parts;
    dispatchers.close();
    await listeners.close(lifecycle.hasHandedOver);
  }

  async #release(): Promise<void> {
    this.#scaling.closed();
    this.#heartbeat?.cancel();
    this.#watch?.stop();
    this.#parts.tickets.stop();
    await this.#parts.shared?.close();
    this.#wakeUp?.cancel();
    await this.#unbind();
    isSupervising = false;
  }
}
