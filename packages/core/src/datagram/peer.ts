// A datagram socket that is connected to one peer: the kernel drops what others send to it, and tells when no
// process listens at the other end. For clients, and for protocols that answer from a port of their own (TFTP, RFC 1350
// §4).

import dgram from 'node:dgram';
import { isIpv4, isIpv6, type Address } from '../address/address.ts';
import type { Clock, Timer } from '../time/clock.ts';
import { kernelDrops } from '../kernel/socket-counters.ts';
import { DEFAULT_DATAGRAM_LIMITS } from './limits.ts';
import { literalLookup } from '../address/literal-lookup.ts';
import { formatEndpoint, parseEndpoint } from '../address/endpoint.ts';
import { WellknownError } from '../errors.ts';
import { requireKnownNames } from '../option-names.ts';
import { systemClock } from '../time/system-clock.ts';

export interface DatagramSource {
  readonly address: string;
  readonly port: number;
}

/** A datagram socket that sends to one peer and receives only from it. */
export interface DatagramPeer {
  readonly local: Extract<Address, { readonly port: number }>;
  readonly remote: Extract<Address, { readonly port: number }>;
  /** `refused`: the other end said that no process listens there. */
  readonly counters: Readonly<
    Record<'received' | 'sent' | 'droppedUnread' | 'droppedQueueFull' | 'failedSends' | 'refused', number>
  >;
  /** Sends, or drops when the queue is full or the peer was closed. False when dropped. */
  send(message: Uint8Array): boolean;
  /** The next datagram, or undefined when none has come within `timeoutMs`. One read at a time. */
  read(timeoutMs: number): Promise<Uint8Array | undefined>;
  /**
   * What came and was thrown away by the kernel, since the receive buffer was full; 0 where it does not tell, and after
   * `close`.
   */
  droppedByKernel(): Promise<number>;
  /** Safe to call twice. */
  close(): void;
}

export interface DatagramPeerOptions {
  /** Send from this address, with a port that the system chooses. */
  readonly from?: Pick<Extract<Address, { port: number }>, 'address'>;
  /** For the deadlines of `read`. */
  readonly clock?: Clock;
  /** Called with each datagram, in place of `read`. The buffer may be kept. */
  readonly onMessage?: (message: Uint8Array) => void;
  /** The receive buffer asked of the kernel. */
  readonly receiveBufferBytes?: number;
}

// Read by `read` one by one; a peer that sends faster than they are read loses the newest, as in the kernel's own
// queue.
const MAX_UNREAD = 64;

type Bound = Extract<Address, { port: number }>;
const addressOf = ({ address, family, port }: { address: string; family: string; port: number }): Bound => ({
  family: family === 'IPv6' ? 'ipv6' : 'ipv4',
  address,
  port,
});

/** Connects to `udp://HOST:PORT`. Rejects with a WellknownError when the name is not known or there is no route. */
export async function connectDatagram(endpoint: string, options: DatagramPeerOptions = {}): Promise<DatagramPeer> {
  const parsed = parseEndpoint(endpoint);
  if (!parsed.ok) throw new WellknownError('ENDPOINT_INVALID', parsed.error.message, { fault: 'local' });
  const { value } = parsed;
  if (value.scheme !== 'udp' || value.host === '' || value.port === 0) {
    throw new WellknownError('ENDPOINT_INVALID', `endpoint '${endpoint}': a datagram peer is udp://HOST:PORT`, {
      fault: 'local',
    });
  }
  const { host: address, port } = value;
  return connectDatagramPeer(
    { address: isIpv4(address) || isIpv6(address) ? address : await resolveName(address), port },
    options,
  );
}

async function resolveName(name: string): Promise<string> {
  const { lookup } = await import('node:dns/promises');
  try {
    return (await lookup(name)).address;
  } catch (error) {
    throw new WellknownError('NAME_NOT_FOUND', `the host name '${name}' is not known`, {
      fault: 'system',
      hint: 'use an address, or check the name',
      cause: error,
    });
  }
}

