// A process for each connection, as inetd's `nowait`: accept, run the program with the connection as its standard input
// and output, forget it. The environment is that of ucspi-tcp (PROTO, TCPLOCALIP, TCPREMOTEIP, …), so that programs for
// tcpserver, s6 and BusyBox run unchanged.
//
// No byte is read here: the socket goes to the child as the kernel made it, and our copy is closed.

import net from 'node:net';
import { AddressRates } from '../accept/address-rates.ts';
import { formatAddress, limitKey, normalizeIp, type Address } from '../address/address.ts';
import type { CloseReason } from '../connection/states.ts';
import { WellknownError } from '../errors.ts';
import {
  connectionEnvironment,
  ProgramPath,
  runWithSocket,
  type ProgramToRun,
  type RunningProgram,
} from './child-program.ts';
import type { BoundListener } from '../listener/listener.ts';
import { resolveOptions, type ServerOptions } from '../options.ts';
import { NO_DATAGRAMS } from '../datagram/limits.ts';
import { Registry, type ListenerTally } from '../accept/registry.ts';
import type { Server } from '../server.ts';
import { createServerLifecycle } from '../supervisor/server-lifecycle.ts';
import { listenOnHandle } from '../kernel/raw-handles.ts';

export interface ExecServerOptions
  extends
    ProgramToRun,
    Pick<
      ServerOptions,
      'log' | 'clock' | 'limits' | 'backlog' | 'drainTimeoutMs' | 'unixMode' | 'allow' | 'deny' | 'metrics'
    > {
  readonly listen: string | readonly string[];
}

/** As tcpserver: each is a process, not a file descriptor. */
export const DEFAULT_MAX_CONNECTIONS = 40;
// Long enough for a last word, short enough for whoever waits for the server to end.
const KILL_AFTER_TERM_MS = 2_000;

interface Child {
  readonly program: RunningProgram;
  readonly local: Address;
  readonly peer: Address;
  reason: CloseReason | undefined;
}

const addressOf = (ip: string | undefined, port: number | undefined): Address => {
  const address = normalizeIp(ip ?? '');
  return { family: address.includes(':') ? 'ipv6' : 'ipv4', address, port: port ?? 0 };
};

