// What every server without workers does alike, whatever it serves by: bind one listener after the other, tell of
// itself, end.
//
// A close while it is opening waits for the step that is under way: nothing else is bound, and what was is given back
// before it resolves.

import { residentBytes } from '../kernel/process-limits.ts';
import { ProcessConnections, type ConnectionHolder } from '../accept/process-connections.ts';
import { bindTarget } from '../listener/bind-target.ts';
import { WellknownError } from '../errors.ts';
import { watchEventLoop, type EventLoopWatch } from '../observe/event-loop-delay.ts';
import { ListenerCounters, type OwnedListener } from '../kernel/socket-counters.ts';
import type { ListenTarget } from '../address/listen-target.ts';
import { ListenerStates } from '../listener/states.ts';
import type { BoundListener } from '../listener/listener.ts';
import { explainBindFailure } from '../listener/bind-failure.ts';
import { currentLogLevel, setLogLevel } from '../log.ts';
import { graceOf } from '../option-values.ts';
import type { ResolvedOptions } from '../resolved-options.ts';
import { boundEndpoint, type BoundEndpoint, type Server } from '../server.ts';
import { IDLE_EVENT_LOOP, NO_SUPERVISION, serviceStatus, type LimitsExchangeStatus } from '../observe/status.ts';
import { StandaloneLifecycle } from './standalone-lifecycle.ts';
import type { ServiceAnswer } from './worker-messages.ts';

/** A bound listener, as what serves on it knows it. */
export interface BoundService {
  /** Unique among the server's listeners, from 1. */
  readonly number: number;
  /** Of which service it is: the index among `services`. */
  readonly service: number;
  /** One of its `listen`. */
  readonly target: ListenTarget;
  readonly url: string;
  readonly listener: BoundListener;
}

/** What one kind of server does by itself. */
export interface LifecycleWork {
  /** What it serves, and where. */
  readonly services: readonly { readonly name: string; readonly listen: readonly ListenTarget[] }[];
  /** Before anything is bound. */
  readonly prepare?: () => void | Promise<void>;
  /** Serves on a listener, which from this call on is its own: to be closed by `drain`, also when this rejects. */
  readonly serve: (bound: BoundService) => void | Promise<void>;
  /** Everything was given to `serve`, and nothing else comes. */
  readonly opened?: () => void | Promise<void>;
  /**
   * Accepts no more, waits for work in flight for at most `graceMs`, and gives the listeners back. Called once,
   * in every case.
   */
  readonly drain: (graceMs: number) => Promise<void>;
  /** A drain that is under way has only so long from now on. */
  readonly shortenGrace: (graceMs: number) => void;
  /** Takes what is on disk now for the connections to come. Left out where that needs workers. */
  readonly reload?: () => Promise<void>;
  /** What it knows of one service now. */
  readonly answer: (service: number) => ServiceAnswer;
  /** What has connections. */
  readonly holders: readonly ConnectionHolder[];
  /** Called once a second while it is open. */
  readonly eachSecond?: () => void;
  /** What it has written for slow readers and still holds. Left out where it writes nothing. */
  readonly unsentBytes?: () => number;
  /** How it shares limits with other machines. Left out where it does not. */
  readonly limitsExchange?: () => LimitsExchangeStatus;
  /** What to do, for a caller who asks for what only workers can do. */
  readonly hint: string;
}

type Settings = Pick<
  ResolvedOptions,
  'clock' | 'log' | 'metrics' | 'drainTimeoutMs' | 'unixMode' | 'replaceUnixPath' | 'keepUnixPath'
>;

/**
 * Makes the server around its work, which may tell more of the listeners' states than that they are bound, listen and
 * close.
 */
