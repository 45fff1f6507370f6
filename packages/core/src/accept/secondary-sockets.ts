// The sockets of secondary connections: a listener for one of them, and a connect from a given address.

import net from 'node:net';
import { createNetTransport } from '../connection/net-transport.ts';
import { bindStream, listenOnHandle } from '../kernel/raw-handles.ts';
import { dialSocket, explainConnectFailure } from '../socket/dial.ts';
import type { SecondaryNetwork } from './secondary-connections.ts';

// One is expected; what comes beside it is accepted and dropped at once.
const BACKLOG = 1;

export const secondarySockets: SecondaryNetwork = {
  listen: (address, port, { arrived, failed }) =>
    new Promise((resolve, reject) => {
      // Bound here and not through net.Server, which in a worker would ask the primary and share the port with others.
      const bound = bindStream({ address, port });
      const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) =>
        arrived(createNetTransport(socket)),
      );
      server.once('error', reject);
      server.once('listening', () => {
        server.off('error', reject);
        server.on('error', failed);
        resolve({
          port: bound.bound?.port ?? port,
          close() {
            server.close();
            bound.close();
          },
        });
      });
      listenOnHandle(server, bound.handle, BACKLOG);
    }),

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
