// Data connections over TCP. Event-driven throughout: nothing is ever polled.
//
// A listener takes one connection and closes. Whoever comes from another address than the control connection is
// dropped, and the listening goes on: neither the transfer nor the control connection is a stranger's to end (RFC 2577
// §3).

import { randomInt } from 'node:crypto';
import net from 'node:net';
import { normalizeIp, type Address, type Clock } from '@wellknown/core';
import type { DataChannel, DataChannels, DataConnection, PassiveChannel } from './data-connection.ts';
import type { HostPort } from './host-port.ts';

export interface DataChannelOptions {
  /** The first and last port for passive connections, both included; by default the system chooses. */
  readonly passivePorts?: { readonly from: number; readonly to: number } | undefined;
  /** From PASV to the client's connection, and from the transfer command to ours. */
  readonly connectTimeoutMs: number;
  /** A data connection on which nothing moves for so long is dropped. */
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
}

// More than this unread, and the peer waits: one large disk write, and the next is filling up behind it.
const MAX_QUEUED_BYTES = 1024 * 1024;
// After our last byte, so long the peer may take to close its side.
const LINGER_MS = 2_000;

export function createDataChannels(options: DataChannelOptions): DataChannels {
  return {
    listen: ({ local, remote }) => listen(local, remote, options),
    connect: ({ local }, to) => activeChannel(local, to, options),
  };
}

async function listen(
  local: Address,
  remote: Address,
  options: DataChannelOptions,
): Promise<PassiveChannel | undefined> {
  if (local.family === 'unix' || remote.family === 'unix') return undefined;
  for (const port of portsToTry(options.passivePorts)) {
    // A worker of a cluster would otherwise share the port, and the connection could land in another one: exclusive.
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    const bound = await new Promise<number | undefined>((resolve) => {
      server.once('error', () => resolve(undefined));
      server.listen({ host: local.address, port, backlog: 1, exclusive: true }, () => {
        const address = server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : undefined);
      });
    });
    if (bound !== undefined) return passiveChannel(server, bound, remote.address, options);
  }
  return undefined;
}

/** Every port of the range once, in an order that nobody can guess; 0 lets the system choose. */
export function* portsToTry(range: { readonly from: number; readonly to: number } | undefined): Generator<number> {
  if (range === undefined) {
    yield 0;
    return;
  }
  const ports = Array.from({ length: range.to - range.from + 1 }, (_, index) => range.from + index);
  for (let left = ports.length; left > 0; left -= 1) {
    const at = randomInt(left);
    const port = ports[at] ?? 0;
    ports[at] = ports[left - 1] ?? 0;
    yield port;
  }
}

type Settled = { readonly at: 'connected'; readonly socket: net.Socket } | { readonly at: 'gone' };

function passiveChannel(
  server: net.Server,
  port: number,
  peerAddress: string,
  options: DataChannelOptions,
): PassiveChannel {
  let settled: Settled | undefined;
  let notify: ((settled: Settled) => void) | undefined;
  let isTaken = false;
  const settle = (outcome: Settled): void => {
    if (settled !== undefined) return;
    settled = outcome;
    timer.cancel();
    server.close();
    notify?.(outcome);
  };
  const timer = options.clock.after(options.connectTimeoutMs, () => settle({ at: 'gone' }));
  server.on('connection', (socket: net.Socket) => {
    if (settled !== undefined || normalizeIp(socket.remoteAddress ?? '') !== peerAddress) {
      socket.on('error', ignore);
      socket.destroy();
      return;
    }
    // Errors before the transfer has begun show up when it uses the socket.
    socket.on('error', ignore);
    settle({ at: 'connected', socket });
  });
  // A listener that breaks (no file descriptor left for the accept) is one to which nobody came.
  server.on('error', () => settle({ at: 'gone' }));
  return {
    port,
    open: (signal) =>
      new Promise((resolve, reject) => {
        const use = (outcome: Settled): void => {
          signal.removeEventListener('abort', abort);
          if (outcome.at === 'gone') reject(new Error('nobody connected'));
          else {
            isTaken = true;
            resolve(createDataConnection(outcome.socket, options.stallTimeoutMs));
          }
        };
        const abort = (): void => settle({ at: 'gone' });
        if (signal.aborted) abort();
        if (settled !== undefined) use(settled);
        else {
          notify = use;
          signal.addEventListener('abort', abort, { once: true });
        }
      }),
    close() {
      settle({ at: 'gone' });
      if (settled?.at === 'connected' && !isTaken) settled.socket.destroy();
    },
  };
}