/** A socket of its own for one peer. */
export async function connectDatagramPeer(
  to: DatagramSource,
  options: DatagramPeerOptions = {},
): Promise<DatagramPeer> {
  requireKnownNames('option', options, ['from', 'clock', 'onMessage', 'receiveBufferBytes']);
  const { clock = systemClock, receiveBufferBytes, onMessage } = options;
  const socket = dgram.createSocket({
    type: to.address.includes(':') ? 'udp6' : 'udp4',
    lookup: literalLookup,
    ...(receiveBufferBytes === undefined ? {} : { recvBufferSize: receiveBufferBytes }),
  });
  await connected(socket, to, options.from?.address);
  const counters = { received: 0, sent: 0, droppedUnread: 0, droppedQueueFull: 0, failedSends: 0, refused: 0 };
  const unread: Uint8Array[] = [];
  let isOpen = true;
  let waiting: { readonly timer: Timer; readonly done: (message: Uint8Array | undefined) => void } | undefined;

  const settle = (message: Uint8Array | undefined): void => {
    const reader = waiting;
    waiting = undefined;
    reader?.timer.cancel();
    reader?.done(message);
  };
  const remote = socket.remoteAddress();
  socket.on('message', (message, source) => {
    // What a stranger sent before the socket had its peer is delivered all the same.
    if (source.port !== remote.port || source.address !== remote.address) return;
    counters.received += 1;
    if (onMessage !== undefined) onMessage(message);
    else if (waiting !== undefined) settle(message);
    else if (unread.length < MAX_UNREAD) unread.push(message);
    else counters.droppedUnread += 1;
  });
  const noteError = (error: Error): void => {
    // The answer to an earlier datagram: no process listens there (ICMP port unreachable).
    if ('code' in error && error.code === 'ECONNREFUSED') counters.refused += 1;
    else counters.failedSends += 1;
  };
  socket.on('error', noteError);
  const afterSend = (error: Error | null): void => {
    if (error === null) return;
    counters.sent -= 1;
    noteError(error);
  };
  const local = addressOf(socket.address());
  return {
    local,
    remote: addressOf(remote),
    counters,
    send(message) {
      if (!isOpen || socket.getSendQueueSize() > DEFAULT_DATAGRAM_LIMITS.maxSendQueueBytes) {
        counters.droppedQueueFull += 1;
        return false;
      }
      counters.sent += 1;
      socket.send(message, afterSend);
      return true;
    },
    read(timeoutMs) {
      if (waiting !== undefined)
        throw new WellknownError('WRONG_STATE', 'two reads at once on one datagram peer', { fault: 'local' });
      const first = unread.shift();
      if (first !== undefined || !isOpen) return Promise.resolve(first);
      return new Promise((done) => (waiting = { done, timer: clock.after(timeoutMs, () => settle(undefined)) }));
    },
    droppedByKernel: () => kernelDrops(formatEndpoint({ scheme: 'udp', host: local.address, port: local.port })),
    close() {
      if (!isOpen) return;
      isOpen = false;
      settle(undefined);
      socket.close();
    },
  };
}

function connected(socket: dgram.Socket, to: DatagramSource, from: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      socket.close();
      reject(
        new WellknownError(
          'ADDRESS_NOT_AVAILABLE',
          `cannot send datagrams to ${to.address} port ${to.port}: ${error.message}`,
          { fault: 'system', cause: error },
        ),
      );
    };
    socket.once('error', failed);
    const connect = (): void => {
      socket.connect(to.port, to.address, (error?: Error) => {
        if (error !== undefined) {
          failed(error);
          return;
        }
        socket.off('error', failed);
        resolve();
      });
    };
    socket.bind({ port: 0, exclusive: true, ...(from === undefined ? {} : { address: from }) }, connect);
  });
}
