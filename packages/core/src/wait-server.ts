// inetd's `wait`, systemd's `Accept=no`: somebody is at the door, the program is run with the listening socket itself (or the datagram
// socket) as its standard input and output, and nobody looks at the socket here until it has ended.
//
// Nothing is ever accepted or received here. listen(2) is a property of the socket that all who hold it share, so a short-lived process calls
// it and ends: Node itself cannot listen without accepting.

import { spawn } from 'node:child_process';
import type { Address } from './address.ts';
import { bindTarget } from './bind-target.ts';
import type { Timer } from './clock.ts';
import { publishServer } from './diagnostics.ts';
import { WellknownError } from './errors.ts';
import { watchEventLoop, type EventLoopWatch } from './event-loop.ts';
import { findProgram, impossible, listenerEnvironment, runWithSocket, type ProgramToRun, type RunningProgram } from './exec-program.ts';
import { kernelCounters } from './kernel-counters.ts';
import { ListenerStates } from './listener-states.ts';
import { explainBindFailure, type BoundListener } from './listener.ts';
import { resolveOptions, type ServerOptions } from './options.ts';
import { boundEndpoint, type BoundEndpoint, type Server } from './server.ts';
import { watchDatagrams, watchStream, type ReadinessWatch } from './socket-handle.ts';
import { IDLE_EVENT_LOOP, NO_SUPERVISION, serviceStatus } from './status.ts';
import { DEFAULT_WAIT_POLICY, NEW_DOOR, stepDoor, type Door, type DoorAction, type DoorEvent, type WaitPolicy } from './wait-policy.ts';

export interface WaitServerOptions extends ProgramToRun, Partial<WaitPolicy>, Pick<ServerOptions, 'log' | 'clock' | 'backlog' | 'drainTimeoutMs' | 'unixMode' | 'metrics'> {
  /** Each listener has a door of its own, with one program at a time. */
  readonly listen: string | readonly string[];
}

interface Entrance {
  readonly listener: BoundListener;
  readonly watch: ReadinessWatch;
  readonly url: string;
  door: Door;
  program: RunningProgram | undefined;
  pause: Timer | undefined;
  whenClosed: (() => void) | undefined;
}

/**
 * Serves by running a program whenever somebody waits at a listener, with the listening socket as its descriptors 0 and 1. A close sends TERM
 * at once, since only the program can stop letting people in, and KILL when the grace is over.
 */
