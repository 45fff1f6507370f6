// The channels on which core tells what happens inside (node:diagnostics_channel). Without a subscriber an event costs
// one comparison. Each publisher declares the message that it publishes:
//
//     wellknown:connection   ConnectionEventMessage (connection/connection.ts)   a connection has changed its state
//     wellknown:listener     ListenerEventMessage (listener/states.ts)           a listening socket has, in this process
//     wellknown:socket       SocketEventMessage (socket/socket-lifecycle.ts)     a socket of `socket()` has
//     wellknown:server       ServerEventMessage (server.ts)                      the server of this process has
//     wellknown:worker       WorkerEventMessage (supervisor/worker-exits.ts)     a worker has, in the primary

import { channel } from 'node:diagnostics_channel';

export const connectionChannel = channel('wellknown:connection');
export const listenerChannel = channel('wellknown:listener');
export const socketChannel = channel('wellknown:socket');
export const serverChannel = channel('wellknown:server');
export const workerChannel = channel('wellknown:worker');
