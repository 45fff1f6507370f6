// A network without sockets for secondary connections: a test plays the peers.

import type { SecondaryNetwork } from '../accept/secondary-connections.ts';
import type { Address } from '../address/address.ts';
import type { Transport } from '../connection/transport.ts';
import { WellknownError } from '../errors.ts';
import { createMemoryTransport, type MemoryPeer } from './memory-transport.ts';

export interface MemoryNetwork extends SecondaryNetwork {
  /** The ports that are listened on now. */
  readonly ports: readonly number[];
  /** The peers of connections that the server has opened, in order. */
  readonly dialed: readonly { readonly to: string; readonly peer: MemoryPeer }[];
  /** What a connect of the server meets from now on; `silent` never answers. At first `accepts`. */
  behaviour: 'accepts' | 'refuses' | 'silent';
  /** A peer at `address` connects to a port; undefined where nothing listens. */
  connectTo(port: number, address: string): MemoryPeer | undefined;
}

// What the system gives for port 0 begins here.
const FIRST_PORT = 50_000;

const addressOf = (address: string, port: number): Address => ({
  family: address.includes(':') ? 'ipv6' : 'ipv4',
  address,
  port,
});

export function createMemoryNetwork(): MemoryNetwork {
  const listening = new Map<number, { readonly address: string; readonly arrived: (transport: Transport) => void }>();
  const dialed: { to: string; peer: MemoryPeer }[] = [];
  const connecting = (local: Address, remote: Address) => createMemoryTransport({ local, remote });
  let lastPort = FIRST_PORT - 1;
  const network: MemoryNetwork = {
    behaviour: 'accepts',
    dialed,
    get ports() {
      return [...listening.keys()];
    },
    listen(address, port, { arrived }) {
      if (listening.has(port)) return Promise.reject(Object.assign(new Error('in use'), { code: 'EADDRINUSE' }));
      const given = port === 0 ? (lastPort += 1) : port;
      listening.set(given, { address, arrived });
      return Promise.resolve({ port: given, close: () => void listening.delete(given) });
    },
    connect(localAddress, to, signal) {
      if (network.behaviour === 'refuses')
        return Promise.reject(new WellknownError('CONNECT_FAILED', 'nothing listens there', { fault: 'remote' }));
      if (network.behaviour === 'silent')
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
      const { transport, peer } = connecting(addressOf(localAddress, (lastPort += 1)), addressOf(to.address, to.port));
      dialed.push({ to: `${to.address} ${to.port}`, peer });
      return Promise.resolve(transport);
    },
    connectTo(port, address) {
      const listener = listening.get(port);
      if (listener === undefined) return undefined;
      const { transport, peer } = connecting(addressOf(listener.address, port), addressOf(address, (lastPort += 1)));
      listener.arrived(transport);
      return peer;
    },
  };
  return network;
}
