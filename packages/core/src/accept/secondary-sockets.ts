// The sockets of secondary connections: a listener for one of them, and a connect from a given address.

import type net from 'node:net';
import { socketAddress } from '../address/address.ts';
import { createNetTransport } from '../connection/net-transport.ts';
import { acceptFrom } from '../kernel/accept-from.ts';
import { bindStream, listenBriefly } from '../kernel/stream-handle.ts';
import { dialSocket, explainConnectFailure } from '../socket/dial.ts';
import type { SecondaryNetwork } from './secondary-connections.ts';

// One is expected; what comes beside it is accepted and dropped at once.
const BACKLOG = 1;

export const secondarySockets: SecondaryNetwork = {
  async listen(address, port, { arrived, failed }) {
    // Bound here and not through net.Server, which in a worker would ask the primary and share the port with others.
    const listener = listenBriefly({ address, port }, BACKLOG, {
      accepted: (socket) => arrived(createNetTransport(socket, undefined, socketAddress(address, listener?.port))),
      failed,
    });
    if (listener !== undefined) return listener;
    const bound = bindStream({ address, port });
    const accepting = acceptFrom(bound.handle, {
      backlog: BACKLOG,
      unread: true,
      noDelay: true,
      // What its parent's protocol allows in silence is less.
      keepAliveMs: 0,
      accepted: (socket) => arrived(createNetTransport(socket)),
      failed,
    });
    await accepting.listening;
    return {
      port: bound.bound?.port ?? port,
      close() {
        accepting.close();
        bound.close();
      },
    };
  },

  async connect(localAddress, to, signal) {
    const endpoint = { scheme: 'tcp', host: to.address, port: to.port } as const;
    const socket = await dialSocket(endpoint, { from: boundTo(localAddress, endpoint), signal });
    socket.setNoDelay(true);
    return createNetTransport(socket);
  },
};

function boundTo(address: string, endpoint: Parameters<typeof explainConnectFailure>[0]): net.Socket {
  try {
    return bindStream({ address, port: 0 }).handle;
  } catch (error) {
    throw explainConnectFailure(endpoint, error instanceof Error ? error : new Error(String(error)));
  }
}
