// One bound datagram socket of a protocol: receive, decide, send. A full send queue drops; it never grows. Nothing is
// logged for a datagram, since their sender would fill the disk: they are counted, and a failure is logged once a
// second.

import type dgram from 'node:dgram';
import { normalizeIp, type Address } from '../address/address.ts';
import { isUnicastSource } from '../address/datagram-addresses.ts';
import { DEFAULT_DATAGRAM_LIMITS, NO_DATAGRAMS, type DatagramCounters, type DatagramLimits } from './limits.ts';
import { connectDatagramPeer, type DatagramPeer, type DatagramSource } from './peer.ts';
import { WellknownError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../time/clock.ts';
import { createDirectSend, resolveNothing, stopReceiving } from '../kernel/datagram-handle.ts';

/** A bound datagram socket, as a protocol sees it. */
export interface DatagramSocket {
  /**
   * A service on all addresses has a socket for each, so that this is a wildcard only where such a socket was passed
   * in.
   */
  readonly local: Extract<Address, { readonly port: number }>;
  /** Sends, or drops when the queue is full: a datagram that waits is worth less than none. False when dropped. */
  send(message: Uint8Array, port: number, address: string): boolean;
  /**
   * A socket of its own for one source, from the same local address and a fresh port: for exchanges of several
   * datagrams. Close it.
   */
  connect(source: DatagramSource): Promise<DatagramPeer>;
}

/**
 * Called with each datagram. The buffer may be kept. A receiver that returns a promise is at work on the datagram until
 * it settles: so many at once are bounded, and a drain waits for them.
 */
export type DatagramReceiver = (message: Uint8Array, source: DatagramSource) => void | Promise<void>;

/** What a protocol brings to serve datagrams, and what it is given. */
export interface DatagramProtocol<Context> {
  readonly name: string;
  readonly datagrams?: (socket: DatagramSocket, context: Context) => DatagramReceiver;
}

export interface DatagramService {
  readonly counters: DatagramCounters;
  /**
   * Stops receiving at once. Asynchronous receivers have `graceMs` for what they are at work on, and their answers are
   * sent; then the socket is closed. May be called again with less.
   */
  close(graceMs?: number): Promise<void>;
}

const LOG_EVERY_MS = 1_000;

/** Lets `protocol` answer what arrives on a bound socket. A datagram that makes it throw is dropped and counted. */
export function serveDatagrams<Context extends { readonly clock: Clock; readonly log: Logger }>(
  socket: dgram.Socket,
  protocol: DatagramProtocol<Context>,
  context: Context,
  limits: DatagramLimits = DEFAULT_DATAGRAM_LIMITS,
): DatagramService {
  const { clock, log } = context;
  const counters: { -readonly [Name in keyof DatagramCounters]: number } = { ...NO_DATAGRAMS };
  const inFlight = new Set<Promise<void>>();
  const local = localAddress(socket);
  askForBuffer(socket, limits.receiveBufferBytes, log);
  resolveNothing(socket);
  const direct = createDirectSend(socket);
  let mayLogAtMs = clock.nowMs();
  let closing: Promise<void> | undefined;
  let isClosed = false;
  let giveUp = (): void => undefined;

  const report = (error: unknown, words: string): void => {
    if (clock.nowMs() < mayLogAtMs) return;
    mayLogAtMs = clock.nowMs() + LOG_EVERY_MS;
    log.error({ err: error, protocol: protocol.name, failed: counters.failed }, words);
  };
  const failed = (error: unknown): void => {
    counters.failed += 1;
    report(error, 'the protocol failed on a datagram');
  };
  // One function for all sends: a failure is counted, and no closure is made for each datagram.
  const afterSend = (error: Error | null): void => {
    if (error === null) return;
    counters.sent -= 1;
    counters.failedSends += 1;
  };

  // The queue is only asked about while something may be in it: nearly always the kernel takes a datagram at once.
  let mayQueue = false;
  const isQueueFull = (): boolean => {
    if (!mayQueue) return false;
    const queuedBytes = socket.getSendQueueSize();
    mayQueue = queuedBytes > 0;
    return queuedBytes > limits.maxSendQueueBytes;
  };

  const receive: DatagramReceiver | undefined = protocol.datagrams?.(
    {
      local,
      send(message, port, address) {
        if (isClosed || isQueueFull()) {
          counters.droppedQueueFull += 1;
          return false;
        }
        if (!isSendable(message, port, address)) {
          throw new WellknownError(
            'OPTION_INVALID',
            `a datagram is sent as bytes to a port and a literal address, not as ${typeof message} to port ${String(port)} of ${JSON.stringify(address)}`,
            { fault: 'local' },
          );
        }
        if (direct.send === undefined) {
          counters.sent += 1;
          mayQueue = true;
          socket.send(message, port, address, afterSend);
          return true;
        }
        const result = direct.send(message, port, address);
        if (result < 0) counters.failedSends += 1;
        else counters.sent += 1;
        if (result === 0) mayQueue = true;
        return true;
      },
      connect: (source) => connectDatagramPeer(source, { from: local, clock }),
    },
    context,
  );

  const track = (work: Promise<void>): void => {
    const settled = work.catch(failed).finally(() => inFlight.delete(settled));
    inFlight.add(settled);
  };

  socket.on('message', (message, source) => {
    // It was on its way when the socket stopped receiving.
    if (closing !== undefined) return;
    counters.received += 1;
    if (!isUnicastSource(source.address, source.port)) {
      counters.droppedSource += 1;
      return;
    }
    if (inFlight.size >= limits.maxInFlight) {
      counters.droppedBusy += 1;
      return;
    }
    try {
      const work = receive?.(message, source);
      if (work !== undefined) track(work);
    } catch (error) {
      failed(error);
    }
  });
  socket.on('error', (error) => report(error, 'the datagram socket reported an error'));

  /** Those at work still answer: the socket only stops receiving, and is closed after them. */
  const settleInFlight = (graceMs: number): Promise<void> => {
    try {
      stopReceiving(socket);
    } catch {
      // Where Node has no way to do that, what comes is dropped unread.
    }
    return new Promise<void>((resolve) => {
      giveUp = resolve;
      const timer = clock.after(graceMs, resolve);
      void Promise.all(inFlight).then(() => {
        timer.cancel();
        resolve();
      });
    });
  };
  const close = async (graceMs: number): Promise<void> => {
    if (inFlight.size > 0 && graceMs > 0) await settleInFlight(graceMs);
    isClosed = true;
    await new Promise<void>((resolve) => void socket.close(() => resolve()));
  };
  return {
    counters,
    close(graceMs = 0) {
      if (closing === undefined) closing = close(graceMs);
      else if (graceMs <= 0) giveUp();
      else clock.after(graceMs, () => giveUp());
      return closing;
    },
  };
}

/**
 * The kernel grants less without a word, and tells twice what it grants, since it counts its own bookkeeping in
 * (socket(7)).
 */
function askForBuffer(socket: dgram.Socket, bytes: number, log: Logger): void {
  if (bytes === 0) return;
  socket.setRecvBufferSize(bytes);
  const granted = socket.getRecvBufferSize() / 2;
  if (granted < bytes)
    log.debug(
      { asked: bytes, granted },
      'the kernel grants a smaller receive buffer: raise net.core.rmem_max if datagrams are dropped by it',
    );
}

/** Below here the caller is trusted: a wrong type would end the process in Node's own assertions. */
const isSendable = (message: unknown, port: unknown, address: unknown): boolean =>
  message instanceof Uint8Array &&
  typeof address === 'string' &&
  typeof port === 'number' &&
  port > 0 &&
  port < 65_536 &&
  Number.isInteger(port);

function localAddress(socket: dgram.Socket): Extract<Address, { port: number }> {
  const { address, family, port } = socket.address();
  return { family: family === 'IPv6' ? 'ipv6' : 'ipv4', address: normalizeIp(address), port };
}
