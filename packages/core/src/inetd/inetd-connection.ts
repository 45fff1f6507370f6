// One connection that another program has accepted, as inetd does. xinetd, tcpserver, s6 and systemd's Accept=yes
// run a program with the connection as descriptor 0; it serves that one and ends.

import net from 'node:net';
import { TransportConnection } from '../connection/transport-connection.ts';
import type { CloseReason } from '../connection/states.ts';
import { WellknownError } from '../errors.ts';
import { createNetTransport } from '../connection/net-transport.ts';
import type { Transport } from '../connection/transport.ts';
import { silentLog } from '../log.ts';
import { requireKnownNames } from '../option-names.ts';
import { type ServerOptions } from '../options.ts';
import { resolveAccess, resolveOptions } from '../resolved-options.ts';
import { nextConnectionId } from '../accept/connection-id.ts';
import { ServiceBans } from '../accept/address-bans.ts';
import { ServicePlaces } from '../accept/shared-places.ts';
import { PendingWork } from '../accept/pending-work.ts';
import { Registry } from '../accept/registry.ts';
import { SecondaryConnectionSet } from '../accept/secondary-connections.ts';
import { secondarySockets } from '../accept/secondary-sockets.ts';
import type { Protocol } from '../protocol.ts';
import { logFailedHandler, onceDroppedWrite, serveConnection } from '../accept/serve-connection.ts';
import { TimerWheel } from '../time/timer-wheel.ts';

type InetdOptions = Pick<ServerOptions, 'log' | 'clock' | 'limits' | 'drainTimeoutMs'>;
type InetdAccess = Pick<ServerOptions, 'allow' | 'deny'>;

/** A connection whose peer may be served. */
export interface InetdConnection {
  /** Resolves with the reason of its end once the work that outlives it is done. One call. */
  serve(protocol: Protocol, options?: InetdOptions): Promise<CloseReason>;
}

/**
 * Serves the connection on descriptor 0, and resolves with the reason of its end once the work that outlives it is
 * done. One whose peer `allow` and `deny` keep out is closed unread, as `denied`. Rejects when descriptor 0 is no stream
 * socket. Silent unless a log is given: inetd makes the connection standard error too.
 */
export async function serveInetdConnection(
  protocol: Protocol,
  { allow = [], deny = [], ...options }: InetdOptions & InetdAccess = {},
): Promise<CloseReason> {
  requireKnownNames('option', options, ['log', 'clock', 'limits', 'drainTimeoutMs']);
  return openInetdConnection({ allow, deny })?.serve(protocol, options) ?? 'denied';
}

/**
 * The connection on descriptor 0; undefined where the rules keep its peer out, or where it has gone, so that nobody
 * knows who it was: then it is closed. Throws when descriptor 0 is no stream socket, and OPTION_INVALID.
 */
export function openInetdConnection(access: InetdAccess): InetdConnection | undefined {
  const rules = resolveAccess(access);
  const socket = openSocket();
  const isUnix = socket.localAddress === undefined && socket.remoteAddress === undefined;
  const transport = createNetTransport(socket, isUnix ? '' : undefined);
  const mayBeServed =
    rules === undefined || isUnix || (socket.remoteAddress !== undefined && rules.decide(transport.remote).allowed);
  if (!mayBeServed) {
    socket.destroy();
    return undefined;
  }
  return { serve: (protocol, options) => serve(socket, transport, protocol, options) };
}

async function serve(
  socket: net.Socket,
  transport: Transport,
  protocol: Protocol,
  options: InetdOptions = {},
): Promise<CloseReason> {
  const { log, clock, services, drainTimeoutMs } = resolveOptions({ protocol }, { log: silentLog, ...options });
  const limits = services[0]?.limits;
  if (limits === undefined || (protocol.open === undefined && protocol.connection === undefined)) {
    throw new WellknownError('OPTION_INVALID', `${protocol.name} is not served over streams`, { fault: 'local' });
  }
  socket.setKeepAlive(limits.keepAliveMs > 0, limits.keepAliveMs);
  const wheel = new TimerWheel(clock);
  const connection = new TransportConnection(nextConnectionId(), transport, {
    wheel,
    limits,
    connectionClosed: (ended) => logFailedHandler(protocol, ended, log),
    writeDropped: onceDroppedWrite(protocol, log),
  });
  const closed = connection.closed;
  const work = new PendingWork();
  process.once('SIGTERM', () => connection.startDrain());
  const registry = new Registry({ maxConnections: 1, maxConnectionsPerAddress: 1, freePerAddress: 1, maxWaiting: 0 });
  const secondary = new SecondaryConnectionSet({ network: secondarySockets, clock, wheel, limits, registry });
  const bans = new ServiceBans({ service: protocol.name, policy: protocol.bans, clock, log });
  const places = new ServicePlaces();
  const context = {
    ...{ log, clock, workerSlot: 0, workerCount: 1, counters: {}, hasTls: false },
    ...{ work, secondary, bans, places },
  };
  serveConnection(protocol, connection, context);
  const reason = await closed;
  await work.drain(drainTimeoutMs, clock, secondary.drain(drainTimeoutMs, Promise.resolve()));
  return reason;
}

function openSocket(): net.Socket {
  try {
    return new net.Socket({ fd: 0, readable: true, writable: true, allowHalfOpen: true });
  } catch (error) {
    throw new WellknownError('BIND_FAILED', 'standard input is no socket', {
      fault: 'system',
      hint: 'run this from inetd, tcpserver or the like',
      cause: error,
    });
  }
}
