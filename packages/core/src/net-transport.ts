// A transport over a net.Socket: tcp and unix.

import type net from 'node:net';
import { normalizeIp, type Address } from './address.ts';
import type { Transport, TransportEvents } from './transport.ts';

const ipAddress = (address: string | undefined, port: number | undefined): Address => {
  const normal = normalizeIp(address ?? '');
  return { family: normal.includes(':') ? 'ipv6' : 'ipv4', address: normal, port: port ?? 0 };
};

/**
 * Wraps an accepted socket. `unixPath` names the local end of a unix connection. An error before `start` is kept for it:
 * without a listener it would end the process.
 */
export function createNetTransport(socket: net.Socket, unixPath?: string): Transport {
  let events: TransportEvents | undefined;
  let failure: Error | undefined;
  socket.on('error', (error) => (failure ??= error));
  socket.on('close', () => events?.closed(failure));
  return {
    kind: unixPath === undefined ? 'tcp' : 'unix',
    // Read at once: after a reset the kernel no longer says.
    local: unixPath === undefined ? ipAddress(socket.localAddress, socket.localPort) : { family: 'unix', path: unixPath },
    remote: unixPath === undefined ? ipAddress(socket.remoteAddress, socket.remotePort) : { family: 'unix', path: '' },
    get unsentBytes() {
      return socket.writableLength;
    },
    get sentBytes() {
      return socket.bytesWritten - socket.writableLength;
    },
    start(to) {
      events = to;
      if (socket.destroyed) {
        // It broke while it waited; its 'close' has come and gone.
        queueMicrotask(() => to.closed(failure));
        return;
      }
      socket.on('data', (chunk) => to.data(chunk));
      socket.on('end', () => to.ended());
      socket.on('drain', () => to.drained());
    },
    write: (data, encoding) => (typeof data === 'string' ? socket.write(data, encoding) : socket.write(data)),
    cork: () => socket.cork(),
    uncork: () => socket.uncork(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    shutdownWrite: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}
