// Serves what was accepted by a protocol, in this process: PROXY header, TLS, then the protocol; and says in the
// protocol's words why a connection is turned away.

import type net from 'node:net';
import type { CidrTable } from '../address/cidr-table.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import { type ConnectionOwner, TransportConnection } from '../connection/transport-connection.ts';
import { createNetTransport } from '../connection/net-transport.ts';
import type { TlsContext } from '../connection/tls-context.ts';
import type { UnsentBudget } from '../connection/unsent-budget.ts';
import type { Protocol, ServiceContext } from '../protocol.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import { nextConnectionId } from './connection-id.ts';
import type { AcceptHandler, ListenerTraits, ProxyRules, Refusal } from './accept-handler.ts';
import type { ListenerTally } from './registry.ts';
import { logFailedHandler, onceDroppedWrite, serveConnection } from './serve-connection.ts';
import { turnAway } from './turn-away.ts';

export interface ConnectionHandlerOptions {
  readonly protocol: Protocol;
  readonly context: ServiceContext;
  readonly wheel: TimerWheel;
  readonly limits: ConnectionLimits;
  readonly tls: TlsContext | undefined;
  /** What slow readers of the whole process may hold. */
  readonly unsent: UnsentBudget;
  /** Peers that must send a PROXY header first. */
  readonly proxies: CidrTable<true> | undefined;
}

export class ConnectionHandler implements AcceptHandler<TransportConnection> {
  readonly sockets: AcceptHandler<TransportConnection>['sockets'];
  // Its protocol tells the peer that the server drains, which is better than silence until the end.
  readonly drainAdmitsWaiting = true;
  readonly proxies?: ProxyRules<TransportConnection>;
  readonly #options: ConnectionHandlerOptions;
  /** One for each listener: a connection that closes says from which it came. */
  readonly #owners = new Map<ListenerTally, ConnectionOwner>();
  readonly #writeDropped: ConnectionOwner['writeDropped'];
  readonly #alpn: Protocol['alpn'];

  constructor(options: ConnectionHandlerOptions) {
    this.#options = options;
    this.sockets = { unread: false, noDelay: true, keepAliveMs: options.limits.keepAliveMs };
    this.#writeDropped = onceDroppedWrite(options.protocol, options.context.log);
    const { proxies, tls, protocol } = options;
    this.#alpn = tls === undefined ? undefined : protocol.alpn;
    if (proxies !== undefined) {
      this.proxies = {
        isProxy: (connection) => proxies.match(connection.peer) !== undefined,
        readHeader: (connection, next) => connection.readProxyHeader(next),
        speaksForItself: (connection) => connection.proxyHeader?.command === 'local',
      };
    }
  }

  create(
    socket: net.Socket,
    traits: ListenerTraits,
    closed: (connection: TransportConnection, tally: ListenerTally) => void,
  ): TransportConnection {
    return new TransportConnection(
      nextConnectionId(),
      createNetTransport(socket, traits.unixPath, traits.local),
      this.#owners.get(traits.tally) ?? this.#createOwner(traits.tally, closed),
    );
  }

  serve(connection: TransportConnection, traits: ListenerTraits): void {
    const { protocol, context } = this.#options;
    const tls = traits.tls ? connection.tlsContext : undefined;
    if (tls !== undefined) connection.secureFirst(tls, () => serveConnection(protocol, connection, context));
    else serveConnection(protocol, connection, context);
  }

  refuse(connection: TransportConnection, traits: ListenerTraits, reason: Refusal): void {
    turnAway(connection, this.#options.protocol, traits, reason);
  }

  #createOwner(
    tally: ListenerTally,
    closed: (connection: TransportConnection, tally: ListenerTally) => void,
  ): ConnectionOwner {
    const { protocol, context, wheel, limits, tls, unsent } = this.#options;
    const alpn = this.#alpn;
    const owner: ConnectionOwner = {
      wheel,
      limits,
      unsent,
      ...(tls === undefined ? {} : { tls }),
      ownTlsSessions: protocol.tlsSessions === 'connection',
      // Not asked where there is no TLS: a protocol loads then what speaks it.
      get alpn() {
        return alpn ?? protocol.alpn;
      },
      connectionClosed(connection) {
        logFailedHandler(protocol, connection, context.log);
        closed(connection, tally);
      },
      writeDropped: this.#writeDropped,
    };
    this.#owners.set(tally, owner);
    return owner;
  }
}
