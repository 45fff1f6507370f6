// inetd's `wait`, systemd's `Accept=no`: when a peer has come, the program is run with the listening socket itself (or
// the datagram socket) as its standard input and output, and the socket is not watched here until it has ended.
//
// Nothing is ever accepted or received here. listen(2) is a property of the socket that all who hold it share, so a
// short-lived process calls it and ends: Node itself cannot listen without accepting.

import { spawn } from 'node:child_process';
import type { Address } from '../address/address.ts';
import { unixPathOf } from '../address/endpoint.ts';
import type { Timer } from '../time/clock.ts';
import { WellknownError } from '../errors.ts';
import {
  listenerEnvironment,
  PROGRAM_OPTIONS,
  ProgramPath,
  runWithSocket,
  type ProgramToRun,
  type RunningProgram,
} from './child-program.ts';
import type { BoundListener } from '../listener/listener.ts';
import { requireKnownNames } from '../option-names.ts';
import { type ServerOptions } from '../options.ts';
import { resolveSettings } from '../resolved-options.ts';
import { resolveProgramListen } from './program-listen.ts';
import type { Server } from '../server.ts';
import { createServerLifecycle, type BoundService } from '../supervisor/server-lifecycle.ts';
import { watchDatagrams, watchStream, type ReadinessWatch } from '../kernel/readiness.ts';
import {
  DEFAULT_WAIT_POLICY,
  INITIAL_WAIT_STATE,
  stepWait,
  type WaitState,
  type WaitAction,
  type WaitEvent,
  type WaitPolicy,
} from './wait-policy.ts';

export interface WaitServerOptions
  extends
    ProgramToRun,
    Partial<WaitPolicy>,
    Pick<ServerOptions, 'log' | 'clock' | 'backlog' | 'drainTimeoutMs' | 'unixMode' | 'metrics'> {
  /** Each listener has one program at a time. */
  readonly listen: string | readonly string[];
}

// Checked by the compiler to be all of them.
const OPTION_NAMES: Readonly<Record<keyof WaitServerOptions, true>> = {
  ...PROGRAM_OPTIONS,
  maxStartsPerMinute: true,
  pauseMs: true,
  listen: true,
  log: true,
  clock: true,
  backlog: true,
  drainTimeoutMs: true,
  unixMode: true,
  metrics: true,
};

interface WatchedListener extends Pick<BoundService, 'listener' | 'url'> {
  readonly watch: ReadinessWatch;
  state: WaitState;
  program: RunningProgram | undefined;
  pause: Timer | undefined;
  whenClosed: (() => void) | undefined;
}

/**
 * Serves by running a program whenever a peer waits at a listener, with the listening socket as its descriptors 0 and
 * 1. A close sends TERM at once, since only the program can stop accepting, and KILL when the grace is over.
 */
