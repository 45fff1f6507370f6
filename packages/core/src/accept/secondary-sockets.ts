// The sockets of secondary connections: a listener for one of them, and a connect from a given address.

import type net from 'node:net';
import { socketAddress } from '../address/address.ts';
import { createNetTransport } from '../connection/net-transport.ts';
import { acceptFrom } from '../kernel/accept-from.ts';
import { ephemeralPort } from '../kernel/ephemeral-ports.ts';
import { bindStream, listenBriefly, type BriefListener } from '../kernel/stream-handle.ts';
import { dialSocket, explainConnectFailure } from '../socket/dial.ts';
import { isPortTaken, type SecondaryNetwork } from './secondary-connections.ts';

// One is expected; what comes beside it is accepted and dropped at once.
const BACKLOG = 1;
// More in a row are taken only where hardly any port is free.
const MAX_TRIES = 4;

export const secondarySockets: SecondaryNetwork = {
  async listen(address, port, { arrived, failed }) {
    // Bound here and not through net.Server, which in a worker would ask the primary and share the port with others.
    const brief = (on: number): BriefListener | undefined => {
      const listener = listenBriefly({ address, port: on }, BACKLOG, {
        accepted: (socket) => arrived(createNetTransport(socket, undefined, socketAddress(address, listener?.port))),
        failed,
      });
      return listener;
    };
    const listener = (port === 0 ? onAnyPort(brief) : undefined) ?? brief(port);
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

/** On a port of our choice, which is cheaper than one of the system's. Undefined where those are taken. */
function onAnyPort(listen: (port: number) => BriefListener | undefined): BriefListener | undefined {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const port = ephemeralPort();
    if (port === 0) return undefined;
    try {
      return listen(port);
    } catch (error) {
      if (!isPortTaken(error)) throw error;
    }
  }
  return undefined;
}

function boundTo(address: string, endpoint: Parameters<typeof explainConnectFailure>[0]): net.Socket {
  try {
    return bindStream({ address, port: 0 }).handle;
  } catch (error) {
    throw explainConnectFailure(endpoint, error instanceof Error ? error : new Error(String(error)));
  }
}
