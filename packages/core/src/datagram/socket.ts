// One bound datagram socket of a protocol: receive, decide, send. A full send queue drops; it never grows. Nothing is
// logged for a datagram, since whoever sends them would fill the disk: they are counted, and a failure is logged once a
// second.

import type dgram from 'node:dgram';
import { normalizeIp, type Address } from '../address/address.ts';
import { isUnicastSource } from '../address/datagram-addresses.ts';
import { DEFAULT_DATAGRAM_LIMITS, NO_DATAGRAMS, type DatagramCounters, type DatagramLimits } from './limits.ts';
import { connectDatagramPeer } from './peer.ts';
import { WellknownError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { DatagramReceiver, Protocol, ServiceContext } from '../protocol.ts';
import { createDirectSend, resolveNothing } from '../kernel/raw-handles.ts';

export interface DatagramService {
  readonly counters: DatagramCounters;
  /** Stops receiving at once; what asynchronous receivers are at work on may take `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

const LOG_EVERY_MS = 1_000;

/** Lets `protocol` answer what arrives on a bound socket. A datagram that makes it throw is dropped and counted. */
export function serveDatagrams(
  socket: dgram.Socket,
  protocol: Protocol,
  context: ServiceContext,
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
        if (closing !== undefined || isQueueFull()) {
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

  const close = async (graceMs: number): Promise<void> => {
    await new Promise<void>((resolve) => void socket.close(() => resolve()));
    if (inFlight.size === 0 || graceMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = clock.after(graceMs, resolve);
      void Promise.all(inFlight).then(() => {
        timer.cancel();
        resolve();
      });
    });
  };
  return { counters, close: (graceMs = 0) => (closing ??= close(graceMs)) };
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

/** Below here somebody trusts the caller: a wrong type would end the process in Node's own assertions. */
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