function activeChannel(local: Address, to: HostPort, options: DataChannelOptions): DataChannel {
  return {
    open: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted || local.family === 'unix') {
          reject(new Error('aborted'));
          return;
        }
        const socket = net.connect({
          host: to.address,
          port: to.port,
          localAddress: local.address,
          allowHalfOpen: true,
          noDelay: true,
        });
        const over = (): void => {
          timer.cancel();
          signal.removeEventListener('abort', fail);
          socket.off('connect', connected).off('error', fail);
          socket.on('error', ignore);
        };
        const fail = (): void => {
          over();
          socket.destroy();
          reject(new Error('the connection could not be made'));
        };
        const connected = (): void => {
          over();
          resolve(createDataConnection(socket, options.stallTimeoutMs));
        };
        const timer = options.clock.after(options.connectTimeoutMs, fail);
        socket.once('connect', connected).once('error', fail);
        signal.addEventListener('abort', fail, { once: true });
      }),
    close: ignore,
  };
}

const ignore = (): void => undefined;

/** Bytes both ways over one socket, with back-pressure both ways. */
function createDataConnection(socket: net.Socket, stallTimeoutMs: number): DataConnection {
  let queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let hasEnded = false;
  let isReading = false;
  let waiting: { resolve: (chunks: Uint8Array[] | undefined) => void; reject: (error: Error) => void } | undefined;

  const broken = (): Error => socket.errored ?? new Error('the data connection is closed');
  const take = (): Uint8Array[] => {
    const chunks = queue;
    queue = [];
    queuedBytes = 0;
    if (socket.isPaused()) socket.resume();
    return chunks;
  };
  const wake = (): void => {
    const reader = waiting;
    if (reader === undefined) return;
    waiting = undefined;
    if (queue.length > 0) reader.resolve(take());
    else if (hasEnded) reader.resolve(undefined);
    else if (socket.destroyed && !socket.readableEnded) reader.reject(broken());
    else waiting = reader;
  };
  const startReading = (): void => {
    isReading = true;
    socket.on('data', (chunk: Buffer) => {
      queue.push(chunk);
      queuedBytes += chunk.length;
      if (queuedBytes >= MAX_QUEUED_BYTES) socket.pause();
      wake();
    });
    // A client that dies closes both of its connections at once, and the end of the data alone looks like success. One
    // turn of the event loop lets the news from the control connection come first.
    socket.once('end', () =>
      setImmediate(() => {
        hasEnded = true;
        wake();
      }),
    );
    socket.resume();
  };
  socket.once('close', wake);
  socket.setTimeout(stallTimeoutMs, () => socket.destroy(new Error('nothing moved on the data connection')));

  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        socket.write(chunk, (error) => {
          if (error instanceof Error) reject(error);
          else resolve();
        });
      }),
    read: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        if (!isReading) startReading();
        wake();
      }),
    finish: () =>
      new Promise((resolve, reject) => {
        const done = (): void => {
          socket.off('close', failed);
          // The peer's own end is read and thrown away; a socket closed over unread bytes would be reset.
          socket.setTimeout(LINGER_MS, () => socket.destroy());
          if (!isReading) socket.resume();
          resolve();
        };
        const failed = (): void => reject(broken());
        if (socket.destroyed) failed();
        else {
          socket.once('close', failed);
          socket.once('finish', done);
          socket.end();
        }
      }),
    destroy: () => void socket.destroy(),
  };
}
