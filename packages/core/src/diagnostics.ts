// What happens inside, told to subscribers (node:diagnostics_channel). Without a subscriber an event costs one comparison.
//
//     wellknown:connection  { connection, from, to, reason }                  a connection has changed its state
//     wellknown:listener    { role, service, listener, endpoint, from, to }   a listening socket has, in each process
//     wellknown:worker      { slot, workerId, generation, to, why }           a worker has, in the primary
//     wellknown:server      { role, to }                                      the server of this process has
//     wellknown:socket      { socket, from, to }                              a socket of `socket()` has

import { channel } from 'node:diagnostics_channel';
import type { CloseReason, ConnectionState } from './connection/states.ts';
import type { Connection } from './connection/connection.ts';

export interface ConnectionEventMessage {
  readonly connection: Connection;
  readonly from: ConnectionState;
  readonly to: ConnectionState;
  readonly reason: CloseReason | undefined;
}

export interface ServerEventMessage {
  readonly role: 'alone' | 'primary' | 'worker';
  /**
   * After `reloading` and `upgrading` it is `listening` again, whether that succeeded (the log tells) or not; after an
   * upgrade it drains.
   */
  readonly to: 'starting' | 'listening' | 'reloading' | 'upgrading' | 'draining' | 'ended';
}

export interface SocketEventMessage {
  /** The socket itself: a `StreamSocket` or an `UdpSocket`. */
  readonly socket: object;
  readonly from: string;
  readonly to: string;
}

export const connectionChannel = channel('wellknown:connection');
export const workerChannel = channel('wellknown:worker');
export const listenerChannel = channel('wellknown:listener');
export const socketChannel = channel('wellknown:socket');
const serverChannel = channel('wellknown:server');

export function publishServer(role: ServerEventMessage['role'], to: ServerEventMessage['to']): void {
  if (serverChannel.hasSubscribers) serverChannel.publish({ role, to } satisfies ServerEventMessage);
}