export function createWaitServer(options: WaitServerOptions): Server {
  const protocol = { name: 'exec', port: 0, open: () => ({ data: () => undefined }), datagrams: () => () => undefined };
  const resolved = resolveOptions({ protocol, listen: options.listen }, options);
  const { log, clock, backlog, drainTimeoutMs } = resolved;
  const targets = resolved.services[0]?.listen ?? [];
  const policy = policyOf(options);
  const entrances: Entrance[] = [];
  const counters = { starts: 0, failures: 0, pauses: 0 };
  const states = new ListenerStates('alone');
  let watch: EventLoopWatch | undefined;
  let program = options.program;
  let started = false;
  let closing: Promise<void> | undefined;
  let markEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (markEnded = resolve));

  const happened = (entrance: Entrance, event: DoorEvent): void => {
    const { door, action } = stepDoor(entrance.door, event, clock.nowMs(), policy);
    entrance.door = door;
    carryOut(entrance, action);
    if (door.at === 'closed') entrance.whenClosed?.();
  };

  const carryOut = (entrance: Entrance, action: DoorAction): void => {
    switch (action.do) {
      case 'watch':
        entrance.watch.once(() => happened(entrance, { type: 'ready' }));
        return;
      case 'run':
        run(entrance);
        return;
      case 'pause':
        counters.pauses += 1;
        pause(entrance, action);
        return;
      case 'end-program':
        entrance.program?.kill('SIGTERM');
        return;
      case 'nothing':
    }
  };

  const run = (entrance: Entrance): void => {
    counters.starts += 1;
    const { listener, url } = entrance;
    entrance.program = runWithSocket(program, options, listener.descriptor, environmentOf(listener), ({ failed, how, error }) => {
      const isWanted = entrance.door.at === 'closing';
      if (failed && !isWanted) counters.failures += 1;
      if (error === undefined) log[failed && !isWanted ? 'warn' : 'debug']({ endpoint: url, pid: entrance.program?.pid }, `the program has ended (${how})`);
      else log.error({ endpoint: url, err: error }, 'the program could not be started');
      entrance.program = undefined;
      happened(entrance, { type: 'ended', failed });
    });
    log.debug({ endpoint: url, pid: entrance.program.pid }, 'somebody is at the door: started the program');
  };

  const pause = (entrance: Entrance, { forMs, why }: Extract<DoorAction, { do: 'pause' }>): void => {
    const seconds = Number((forMs / 1000).toFixed(1));
    if (why === 'program-fails') log.warn({ endpoint: entrance.url, pauseMs: forMs }, `the program failed as soon as it had begun, it is not started again for ${seconds} s`);
    else {
      log.error({ endpoint: entrance.url, pauseMs: forMs }, `the program was started ${policy.maxStartsPerMinute} times within a minute, nobody is let in for ${seconds} s: `
        + 'it must take what waits at its standard input before it ends; if it does, raise maxStartsPerMinute (--max-starts)');
    }
    // Repeats, for that is the kind of timer that keeps the process from ending: in a pause nothing else does.
    const timer = clock.every(forMs, () => {
      timer.cancel();
      happened(entrance, { type: 'pause-over' });
    }, { keepAlive: true });
    entrance.pause = timer;
  };

  const enter = async (listener: BoundListener): Promise<BoundEndpoint> => {
    const { endpoint, socket, descriptor } = listener;
    const bound = boundEndpoint('exec', endpoint);
    let readiness: ReadinessWatch;
    try {
      // Datagrams at once, before one could be received.
      readiness = socket.type === 'datagram' ? watchDatagrams(socket.socket) : watchStream(socket.handle);
      if (socket.type === 'stream') await listenInKernel(descriptor, backlog);
    } catch (error) {
      await listener.close();
      throw explainBindFailure(endpoint, error);
    }
    const entrance: Entrance = { listener, watch: readiness, url: bound.url, door: NEW_DOOR, program: undefined, pause: undefined, whenClosed: undefined };
    const number = entrances.push(entrance);
    states.appears(number, bound.service, bound.url, 'unbound');
    states.move(number, 'bound');
    states.move(number, 'listening');
    carryOut(entrance, { do: 'watch' });
    return bound;
  };

  const closeEntrance = async (entrance: Entrance): Promise<void> => {
    const closed = new Promise<void>((resolve) => (entrance.whenClosed = resolve));
    entrance.pause?.cancel();
    entrance.watch.stop();
    happened(entrance, { type: 'close' });
    await closed;
    await entrance.watch.close(() => entrance.listener.close());
  };

  const killAll = (): void => {
    for (const { program: running } of entrances) running?.kill('SIGKILL');
  };

  const drain = async (graceMs: number): Promise<void> => {
    publishServer('alone', 'draining');
    states.moveAll('draining');
    const kill = clock.after(graceMs, killAll);
    await Promise.all(entrances.map(closeEntrance));
    kill.cancel();
    states.moveAll('closed');
    watch?.stop();
    publishServer('alone', 'ended');
    markEnded();
  };

  const server: Server = {
    role: 'alone',
    ended,
    async listen() {
      if (started) throw new WellknownError('WRONG_STATE', 'listen was called before on this server', { fault: 'local' });
      started = true;
      program = await findProgram(options.program);
      publishServer('alone', 'starting');
      const endpoints: BoundEndpoint[] = [];
      try {
        for (const target of targets) {
          for await (const listener of bindTarget(target, { unixMode: options.unixMode })) endpoints.push(await enter(listener));
        }
        watch = watchEventLoop(clock, (loop) => resolved.metrics?.sampled(0, loop));
        publishServer('alone', 'listening');
        return endpoints;
      } catch (error) {
        await drain(0);
        throw error;
      }
    },
    close({ graceMs = drainTimeoutMs } = {}) {
      if (closing === undefined) closing = drain(graceMs);
      else clock.after(graceMs, killAll);
      return closing;
    },
    async status() {
      const urls = entrances.map(({ url }) => url);
      const count = (at: Door['at'][]): number => entrances.filter(({ door }) => at.includes(door.at)).length;
      const own = { ...counters, running: count(['running', 'closing']), paused: count(['paused']) };
      return {
        role: 'alone',
        pid: process.pid,
        eventLoop: watch?.last ?? IDLE_EVENT_LOOP,
        services: [serviceStatus('exec', urls, [{ slot: 0, listeners: [], counters: own }], [], await kernelCounters(urls))],
        workers: [],
        supervision: NO_SUPERVISION,
      };
    },
    scale: impossible,
    reload: impossible,
    upgrade: impossible,
    [Symbol.asyncDispose]: () => server.close(),
  };
  resolved.metrics?.watch(server);
  return server;
}

function policyOf({ maxStartsPerMinute = DEFAULT_WAIT_POLICY.maxStartsPerMinute, pauseMs = DEFAULT_WAIT_POLICY.pauseMs }: WaitServerOptions): WaitPolicy {
  for (const [name, value, min, unit] of [['maxStartsPerMinute', maxStartsPerMinute, 1, 'starts'], ['pauseMs', pauseMs, 1, 'milliseconds']] as const) {
    if (!(value >= min)) throw new WellknownError('OPTION_INVALID', `option '${name}' is ${value}, allowed is a number of ${unit} from ${min}`, { fault: 'local' });
  }
  return { maxStartsPerMinute, pauseMs };
}

function environmentOf({ endpoint }: BoundListener): Record<string, string> {
  if (endpoint.scheme === 'unix') return listenerEnvironment('TCP', { family: 'unix', path: `${endpoint.abstract ? '@' : ''}${endpoint.path}` });
  const local: Address = { family: endpoint.host.includes(':') ? 'ipv6' : 'ipv4', address: endpoint.host, port: endpoint.port };
  return listenerEnvironment(endpoint.scheme === 'udp' ? 'UDP' : 'TCP', local);
}

const INHERITED = 3;
// It ends in the same turn in which it listens, before it could accept.
const LISTEN_AND_END = `require('node:net').createServer().on('error', (error) => { process.stdout.write(error.code); process.exitCode = 1; })
  .listen({ fd: ${INHERITED}, backlog: Number(process.argv[1]) }, () => process.exit())`;

/** Has the kernel queue connections for a bound socket. Rejects with the system's error. */
async function listenInKernel(descriptor: number, backlog: number): Promise<void> {
  // Options of this program's own Node (a debugger's port, a loader) are not for it.
  const child = spawn(process.execPath, ['-e', LISTEN_AND_END, String(backlog)], { env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', 'pipe', 'inherit', descriptor] });
  let code = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (code += text));
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve(exitCode ?? -1));
  });
  if (status !== 0) throw Object.assign(new Error(`listen: ${code === '' ? `status ${status}` : code}`), { code });
}