/** Serves by running a program for each connection. Past `maxConnections` (40) accepted connections wait unread. */
export function createExecServer(options: ExecServerOptions): Server {
  const protocol = { name: 'exec', port: 0, open: () => ({ data: () => undefined }) };
  const resolved = resolveOptions({ protocol, listen: options.listen }, options);
  const { log, clock, backlog } = resolved;
  const maxConnections = options.limits?.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  const maxConnectionsPerAddress = options.limits?.maxConnectionsPerAddress ?? maxConnections;
  const registry = new Registry<Child>({
    maxConnections,
    maxConnectionsPerAddress,
    freePerAddress: maxConnectionsPerAddress,
    maxWaiting: backlog,
  });
  const access = resolved.services[0]?.access;
  const maxPerSecond = options.limits?.maxAcceptsPerSecondPerAddress ?? 0;
  const rates = maxPerSecond > 0 ? new AddressRates(maxPerSecond) : undefined;
  const bound: BoundListener[] = [];
  const servers: net.Server[] = [];
  const waiting: { readonly socket: net.Socket; readonly tally: ListenerTally; readonly open: () => void }[] = [];
  const open = new Map<string, number>();
  const program = new ProgramPath(options.program);
  let whenEmpty: (() => void) | undefined;

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
      waiting.push({
        socket,
        tally,
        open() {
          registry.stopWaiting(tally);
          run(socket, unixPath, tally);
        },
      });
    } else {
      registry.countClosed('queue-limit', tally);
      socket.destroy();
    }
  };

  const run = (socket: net.Socket, unixPath: string | undefined, tally: ListenerTally): void => {
    const local: Address =
      unixPath === undefined ? addressOf(socket.localAddress, socket.localPort) : { family: 'unix', path: unixPath };
    const peer: Address =
      unixPath === undefined ? addressOf(socket.remoteAddress, socket.remotePort) : { family: 'unix', path: '' };
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
    const running = runWithSocket(
      program.path,
      options,
      socket,
      connectionEnvironment(local, peer, count),
      ({ how, error }) => {
        if (error === undefined)
          log.debug({ peer: formatAddress(peer), pid: running.pid }, `the program has ended (${how})`);
        else log.error({ err: error, peer: formatAddress(peer) }, 'the program could not be started');
        record.reason ??= error === undefined ? 'finished' : 'handler-failed';
        registry.remove(record, tally);
        const left = (open.get(key) ?? 1) - 1;
        if (left === 0) open.delete(key);
        else open.set(key, left);
        // One that waited may be turned away for its address after all; then it is the next one's turn.
        while (!registry.isFull && waiting.length > 0) waiting.shift()?.open();
        if (registry.openCount === 0) whenEmpty?.();
      },
    );
    // The child has its own copy; while ours is open the peer would never see its end.
    socket.destroy();
    const record: Child = { program: running, local, peer, reason: undefined };
    registry.add(record, key);
    open.set(key, count);
    log.debug({ peer: formatAddress(peer), pid: running.pid }, 'started');
  };

  const acceptFrom = async ({ endpoint, socket: bound }: BoundListener, tally: ListenerTally): Promise<void> => {
    if (bound.type === 'datagram')
      throw new WellknownError(
        'ENDPOINT_INVALID',
        'a datagram has no connection that a program of its own could have',
        { fault: 'local', hint: 'createWaitServer (exec --wait) gives the program the socket itself' },
      );
    const unixPath = endpoint.scheme === 'unix' ? `${endpoint.abstract ? '@' : ''}${endpoint.path}` : undefined;
    const accepting = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) =>
      accepted(socket, unixPath, tally),
    );
    servers.push(accepting);
    await new Promise<void>((resolve, reject) => {
      accepting.once('error', reject);
      accepting.once('listening', resolve);
      listenOnHandle(accepting, bound.handle, backlog);
    });
  };

  /** The ladder for children that outlast the drain: TERM, and KILL two seconds later. */
  const cutLater = (graceMs: number): { cancel: () => void } => {
    const signal = (name: NodeJS.Signals): void => {
      for (const { socket, tally } of waiting.splice(0)) {
        registry.stopWaiting(tally);
        registry.countClosed('drain-timeout', tally);
        socket.destroy();
      }
      for (const child of registry.connections()) {
        child.reason = 'drain-timeout';
        child.program.kill(name);
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
  };

  return createServerLifecycle(resolved, {
    services: [{ name: protocol.name, listen: resolved.services[0]?.listen ?? [] }],
    prepare: () => program.find(),
    async enter({ listener, url }) {
      bound.push(listener);
      await acceptFrom(listener, registry.listener(url));
    },
    async drain(graceMs) {
      for (const server of servers) server.close();
      for (const listener of bound) await listener.close();
      // Who waits was accepted: it has its turn while there is time.
      const empty = new Promise<void>((resolve) => (whenEmpty = resolve));
      if (registry.openCount === 0) return;
      const timer = cutLater(graceMs);
      await empty;
      timer.cancel();
    },
    hurry: (graceMs) => void cutLater(graceMs),
    async reload() {
      await program.findAgain();
      log.info(
        { program: program.path },
        'the program was looked for again, whoever comes next gets what is there now; those that run go on',
      );
    },
    answer() {
      const pairs = [...registry.connections()].map(({ local, peer }) => ({
        local: formatAddress(local),
        remote: formatAddress(peer),
        state: 'open' as const,
      }));
      const listeners = [...registry.counters()].map(([endpoint, connections]) => ({
        endpoint,
        connections,
        datagrams: NO_DATAGRAMS,
      }));
      return { share: { listeners, counters: {} }, pairs };
    },
    hint: 'each connection has a process of its own',
  });
}
