// The accepting half of a stream socket: listen(2) on a bound socket, and a bounded queue of what was accepted.
//
// Node accepts as soon as a connection is there, whether it was asked for or not, and cannot be told to wait. What has
// not been asked for yet is therefore held here unread: its bytes stay in the kernel, whose window slows the peer down.
// A connection beyond the bound is reset, so that its peer learns at once that it will get no answer.

import type net from 'node:net';
import type { BoundListener } from '../listener/listener.ts';
import { unixPathOf } from '../address/endpoint.ts';
import { createNetTransport } from '../connection/net-transport.ts';
import { acceptFrom, type Accepting } from '../kernel/accept-from.ts';
import type { Transport } from '../connection/transport.ts';
import { closedMeanwhile } from './socket-state.ts';
import { BoundedQueue } from './bounded-queue.ts';

export interface AcceptQueueOptions {
  readonly backlog: number;
  readonly maxQueued: number;
  readonly keepAliveMs: number;
  /** A connection has come. */
  readonly arrived: () => void;
}

interface Held {
  readonly transport: Transport;
  readonly socket: net.Socket;
}

export class AcceptQueue {
  readonly #accepting: Accepting;
  readonly #queue: BoundedQueue<Held>;
  #refused = 0;

  private constructor({ endpoint }: BoundListener, handle: net.Socket, options: AcceptQueueOptions) {
    const unixPath = endpoint.scheme === 'unix' ? unixPathOf(endpoint) : undefined;
    this.#queue = new BoundedQueue(options.maxQueued);
    this.#accepting = acceptFrom(handle, {
      backlog: options.backlog,
      unread: true,
      noDelay: true,
      keepAliveMs: options.keepAliveMs,
      accepted: (socket) => {
        // The transport listens for errors, which may come while the connection waits.
        if (this.#queue.offer({ transport: createNetTransport(socket, unixPath), socket })) {
          options.arrived();
          return;
        }
        this.#refused += 1;
        cut(socket);
      },
      failed: (error) => this.#queue.failNext(error),
    });
  }

  /** Resolves once the kernel listens. Rejects with an errno error, and then the bound socket is gone. */
  static async start(bound: BoundListener, handle: net.Socket, options: AcceptQueueOptions): Promise<AcceptQueue> {
    const queue = new AcceptQueue(bound, handle, options);
    await queue.#accepting.listening;
    return queue;
  }

  /** Accepted connections that have not been asked for yet. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Connections that were reset because the queue was full. */
  get refused(): number {
    return this.#refused;
  }

  async accept(signal: AbortSignal | undefined): Promise<Transport> {
    return (await this.#queue.take(signal)).transport;
  }

  /** Ends accepting. What is queued is reset, as the kernel resets what is in its own queue. */
  close(): void {
    this.#accepting.close();
    for (const { socket } of this.#queue.end(closedMeanwhile('accept'))) cut(socket);
  }
}

/** A reset tells the peer that it was not served. A unix socket has none: there a close is as clear as it gets. */
function cut(socket: net.Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