export function createWaitServer(options: WaitServerOptions): Server {
  requireKnownNames('option', options, Object.keys(OPTION_NAMES));
  const settings = resolveSettings(options);
  const { log, clock, backlog } = settings;
  const listen = resolveProgramListen(options.listen, ['tcp', 'unix', 'udp']);
  const policy = policyOf(options);
  const program = new ProgramPath(options.program, options.runAs);
  const watchedListeners: WatchedListener[] = [];
  const counters = { starts: 0, failures: 0, pauses: 0 };

  const happened = (watched: WatchedListener, event: WaitEvent): void => {
    const { state, action } = stepWait(watched.state, event, clock.nowMs(), policy);
    watched.state = state;
    carryOut(watched, action);
    if (state.at === 'closed') watched.whenClosed?.();
  };

  const carryOut = (watched: WatchedListener, action: WaitAction): void => {
    switch (action.do) {
      case 'watch':
        watched.watch.once(() => happened(watched, { type: 'ready' }));
        return;
      case 'run':
        run(watched);
        return;
      case 'pause':
        counters.pauses += 1;
        pause(watched, action);
        return;
      case 'end-program':
        watched.program?.kill('SIGTERM');
        return;
      case 'nothing':
    }
  };

  const run = (watched: WatchedListener): void => {
    counters.starts += 1;
    const { listener, url } = watched;
    watched.program = runWithSocket(
      program.path,
      options,
      listener.descriptor,
      environmentOf(listener),
      ({ failed, how, error }) => {
        const isWanted = watched.state.at === 'closing';
        if (failed && !isWanted) counters.failures += 1;
        if (error === undefined)
          log[failed && !isWanted ? 'warn' : 'debug'](
            { endpoint: url, pid: watched.program?.pid },
            `the program has ended (${how})`,
          );
        else log.error({ endpoint: url, err: error }, 'the program could not be started');
        watched.program = undefined;
        happened(watched, { type: 'ended', failed });
      },
    );
    log.debug({ endpoint: url, pid: watched.program.pid }, 'a client waits: started the program');
  };

  const pause = (watched: WatchedListener, { forMs, why }: Extract<WaitAction, { do: 'pause' }>): void => {
    const seconds = Number((forMs / 1000).toFixed(1));
    if (why === 'program-fails')
      log.warn(
        { endpoint: watched.url, pauseMs: forMs },
        `the program failed as soon as it had begun, it is not started again for ${seconds} s`,
      );
    else {
      log.error(
        { endpoint: watched.url, pauseMs: forMs },
        `the program was started ${policy.maxStartsPerMinute} times within a minute, it is not started again for ${seconds} s: ` +
          'it must take what waits at its standard input before it ends; if it does, raise maxStartsPerMinute (--max-starts)',
      );
    }
    // Repeats, for that is the kind of timer that keeps the process from ending: in a pause nothing else does.
    const timer = clock.every(
      forMs,
      () => {
        timer.cancel();
        happened(watched, { type: 'pause-over' });
      },
      { keepAlive: true },
    );
    watched.pause = timer;
  };

  const serve = async ({ listener, url }: BoundService): Promise<void> => {
    const { socket, descriptor } = listener;
    let watch: ReadinessWatch;
    try {
      // Datagrams at once, before one could be received.
      watch = socket.type === 'datagram' ? watchDatagrams(socket.socket) : watchStream(socket.handle);
      if (socket.type === 'stream') await listenInKernel(descriptor, backlog);
    } catch (error) {
      await listener.close();
      throw error;
    }
    const watched: WatchedListener = {
      listener,
      url,
      watch,
      state: INITIAL_WAIT_STATE,
      program: undefined,
      pause: undefined,
      whenClosed: undefined,
    };
    watchedListeners.push(watched);
    carryOut(watched, { do: 'watch' });
  };

  const closeWatched = async (watched: WatchedListener): Promise<void> => {
    const closed = new Promise<void>((resolve) => (watched.whenClosed = resolve));
    watched.pause?.cancel();
    watched.watch.stop();
    happened(watched, { type: 'close' });
    await closed;
    await watched.watch.close(() => watched.listener.close());
  };

  const killAll = (): void => {
    for (const { program: running } of watchedListeners) running?.kill('SIGKILL');
  };

  return createServerLifecycle(settings, {
    services: [{ name: 'exec', listen }],
    prepare: () => program.find(),
    serve,
    async drain(graceMs) {
      const kill = clock.after(graceMs, killAll);
      await Promise.all(watchedListeners.map(closeWatched));
      kill.cancel();
    },
    shortenGrace: (graceMs) => void clock.after(graceMs, killAll),
    async reload() {
      await program.findAgain();
      log.info(
        { program: program.path },
        'the program was looked for again: the next start runs what is there now, one that runs goes on',
      );
    },
    answer() {
      const count = (at: WaitState['at'][]): number =>
        watchedListeners.filter(({ state }) => at.includes(state.at)).length;
      return {
        share: {
          listeners: [],
          counters: { ...counters, running: count(['running', 'closing']), paused: count(['paused']) },
        },
        pairs: [],
      };
    },
    holders: [],
    hint: 'the program serves by itself',
  });
}

function policyOf({
  maxStartsPerMinute = DEFAULT_WAIT_POLICY.maxStartsPerMinute,
  pauseMs = DEFAULT_WAIT_POLICY.pauseMs,
}: WaitServerOptions): WaitPolicy {
  for (const [name, value, min, unit] of [
    ['maxStartsPerMinute', maxStartsPerMinute, 1, 'starts'],
    ['pauseMs', pauseMs, 1, 'milliseconds'],
  ] as const) {
    if (!(value >= min))
      throw new WellknownError(
        'OPTION_INVALID',
        `option '${name}' is ${value}, allowed is a number of ${unit} from ${min}`,
        { fault: 'local' },
      );
  }
  return { maxStartsPerMinute, pauseMs };
}

function environmentOf({ endpoint }: BoundListener): Record<string, string> {
  if (endpoint.scheme === 'unix') return listenerEnvironment('TCP', { family: 'unix', path: unixPathOf(endpoint) });
  const local: Address = {
    family: endpoint.host.includes(':') ? 'ipv6' : 'ipv4',
    address: endpoint.host,
    port: endpoint.port,
  };
  return listenerEnvironment(endpoint.scheme === 'udp' ? 'UDP' : 'TCP', local);
}

const INHERITED = 3;
// It ends in the same turn in which it listens, before it could accept.
const LISTEN_AND_END = `require('node:net').createServer().on('error', (error) => { process.stdout.write(error.code); process.exitCode = 1; })
  .listen({ fd: ${INHERITED}, backlog: Number(process.argv[1]) }, () => process.exit())`;

/** Has the kernel queue connections for a bound socket. Rejects with the system's error. */
async function listenInKernel(descriptor: number, backlog: number): Promise<void> {
  // Options of this program's own Node (a debugger's port, a loader) are not for it.
  const child = spawn(process.execPath, ['-e', LISTEN_AND_END, String(backlog)], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit', descriptor],
  });
  let code = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (code += text));
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve(exitCode ?? -1));
  });
  if (status !== 0) throw Object.assign(new Error(`listen: ${code === '' ? `status ${status}` : code}`), { code });
}
