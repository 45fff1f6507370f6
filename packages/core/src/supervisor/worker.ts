// The worker's side: asks the primary for its sockets, serves on them, and drains when it is told to or when the primary
// is gone. Workers obey the primary, not the terminal: Ctrl-C reaches the whole process group.

import type dgram from 'node:dgram';
import { Socket } from 'node:net';
import { residentBytes } from '../kernel/process-limits.ts';
import { ProcessConnections } from '../accept/process-connections.ts';
import type { ServiceRuntime } from '../accept/service-runtime.ts';
import { createUnsentBudget } from '../accept/unsent-alarm.ts';
import { parseEndpoint } from '../address/endpoint.ts';
import type { UnsentBudget } from '../connection/unsent-budget.ts';
import { WellknownError } from '../errors.ts';
import { setLogLevel } from '../log.ts';
import { explainBindFailure } from '../listener/bind-failure.ts';
import { ListenerStates } from '../listener/states.ts';
import { watchEventLoop, type EventLoopWatch } from '../observe/event-loop-delay.ts';
import { IDLE_EVENT_LOOP, NO_SUPERVISION, serviceStatus, type ServerStatus } from '../observe/status.ts';
import { graceOf } from '../option-values.ts';
import type { ResolvedOptions } from '../resolved-options.ts';
import { type BoundEndpoint, boundEndpoint, publishServer, type Server } from '../server.ts';
import { TimerWheel } from '../time/timer-wheel.ts';
import { shareOf } from './connection-shares.ts';
import { PrimaryChannel } from './primary-channel.ts';
import { becomeIdentity } from './privileges.ts';
import { WorkerAnswers } from './worker-answers.ts';
import type { WorkerPlace } from './worker-environment.ts';
import { envelope, type FromPrimary, type FromWorker } from './worker-messages.ts';
import { createRuntime } from './worker-services.ts';

/**
 * Tells the primary why this worker can't start, and ends it. `isMistake`: the command line or a file that it names is
 * wrong, so that no other worker could start either.
 */
export function reportStartFailure(message: string, isMistake: boolean): void {
  const failed: FromWorker = { type: 'failed', message, isMistake };
  process.send?.(envelope(failed), undefined, {}, () => process.exit(1));
}

const IGNORED_SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** A plain object, as every server is: programs spread it to put a verb of their own in the place of one of these. */
export function createWorker(options: ResolvedOptions, place: WorkerPlace): Server {
  const worker = new Worker(options, place);
  return {
    role: 'worker',
    ended: worker.ended,
    listen: () => worker.listen(),
    close: async (given) => worker.close(graceOf(given, options.drainTimeoutMs)),
    status: () => Promise.resolve(worker.status()),
    connections: (which = {}) => worker.connections.pages(which),
    closeConnection: async (id, given) => worker.connections.close(id, graceOf(given, options.drainTimeoutMs)),
    logLevel: notHere('given another log level'),
    scale: notHere('scaled'),
    reload: notHere('reloaded'),
    upgrade: notHere('upgraded'),
    [Symbol.asyncDispose]: () => worker.close(options.drainTimeoutMs),
  };
}

type Message<Type extends FromPrimary['type']> = Extract<FromPrimary, { readonly type: Type }>;

class Worker {
  readonly ended: Promise<void>;
  readonly connections: ProcessConnections;
  readonly #options: ResolvedOptions;
  readonly #slot: number;
  readonly #channel = new PrimaryChannel();
  readonly #services: readonly ServiceRuntime[];
  readonly #unsent: UnsentBudget;
  readonly #answers: WorkerAnswers;
  /** The caller of `listen`. */
  #starting:
    | { readonly resolve: (endpoints: readonly BoundEndpoint[]) => void; readonly reject: (error: unknown) => void }
    | undefined;
  /** Of the listeners assigned so far: until each accepts. */
  readonly #listening: Promise<void>[] = [];
  #closing: Promise<void> | undefined;
  /** Of one that drains: the services whose connections may go on. */
  #kept: ReadonlySet<ServiceRuntime> = new Set();
  #markEnded: () => void = () => undefined;
  #watch: EventLoopWatch | undefined;