export function createServerLifecycle(
  settings: Settings,
  work: LifecycleWork,
  states: ListenerStates = new ListenerStates('standalone'),
): Server {
  const { clock, log, metrics, drainTimeoutMs, unixMode, replaceUnixPath, keepUnixPath } = settings;
  const binding = {
    unixMode,
    replacePath: replaceUnixPath,
    ...(keepUnixPath === undefined ? {} : { keepPath: keepUnixPath }),
  };
  const lifecycle = new StandaloneLifecycle();
  const bound: { readonly service: number; readonly at: BoundEndpoint }[] = [];
  const connections = new ProcessConnections(work.holders, { pid: process.pid, worker: 0 }, clock);
  const counters = new ListenerCounters();
  const owned = (): OwnedListener[] => bound.map(({ at }) => ({ service: at.service, endpoint: at.url }));
  let watch: EventLoopWatch | undefined;

  const open = async (): Promise<readonly BoundEndpoint[]> => {
    await work.prepare?.();
    for (const [service, { name, listen }] of work.services.entries()) {
      for (const target of listen) {
        lifecycle.requireOpening();
        for await (const listener of bindTarget(target, binding)) {
          if (lifecycle.at !== 'opening') await listener.close();
          lifecycle.requireOpening();
          const at = boundEndpoint(name, listener.endpoint);
          const number = bound.push({ service, at });
          states.appears(number, at.service, at.url, 'unbound');
          states.move(number, 'bound');
          try {
            await work.serve({ number, service, target, url: at.url, listener });
          } catch (error) {
            throw explainBindFailure(listener.endpoint, error);
          }
          states.move(number, 'listening');
        }
      }
    }
    lifecycle.requireOpening();
    await work.opened?.();
    lifecycle.requireOpening();
    watch = watchEventLoop(clock, (loop) => {
      work.eachSecond?.();
      metrics?.sampled(0, loop);
    });
    lifecycle.opened();
    return bound.map(({ at }) => at);
  };

  const drain = async (graceMs: number): Promise<void> => {
    states.moveAll('draining');
    counters.count(owned());
    let failure: { readonly error: unknown } | undefined;
    try {
      await work.drain(graceMs);
      states.moveAll('closed');
    } catch (error) {
      failure = { error };
    }
    watch?.stop();
    lifecycle.end(failure);
  };

  const needsWorkers = (what: string): WellknownError =>
    new WellknownError('WRONG_STATE', `a server without workers cannot be ${what}`, {
      fault: 'local',
      hint: work.hint,
    });

  const server: Server = {
    role: 'standalone',
    ended: lifecycle.ended,
    async listen() {
      lifecycle.open();
      try {
        return await open();
      } catch (error) {
        lifecycle.openingFailed();
        await drain(0);
        throw error;
      }
    },
    async close(given) {
      const graceMs = graceOf(given, drainTimeoutMs);
      const verdict = lifecycle.close();
      if (verdict === 'drain') void drain(graceMs);
      if (verdict === 'shorten-grace') work.shortenGrace(graceMs);
      return lifecycle.ended;
    },
    async status() {
      const kernel = await counters.read(owned());
      return {
        role: 'standalone',
        pid: process.pid,
        state: lifecycle.state,
        eventLoop: watch?.last ?? IDLE_EVENT_LOOP,
        memory: { residentBytes: residentBytes(), unsentBytes: work.unsentBytes?.() ?? 0 },
        services: work.services.map(({ name }, service) => {
          const { share, pairs } = work.answer(service);
          const urls = bound.filter((one) => one.service === service).map(({ at }) => at.url);
          return serviceStatus(name, urls, [{ slot: 0, ...share }], pairs, kernel(name));
        }),
        workers: [],
        supervision: NO_SUPERVISION,
        ...(work.limitsExchange === undefined ? {} : { limitsExchange: work.limitsExchange() }),
      };
    },
    connections: (which = {}) => connections.pages(which),
    closeConnection: async (id, given) => connections.close(id, graceOf(given, drainTimeoutMs)),
    logLevel: (level) =>
      Promise.resolve().then(() => {
        if (level !== undefined) setLogLevel(log, level);
        return currentLogLevel(log);
      }),
    scale() {
      throw needsWorkers('scaled');
    },
    async reload() {
      if (work.reload === undefined) throw needsWorkers('reloaded');
      await work.reload();
      return { kept: [] };
    },
    upgrade: () => Promise.reject(needsWorkers('upgraded')),
    [Symbol.asyncDispose]: () => server.close(),
  };
  metrics?.watch(server);
  return server;
}
