// Accepting from a bound stream socket: listen(2), then a net.Server that hands over what comes. All that accept here
// do it by this.

import net from 'node:net';
import { listenOnHandle, setKeepAliveForAll, setNoDelayForAll } from './stream-handle.ts';

export interface AcceptFromOptions {
  /** Connections that the kernel queues before they are accepted. */
  readonly backlog: number;
  /** Leaves what a peer sends in the kernel: for a connection that goes to another process, or waits for long. */
  readonly unread: boolean;
  /** Sets TCP_NODELAY for every connection. */
  readonly noDelay: boolean;
  /** Asks a peer that has been silent for so long whether it is there (SO_KEEPALIVE), in whole seconds. 0: never. */
  readonly keepAliveMs: number;
  /** The socket is half-open: our side ends when it is ended. It is the receiver's, its errors too. */
  readonly accepted: (socket: net.Socket) => void;
  /** The system could not accept a connection; others are still accepted. */
  readonly failed: (error: Error) => void;
}

export interface Accepting {
  /** Resolves once the kernel listens. Rejects with the system's error, and then the bound socket is gone. */
  readonly listening: Promise<void>;
  /** Stops accepting. What waits in the kernel's queue stays there for other processes that listen on the socket. */
  close(): void;
}

/** Accepts from a bound socket, or from one that node:cluster shares out, named by its address. */
export function acceptFrom(from: net.Socket | net.ListenOptions, options: AcceptFromOptions): Accepting {
  const { backlog, unread, noDelay, keepAliveMs, accepted, failed } = options;
  // Until every connection has them from the listening socket, each is told.
  let tellsNoDelay = noDelay;
  let tellsKeepAlive = keepAliveMs > 0;
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: unread }, (socket) => {
    if (tellsNoDelay) socket.setNoDelay(true);
    if (tellsKeepAlive) socket.setKeepAlive(true, keepAliveMs);
    accepted(socket);
  });
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      server.on('error', failed);
      tellsNoDelay = noDelay && !setNoDelayForAll(server);
      tellsKeepAlive = !setKeepAliveForAll(server, keepAliveMs) && keepAliveMs > 0;
      resolve();
    });
    if (isListenOptions(from)) server.listen({ ...from, backlog });
    else listenOnHandle(server, from, backlog);
  });
  return { listening, close: () => void server.close() };
}

const isListenOptions = (from: net.Socket | net.ListenOptions): from is net.ListenOptions =>
  Object.getPrototypeOf(from) === Object.prototype;
