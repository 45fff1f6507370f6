// A process for each connection, as inetd's `nowait`: accept, run the program with the connection as its standard input
// and output, forget it. The environment is that of ucspi-tcp (PROTO, TCPLOCALIP, TCPREMOTEIP, …), so that programs for
// tcpserver, s6 and BusyBox run unchanged.
//
// No byte is read here: the socket goes to the child as the kernel made it, and our copy is closed.

import { traitsOf, type AcceptHandler } from '../accept/accept-handler.ts';
import { Acceptor } from '../accept/acceptor.ts';
import { acceptRates } from '../accept/address-rates.ts';
import { systemDescriptorBudget } from '../accept/descriptor-budget.ts';
import { nextConnectionId } from '../accept/connection-id.ts';
import { pairOf } from '../accept/connection-listing.ts';
import { DrainLog } from '../accept/drain-log.ts';
import { Registry } from '../accept/registry.ts';
import { limitKey } from '../address/address.ts';
import { NO_DATAGRAMS } from '../datagram/limits.ts';
import type { BoundListener } from '../listener/listener.ts';
import { requireKnownNames } from '../option-names.ts';
import { DEFAULT_SERVER_LIMITS, type ServerLimits, type ServerOptions } from '../options.ts';
import { resolveAccess, resolveSettings } from '../resolved-options.ts';
import type { Server } from '../server.ts';
import { createServerLifecycle } from '../supervisor/server-lifecycle.ts';
import { PROGRAM_OPTIONS, ProgramPath, type ProgramToRun } from './child-program.ts';
import { ProgramConnection } from './program-connection.ts';
import { noDatagrams, resolveProgramListen } from './program-listen.ts';

/** The limits of any server that do not need the connection to be read. */
export type ExecLimits = Pick<
  ServerLimits,
  'maxConnections' | 'maxConnectionsPerAddress' | 'maxAcceptsPerSecond' | 'maxAcceptsPerSecondPerAddress'
>;

export interface ExecServerOptions
  extends
    ProgramToRun,
    Pick<ServerOptions, 'log' | 'clock' | 'backlog' | 'drainTimeoutMs' | 'unixMode' | 'allow' | 'deny' | 'metrics'> {
  readonly listen: string | readonly string[];
  readonly limits?: Partial<ExecLimits>;
}

// Checked by the compiler to be all of them.
const LIMIT_NAMES: Readonly<Record<keyof ExecLimits, true>> = {
  maxConnections: true,
  maxConnectionsPerAddress: true,
  maxAcceptsPerSecond: true,
  maxAcceptsPerSecondPerAddress: true,
};
const OPTION_NAMES: Readonly<Record<keyof ExecServerOptions, true>> = {
  ...PROGRAM_OPTIONS,
  listen: true,
  limits: true,
  log: true,
  clock: true,
  backlog: true,
  drainTimeoutMs: true,
  unixMode: true,
  allow: true,
  deny: true,
  metrics: true,
};

/** As tcpserver: each is a process, not a file descriptor. */
export const DEFAULT_MAX_CONNECTIONS = 40;

/**
 * Serves by running a program for each connection. Past `maxConnections` (40) accepted connections wait unread. Throws
 * OPTION_INVALID.
 */
export function createExecServer(options: ExecServerOptions): Server {
  requireKnownNames('option', options, Object.keys(OPTION_NAMES));
  requireKnownNames('limit', options.limits ?? {}, Object.keys(LIMIT_NAMES));
  const settings = resolveSettings(options);
  const { log, clock, backlog } = settings;
  const listen = resolveProgramListen(options.listen, ['tcp', 'unix']);
  const access = resolveAccess(options);
  const descriptors = systemDescriptorBudget();
  const limits = limitsOf(options.limits);
  const registry = new Registry<ProgramConnection>({
    ...limits,
    freePerAddress: limits.maxConnectionsPerAddress,
    maxWaiting: backlog,
  });
  const program = new ProgramPath(options.program, options.runAs);
  const bound: BoundListener[] = [];
  const drainLog = new DrainLog('exec', log);

  const handler: AcceptHandler<ProgramConnection> = {
    // Whether packets are delayed is for the program to say.
    sockets: { unread: true, noDelay: false, keepAliveMs: DEFAULT_SERVER_LIMITS.keepAliveMs },
    // Each is a process, and the limit on those holds also at the end.
    drainAdmitsWaiting: false,
    create: (socket, traits, closed) =>
      new ProgramConnection(nextConnectionId(), socket, traits, clock, (connection) =>
        closed(connection, traits.tally),
      ),
    serve: (connection) => connection.run(program.path, options, registry.openOf(limitKey(connection.remote)), log),
    refuse: (connection, _traits, reason) => connection.destroy(reason),
  };
  const acceptor = new Acceptor({
    log,
    clock,
    registry,
    handler,
    backlog,
    ...acceptRates(limits, 1, clock.nowMs()),
    ...(access === undefined ? {} : { access }),
    ...(descriptors === undefined ? {} : { descriptors }),
    cut: (connections) => drainLog.cuts(connections),
  });

  return createServerLifecycle(settings, {
    services: [{ name: 'exec', listen }],
    prepare: () => program.find(),
    async serve({ number, listener, url }) {
      const { endpoint, socket } = listener;
      bound.push(listener);
      if (socket.type === 'datagram') throw noDatagrams();
      await acceptor.listen(number, socket.handle, { ...traitsOf(endpoint), tally: registry.listener(url) });
    },
    async drain(graceMs) {
      drainLog.waitsFor([...registry.connections()], graceMs);
      const drained = acceptor.drain(graceMs);
      for (const listener of bound) await listener.close();
      await drained;
    },
    shortenGrace: (graceMs) => void acceptor.drain(graceMs),
    async reload() {
      await program.findAgain();
      log.info(
        { program: program.path },
        'the program was looked for again: the next connections get what is there now, those that run go on',
      );
    },
    answer() {
      const pairs = [...registry.connections()].map(pairOf);
      const listeners = [...registry.counters()].map(([endpoint, connections]) => ({
        endpoint,
        connections,
        datagrams: NO_DATAGRAMS,
      }));
      return { share: { listeners, counters: {} }, pairs };
    },
    holders: [
      {
        connections: () => [{ service: 'exec', count: registry.openCount, connections: registry.connections() }],
        async closeConnection(id) {
          const meant = [...registry.connections()].find((connection) => connection.id === id);
          // The only word for a program is TERM, and KILL follows where it does not obey.
          meant?.destroy('operator');
          await meant?.closed;
          return meant !== undefined;
        },
      },
    ],
    hint: 'each connection has a process of its own',
  });
}

/** One address may have all the programs, unless it is told otherwise. */
function limitsOf(limits: Partial<ExecLimits> = {}): ExecLimits {
  const maxConnections = limits.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  return { ...DEFAULT_SERVER_LIMITS, maxConnections, maxConnectionsPerAddress: maxConnections, ...limits };
}