  constructor(options: ResolvedOptions, { slot, workerCount }: WorkerPlace) {
    this.#options = options;
    this.#slot = slot;
    this.ended = new Promise((resolve) => (this.#markEnded = resolve));
    const wheel = new TimerWheel(options.clock);
    const states = new ListenerStates('worker');
    const unsent = createUnsentBudget(options, shareOf(options.maxUnsentBytesTotal, slot, workerCount));
    this.#unsent = unsent;
    this.#services = options.services.map((service, index) =>
      createRuntime(service, index, { slot, workerCount }, { options, wheel, states, unsent, channel: this.#channel }),
    );
    this.connections = new ProcessConnections(this.#services, { pid: process.pid, worker: slot }, options.clock);
    this.#answers = new WorkerAnswers(this.#services, this.connections, (answer) => this.#channel.send(answer));
  }

  listen(): Promise<readonly BoundEndpoint[]> {
    const { clock, log, drainTimeoutMs, runAs } = this.#options;
    if (this.#starting !== undefined)
      throw new WellknownError('WRONG_STATE', 'listen was called before on this server', { fault: 'local' });
    this.#channel.open({
      received: (message, carried) => this.#received(message, carried),
      lost: () => {
        log.info({ slot: this.#slot }, 'the primary is gone, draining');
        void this.close(drainTimeoutMs);
      },
    });
    for (const signal of IGNORED_SIGNALS) process.on(signal, () => undefined);
    process.on('SIGTERM', () => void this.close(drainTimeoutMs));
    if (runAs !== undefined) {
      try {
        becomeIdentity(runAs);
      } catch (error) {
        this.#fail(error);
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
    const ready = new Promise<readonly BoundEndpoint[]>((resolve, reject) => (this.#starting = { resolve, reject }));
    // Each second of it is a beat.
    this.#watch = watchEventLoop(clock, () => {
      this.#unsent.sample();
      for (const service of this.#kept) service.endIfIdle();
      this.#channel.send(this.#beat());
    });
    publishServer('worker', 'starting');
    this.#channel.send({ type: 'hello' });
    return ready;
  }

  /** Services in `keep` accept no more, and end once they have no connection left. */
  close(graceMs: number, keep: readonly number[] = []): Promise<void> {
    this.#kept = new Set(keep.flatMap((index) => this.#services[index] ?? []));
    if (this.#closing === undefined) {
      publishServer('worker', 'draining');
      // What it still has open counts from now on beside what its successor may open.
      this.#channel.send(this.#beat());
      this.#channel.send({ type: 'leaving' });
      this.#closing = this.#drain(graceMs);
    } else for (const service of this.#services) if (!this.#kept.has(service)) void service.drain(graceMs);
    return this.#closing;
  }

  status(): ServerStatus {
    return {
      role: 'worker',
      pid: process.pid,
      state: this.#closing === undefined ? 'listening' : 'draining',
      eventLoop: this.#eventLoop,
      memory: this.#memory,
      services: this.#services.map((service, index) =>
        serviceStatus(
          this.#options.services[index]?.name ?? '',
          service.endpoints(),
          [{ slot: this.#slot, ...service.share() }],
          service.pairs(),
        ),
      ),
      workers: [],
      supervision: NO_SUPERVISION,
    };
  }

  #received(message: FromPrimary, carried: unknown): void {
    switch (message.type) {
      case 'assign':
        this.#listening.push(this.#accept(message, carried).catch((error: unknown) => this.#fail(error)));
        return;
      case 'assigned':
        this.#becomeReady(message).catch((error: unknown) => this.#fail(error));
        return;
      case 'withdraw':
        this.#services[message.service]?.unlisten(message.listener);
        return;
      case 'pool':
        this.#unsent.resize(shareOf(this.#options.maxUnsentBytesTotal, this.#slot, message.workers));
        for (const [index, { limits }] of this.#options.services.entries())
          this.#services[index]?.resize(shareOf(limits.maxConnections, this.#slot, message.workers), message.workers);
        return;
      case 'share':
        this.#services[message.service]?.resize(message.maxConnections, message.workers);
        return;
      case 'quota': {
        const { service, free } = message;
        this.#channel.send({ type: 'quota', service, free, beyond: this.#services[service]?.changeQuota(free) ?? [] });
        return;
      }
      case 'connection':
        this.#take(message, carried);
        return;
      case 'ticket-key':
        for (const { tls } of this.#options.services) tls?.setTicketKey(Buffer.from(message.key, 'base64'));
        return;
      case 'status-question':
      case 'listing-question':
      case 'listing-end':
      case 'close-connection':
        this.#answers.asked(message);
        return;
      case 'log-level':
        setLogLevel(this.#options.log, message.level);
        return;
      case 'drain':
        void this.close(message.graceMs, message.keep);
        return;
      case 'ban':
        this.#services[message.service]?.banned(message.key, message.forMs);
        return;
      case 'place-total':
        this.#services[message.service]?.placesTold(message.name, message.total);
        return;
      // The channel gives them to those who wait for them, the program has asked for its data.
      case 'data':
      case 'lease-answer':
      case 'place-answer':
      case 'told':
    }
  }

  /** Accepts from a socket that comes along, or that node:cluster shares out. */
  async #accept(message: Message<'assign'>, carried: unknown): Promise<void> {
    const endpoint = parseEndpoint(message.endpoint);
    const service = this.#services[message.service];
    if (!endpoint.ok || service === undefined || (carried === undefined && message.via === 'handle')) return;
    if (this.#closing !== undefined) return;
    try {
      if (message.via === 'cluster') await service.listenThroughCluster(message.listener, endpoint.value);
      else if (endpoint.value.scheme === 'udp')
        service.listenDatagrams(message.listener, endpoint.value, carried as dgram.Socket);
      else await service.listenStream(message.listener, endpoint.value, carried as Socket);
    } catch (error) {
      throw explainBindFailure(endpoint.value, error);
    }
  }

  async #becomeReady({ endpoints }: Message<'assigned'>): Promise<void> {
    await Promise.all(this.#listening);
    this.#channel.send({ type: 'ready' });
    publishServer('worker', 'listening');
    this.#starting?.resolve(
      endpoints.flatMap(({ service, endpoint }) => {
        const parsed = parseEndpoint(endpoint);
        return parsed.ok ? [boundEndpoint(service, parsed.value)] : [];
      }),
    );
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#channel.send({ type: 'failed', message, isMistake: false });
    this.#starting?.reject(error);
  }

  /**
   * A connection that the primary has accepted. Returned, or without an answer before we end, the primary gives it to
   * another worker.
   */
  #take({ connection, service: index, endpoint: text }: Message<'connection'>, carried: unknown): void {
    const endpoint = parseEndpoint(text);
    const service = this.#services[index];
    if (!(carried instanceof Socket)) return;
    // It was on its way when we said that we leave or are full. Only our copy goes: the primary has its own.
    if (!endpoint.ok || service === undefined || this.#closing !== undefined || service.isFull) {
      carried.destroy();
      this.#channel.send({ type: 'returned', connection });
      return;
    }
    carried.allowHalfOpen = true;
    carried.setNoDelay(true);
    carried.once('close', () => this.#channel.send({ type: 'closed', connection }));
    this.#channel.send({ type: 'taken', connection });
    service.adopt(carried, endpoint.value);
  }

  async #drain(graceMs: number): Promise<void> {
    await Promise.all(
      this.#services.map((service) => (this.#kept.has(service) ? service.endWhenIdle() : service.drain(graceMs))),
    );
    publishServer('worker', 'ended');
    this.#markEnded();
    // The program around us may still hold timers or sockets of its own; a drained worker is done nevertheless.
    this.#channel.sendLast(this.#beat(), () => void setImmediate(() => process.exit(0)));
  }

  get #eventLoop(): ServerStatus['eventLoop'] {
    return this.#watch?.last ?? IDLE_EVENT_LOOP;
  }

  get #memory(): ServerStatus['memory'] {
    return { residentBytes: residentBytes(), unsentBytes: this.#unsent.unsentBytes };
  }

  #beat(): FromWorker {
    return {
      type: 'beat',
      eventLoop: this.#eventLoop,
      memory: this.#memory,
      services: this.#services.map((service) => service.share()),
    };
  }
}

const notHere = (what: string) => (): never => {
  throw new WellknownError('WRONG_STATE', `a worker cannot be ${what}`, { fault: 'local', hint: 'ask the primary' });
};
