// A process for each connection, as inetd's `nowait`: accept, run the program with the connection as its standard input and
// output, forget it. The environment is that of ucspi-tcp (PROTO, TCPLOCALIP, TCPREMOTEIP, …), so that programs for tcpserver,
// s6 and BusyBox run unchanged.
//
// No byte is read here: the socket goes to the child as the kernel made it, and our copy is closed.

import { spawn, type ChildProcess } from 'node:child_process';
import { constants as fileConstants } from 'node:fs';
import { access } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { AddressRates } from './accept-rate.ts';
import { formatAddress, limitKey, normalizeIp, type Address } from './address.ts';
import type { Clock } from './clock.ts';
import type { CloseReason } from './connection-state.ts';
import { formatEndpoint } from './endpoint.ts';
import { isEndpoint } from './listen-target.ts';
import { WellknownError } from './errors.ts';
import { bindListener, type BoundListener } from './listener.ts';
import { resolveOptions, type ServerOptions } from './options.ts';
import { kernelCounters } from './kernel-counters.ts';
import { NO_DATAGRAMS } from './datagram-limits.ts';
import { publishServer } from './diagnostics.ts';
import { watchEventLoop, type EventLoopWatch } from './event-loop.ts';
import { ListenerStates } from './listener-states.ts';
import { Registry, type ListenerTally } from './registry.ts';
import { boundEndpoint, type BoundEndpoint, type Server } from './server.ts';
import { listenOnHandle } from './socket-handle.ts';
import { IDLE_EVENT_LOOP, NO_SUPERVISION, serviceStatus } from './status.ts';

export interface ExecServerOptions extends Pick<ServerOptions, 'log' | 'clock' | 'limits' | 'backlog' | 'drainTimeoutMs' | 'unixMode' | 'allow' | 'deny' | 'metrics'> {
  /** A path, or a name that is looked up in PATH. No shell reads it. */
  readonly program: string;
  readonly arguments?: readonly string[];
  readonly listen: string | readonly string[];
  /** Who the program runs as. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
  /** Added to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

// As tcpserver: each is a process, not a file descriptor.
const DEFAULT_MAX_CONNECTIONS = 40;

interface Child {
  readonly process: ChildProcess;
  readonly local: Address;
  readonly peer: Address;
  reason: CloseReason | undefined;
}

/** Whether the program can be run at all: said at the start, not to the first client. */
async function findProgram(program: string): Promise<string | undefined> {
  const candidates = program.includes('/') ? [path.resolve(program)] : (process.env.PATH ?? '').split(path.delimiter).map((folder) => path.join(folder, program));
  for (const candidate of candidates) {
    if (await access(candidate, fileConstants.X_OK).then(() => true, () => false)) return candidate;
  }
  return undefined;
}

const addressOf = (ip: string | undefined, port: number | undefined): Address => {
  const address = normalizeIp(ip ?? '');
  return { family: address.includes(':') ? 'ipv6' : 'ipv4', address, port: port ?? 0 };
};

/** The variables of ucspi-tcp and ucspi-unix for one connection; TCPCONNNUM is how many its peer has open. */
export function connectionEnvironment(local: Address, remote: Address, connectionsOfPeer: number): Record<string, string> {
  if (local.family === 'unix' || remote.family === 'unix') return { PROTO: 'UNIX', ...(local.family === 'unix' ? { UNIXLOCALPATH: local.path } : {}), UNIXCONNNUM: String(connectionsOfPeer) };
  return {
    PROTO: 'TCP',
    TCPLOCALIP: local.address,
    TCPLOCALPORT: String(local.port),
    TCPREMOTEIP: remote.address,
    TCPREMOTEPORT: String(remote.port),
    TCPCONNNUM: String(connectionsOfPeer),
  };
}

/** Serves by running a program for each connection. Past `maxConnections` (40) accepted connections wait unread. */
export function createExecServer(options: ExecServerOptions): Server {
  const protocol = { name: 'exec', port: 0, open: () => ({ data: () => undefined }) };
  const resolved = resolveOptions({ protocol, listen: options.listen }, options);
  const { log, clock, backlog, drainTimeoutMs } = resolved;
  const targets = resolved.services[0]?.listen ?? [];
  const maxConnections = options.limits?.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  const maxConnectionsPerAddress = options.limits?.maxConnectionsPerAddress ?? maxConnections;
  const registry = new Registry<Child>({ maxConnections, maxConnectionsPerAddress, freePerAddress: maxConnectionsPerAddress, maxWaiting: backlog });
  const access = resolved.services[0]?.access;
  const maxPerSecond = options.limits?.maxAcceptsPerSecondPerAddress ?? 0;
  const rates = maxPerSecond > 0 ? new AddressRates(maxPerSecond) : undefined;
  const bound: BoundListener[] = [];
  const servers: net.Server[] = [];
  const waiting: (() => void)[] = [];
  const open = new Map<string, number>();
  const states = new ListenerStates('alone');
  let watch: EventLoopWatch | undefined;
  let program = options.program;
  let closing: Promise<void> | undefined;
  let whenEmpty: (() => void) | undefined;
  let markEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (markEnded = resolve));

  const accepted = (socket: net.Socket, unixPath: string | undefined, tally: ListenerTally): void => {
    socket.on('error', () => undefined);
    registry.countAccepted(tally);
    if (unixPath === undefined && access?.decide(normalizeIp(socket.remoteAddress ?? '')).allowed === false) {
      registry.countClosed('denied', tally);
      socket.destroy();
      return;
    }
    if (!registry.isFull) run(socket, unixPath, tally);
    else if (registry.startWaiting(tally)) {
      waiting.push(() => {
        registry.stopWaiting(tally);
        run(socket, unixPath, tally);
      });
    } else {
      registry.countClosed('queue-limit', tally);
      socket.destroy();
    }
  };

