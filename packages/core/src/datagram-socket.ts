// One bound datagram socket of a protocol: receive, decide, send. A full send queue drops; it never grows.

import dgram from 'node:dgram';
import type { Address } from './address.ts';
import { normalizeIp } from './address.ts';
import type { Protocol, ServiceContext } from './protocol.ts';

// Beyond this the network is slower than the senders: an answer would only arrive late.
const MAX_SEND_QUEUE_BYTES = 1024 * 1024;

export interface DatagramCounters {
  readonly received: number;
  readonly sent: number;
  readonly droppedQueueFull: number;
  readonly failed: number;
}

export interface DatagramService {
  readonly counters: DatagramCounters;
  close(): Promise<void>;
}

/** Without this, every unconnected send would ask the resolver about a literal address, and cost a tick. */
const literalLookup = (address: string, family: number | object, done: (error: Error | null, address: string, family: number) => void): void =>
  done(null, address, typeof family === 'number' ? family : address.includes(':') ? 6 : 4);

/** An unbound socket with the settings that every datagram service needs. */
export function createDatagramSocket(family: 'udp4' | 'udp6', options: { readonly dualStack: boolean }): dgram.Socket {
  return dgram.createSocket({ type: family, ipv6Only: family === 'udp6' && !options.dualStack, lookup: literalLookup });
}

/** Lets `protocol` answer what arrives on a bound socket. A datagram that makes it throw is dropped and logged. */
export function serveDatagrams(socket: dgram.Socket, protocol: Protocol, context: ServiceContext): DatagramService {
  const counters = { received: 0, sent: 0, droppedQueueFull: 0, failed: 0 };
  const bound = socket.address();
  const local: Address = { family: bound.family === 'IPv6' ? 'ipv6' : 'ipv4', address: normalizeIp(bound.address), port: bound.port };
  const receive = protocol.datagrams?.(
    {
      local,
      send(message, port, address) {
        if (socket.getSendQueueSize() > MAX_SEND_QUEUE_BYTES) {
          counters.droppedQueueFull += 1;
          return false;
        }
        // Without a callback a failed send is silent, and the hot path saves a closure and a tick for each datagram.
        socket.send(message, port, address);
        counters.sent += 1;
        return true;
      },
    },
    context,
  );
  socket.on('message', (message, source) => {
    counters.received += 1;
    try {
      receive?.(message, source);
    } catch (error) {
      counters.failed += 1;
      context.log.error({ err: error, protocol: protocol.name }, 'the protocol failed on a datagram');
    }
  });
  socket.on('error', (error) => context.log.warn({ err: error, protocol: protocol.name }, 'the datagram socket reported an error'));
  return {
    counters,
    close: () => new Promise((resolve) => void socket.close(() => resolve())),
  };
}
