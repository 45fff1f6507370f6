import type { CloseReason } from '../connection/states.ts';
import type { UnsentBudget } from '../connection/unsent-budget.ts';
import { DEFAULT_CONNECTION_LIMITS, type ConnectionLimits } from '../connection/limits.ts';
import { TransportConnection, type ConnectionOwner } from '../connection/transport-connection.ts';
import { silentLog } from '../log.ts';
import { PendingWork } from '../accept/pending-work.ts';
import { Registry } from '../accept/registry.ts';
import { ServiceBans } from '../accept/address-bans.ts';
import { ServicePlaces } from '../accept/shared-places.ts';
import { SecondaryConnectionSet } from '../accept/secondary-connections.ts';
import type { Protocol, ServiceContext } from '../protocol.ts';
import { logFailedHandler, onceDroppedWrite, serveConnection } from '../accept/serve-connection.ts';
import { TimerWheel } from '../time/timer-wheel.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createMemoryNetwork, type MemoryNetwork } from './memory-network.ts';
import { createMemoryTransport, type MemoryPeer, type MemoryTransportOptions } from './memory-transport.ts';

export interface MemoryConnectionOptions extends MemoryTransportOptions {
  readonly clock?: FakeClock;
  readonly limits?: Partial<ConnectionLimits>;
  /** What slow readers may hold, over all connections that are given the same. Default: nobody counts. */
  readonly unsent?: UnsentBudget;
}

export interface MemoryConnection {
  readonly connection: TransportConnection;
  readonly peer: MemoryPeer;
  readonly clock: FakeClock;
  /** Set once the connection is no more. */
  readonly closeReason: CloseReason | undefined;
}

/**
 * A connection over memory with a fake clock: a protocol's glue can be tested without a socket and without sleeping.
 */
export const createMemoryConnection = (options: MemoryConnectionOptions = {}): MemoryConnection =>
  openInMemory(options, () => undefined);

function openInMemory(
  options: MemoryConnectionOptions,
  closed: (connection: TransportConnection) => void,
  writeDropped?: ConnectionOwner['writeDropped'],
): MemoryConnection & { readonly wheel: TimerWheel; readonly limits: ConnectionLimits } {
  const clock = options.clock ?? createFakeClock();
  const { transport, peer } = createMemoryTransport(options);
  let closeReason: CloseReason | undefined;
  const owner: ConnectionOwner = {
    wheel: new TimerWheel(clock),
    limits: { ...DEFAULT_CONNECTION_LIMITS, ...options.limits },
    connectionClosed(connection: TransportConnection) {
      closeReason = connection.reason;
      closed(connection);
    },
    writeDropped,
    ...(options.unsent === undefined ? {} : { unsent: options.unsent }),
  };
  const connection = new TransportConnection(1, transport, owner);
  return {
    connection,
    peer,
    clock,
    wheel: owner.wheel,
    limits: owner.limits,
    get closeReason() {
      return closeReason;
    },
  };
}

export interface ServedMemoryConnection extends MemoryConnection {
  /** Where the protocol's secondary connections listen and connect to. */
  readonly network: MemoryNetwork;
}

/** A memory connection that `protocol` serves, as a server would after accepting it. */
export function serveInMemory(
  protocol: Protocol,
  options: MemoryConnectionOptions & { readonly context?: Partial<ServiceContext> } = {},
): ServedMemoryConnection {
  const log = options.context?.log ?? silentLog;
  const memory = openInMemory(
    { ...options, limits: { ...protocol.limits, ...options.limits } },
    (connection) => logFailedHandler(protocol, connection, log),
    onceDroppedWrite(protocol, log),
  );
  const network = createMemoryNetwork();
  const secondary = new SecondaryConnectionSet({
    network,
    clock: memory.clock,
    wheel: memory.wheel,
    limits: memory.limits,
    registry: new Registry({ maxConnections: 1, maxConnectionsPerAddress: 1, freePerAddress: 1, maxWaiting: 0 }),
  });
  const context: ServiceContext = {
    log,
    clock: memory.clock,
    workerSlot: 0,
    workerCount: 1,
    counters: {},
    hasTls: false,
    work: new PendingWork(),
    secondary,
    bans: new ServiceBans({ service: protocol.name, policy: protocol.bans, clock: memory.clock, log }),
    places: new ServicePlaces(),
    ...options.context,
  };
  serveConnection(protocol, memory.connection, context);
  // A spread would read the getters once and for all.
  return Object.assign(memory, { network });
}