  const run = (socket: net.Socket, unixPath: string | undefined, tally: ListenerTally): void => {
    const local: Address = unixPath === undefined ? addressOf(socket.localAddress, socket.localPort) : { family: 'unix', path: unixPath };
    const peer: Address = unixPath === undefined ? addressOf(socket.remoteAddress, socket.remotePort) : { family: 'unix', path: '' };
    const key = limitKey(peer);
    if (registry.addressVerdict(key) !== 'open') {
      registry.countClosed('address-limit', tally);
      socket.destroy();
      return;
    }
    if (rates?.take(key, clock.nowMs()) === false) {
      registry.countClosed('address-rate', tally);
      socket.destroy();
      return;
    }
    const count = (open.get(key) ?? 0) + 1;
    const child = spawn(program, options.arguments ?? [], {
      stdio: [socket, socket, 'inherit'],
      env: { ...process.env, ...options.environment, ...connectionEnvironment(local, peer, count) },
      ...(options.runAs === undefined ? {} : { uid: options.runAs.uid, gid: options.runAs.gid }),
    });
    // The child has its own copy; while ours is open the peer would never see its end.
    socket.destroy();
    const record: Child = { process: child, local, peer, reason: undefined };
    registry.add(record, key);
    open.set(key, count);
    log.debug({ peer: formatAddress(peer), pid: child.pid }, 'started');
    let isOver = false;
    const over = (reason: CloseReason): void => {
      if (isOver) return;
      isOver = true;
      record.reason ??= reason;
      registry.remove(record, tally);
      const left = (open.get(key) ?? 1) - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
      if (!registry.isFull) waiting.shift()?.();
      if (registry.openCount === 0) whenEmpty?.();
    };
    child.once('error', (error) => {
      log.error({ err: error }, 'the program could not be started');
      over('handler-failed');
    });
    child.once('exit', () => over('finished'));
  };

  const drain = async (graceMs: number): Promise<void> => {
    publishServer('alone', 'draining');
    states.moveAll('draining');
    for (const server of servers) server.close();
    for (const listener of bound) await listener.close();
    waiting.length = 0;
    const empty = new Promise<void>((resolve) => (whenEmpty = resolve));
    if (registry.openCount > 0) {
      const timer = killLater(clock, graceMs, () => registry.connections());
      await empty;
      timer.cancel();
    }
    states.moveAll('closed');
    watch?.stop();
    publishServer('alone', 'ended');
    markEnded();
  };

  const server: Server = {
    role: 'alone',
    ended,
    async listen() {
      const found = await findProgram(options.program);
      if (found === undefined) throw new WellknownError('OPTION_INVALID', `the program '${options.program}' is not there or cannot be run`, { fault: 'local' });
      program = found;
      const endpoints: BoundEndpoint[] = [];
      for (const target of targets) {
        if (!isEndpoint(target) || target.scheme === 'udp' || target.scheme === 'tls') throw new WellknownError('ENDPOINT_INVALID', `exec listens on tcp and unix, not on ${target.scheme}`, { fault: 'local' });
        const listener = await bindListener(target, { unixMode: options.unixMode });
        const number = bound.push(listener);
        const at = boundEndpoint('exec', listener.endpoint);
        const tally = registry.listener(at.url);
        states.appears(number, at.service, at.url, 'unbound');
        states.move(number, 'bound');
        const unixPath = target.scheme === 'unix' ? `${target.abstract ? '@' : ''}${target.path}` : undefined;
        const accepting = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => accepted(socket, unixPath, tally));
        servers.push(accepting);
        await new Promise<void>((resolve, reject) => {
          accepting.once('error', reject);
          accepting.once('listening', resolve);
          if (listener.socket.type === 'stream') listenOnHandle(accepting, listener.socket.handle, backlog);
        });
        states.move(number, 'listening');
        endpoints.push(at);
      }
      watch = watchEventLoop(clock, (loop) => resolved.metrics?.sampled(0, loop));
      publishServer('alone', 'listening');
      return endpoints;
    },
    close({ graceMs = drainTimeoutMs } = {}) {
      if (closing === undefined) closing = drain(graceMs);
      else killLater(clock, graceMs, () => registry.connections());
      return closing;
    },
    async status() {
      const pairs = [...registry.connections()].map(({ local, peer }) => ({ local: formatAddress(local), remote: formatAddress(peer), state: 'open' as const }));
      const urls = bound.map(({ endpoint }) => formatEndpoint(endpoint));
      const listeners = [...registry.counters()].map(([endpoint, connections]) => ({ endpoint, connections, datagrams: NO_DATAGRAMS }));
      return {
        role: 'alone',
        pid: process.pid,
        eventLoop: watch?.last ?? IDLE_EVENT_LOOP,
        services: [serviceStatus('exec', urls, [{ slot: 0, listeners, counters: {} }], pairs, await kernelCounters(urls))],
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

const KILL_AFTER_TERM_MS = 2_000;

/** The ladder for children that outlast the drain: TERM, and KILL two seconds later. */
function killLater(clock: Clock, graceMs: number, children: () => Iterable<Child>): { cancel: () => void } {
  const signal = (name: NodeJS.Signals): void => {
    for (const child of children()) {
      child.reason = 'drain-timeout';
      child.process.kill(name);
    }
  };
  const term = clock.after(graceMs, () => signal('SIGTERM'));
  const kill = clock.after(graceMs + KILL_AFTER_TERM_MS, () => signal('SIGKILL'));
  return {
    cancel() {
      term.cancel();
      kill.cancel();
    },
  };
}

const impossible = (): never => {
  throw new WellknownError('WRONG_STATE', 'a server of one process for each connection has no workers', { fault: 'local' });
};
