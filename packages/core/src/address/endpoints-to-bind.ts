// Which sockets an endpoint means on this machine: one for each address of its name, and for datagrams one for each
// address of the machine.

import dgram from 'node:dgram';
import { promises as dns } from 'node:dns';
import { networkInterfaces } from 'node:os';
import { isIpv4, isIpv6 } from './address.ts';
import { localAddresses, MAX_LOCAL_ADDRESSES, reasonNotToServe } from './datagram-addresses.ts';
import { literalLookup } from './literal-lookup.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';
import { WellknownError } from '../errors.ts';

type NetworkEndpoint = Extract<Endpoint, { readonly port: number }>;

// Port 0 on several addresses: the port that the first one got may be taken on another.
const MAX_PORT_ATTEMPTS = 20;

/**
 * The endpoints to bind: where the host is a name one for each of its addresses, for a service of datagrams on all addresses
 * one for each address of the machine, with the same port, otherwise the endpoint as it is. Addresses that come up later
 * are not among them. Throws for multicast and broadcast addresses.
 */
export async function endpointsToBind(endpoint: Endpoint): Promise<readonly Endpoint[]> {
  if (endpoint.scheme === 'unix') return [endpoint];
  if (endpoint.scheme !== 'udp') return addressesOfName(endpoint);
  const interfaces = networkInterfaces();
  const reason = reasonNotToServe(endpoint.host, interfaces);
  if (reason !== undefined) {
    throw new WellknownError('ADDRESS_NOT_AVAILABLE', `cannot listen on ${formatEndpoint(endpoint)}: ${reason}`, {
      fault: 'local',
      hint: 'listen on an address of this machine, or leave the host empty for all of them',
    });
  }
  if (endpoint.host !== '' && endpoint.host !== '::' && endpoint.host !== '0.0.0.0') return addressesOfName(endpoint);
  const addresses = localAddresses(interfaces, endpoint.host === '0.0.0.0' ? 'ipv4' : 'both');
  if (addresses.length > MAX_LOCAL_ADDRESSES) {
    throw new WellknownError(
      'BIND_FAILED',
      `cannot listen on ${formatEndpoint(endpoint)}: datagrams need a socket for each address, this machine has ${addresses.length}, and ${MAX_LOCAL_ADDRESSES} are the limit`,
      {
        fault: 'system',
        hint: 'name the addresses to serve',
      },
    );
  }
  // Where the interfaces cannot be listed, the wildcard is better than nothing.
  return addresses.length === 0 ? [endpoint] : usable(endpoint, addresses);
}

/**
 * A client tries the addresses of a name in an order of its own, so all of them are served: those that this machine has
 * (`localhost` is `::1` in many a hosts file of a machine without IPv6). A name without any is left to the bind to explain. With
 * port 0 each gets a port of its own.
 */
async function addressesOfName(endpoint: NetworkEndpoint): Promise<readonly Endpoint[]> {
  if (endpoint.host === '' || isIpv4(endpoint.host) || isIpv6(endpoint.host)) return [endpoint];
  const found = await dns.lookup(endpoint.host, { all: true }).catch(() => []);
  const here: string[] = [];
  for (const address of new Set(found.map((one) => one.address))) {
    const probe = await tryBind(address, 0);
    if (typeof probe === 'string') continue;
    here.push(address);
    await closed(probe);
  }
  return here.length === 0 ? [endpoint] : here.map((host) => ({ ...endpoint, host }));
}

/** Those of the addresses that can be bound at all; with port 0, a port that is free on all of them. */
async function usable(endpoint: NetworkEndpoint, addresses: readonly string[]): Promise<readonly Endpoint[]> {
  for (let attempt = 1; ; attempt += 1) {
    const endpoints: NetworkEndpoint[] = [];
    const probes: dgram.Socket[] = [];
    let { port } = endpoint;
    let isTaken = false;
    for (const host of addresses) {
      const probe = await tryBind(host, port);
      // An address that is going, or that IPv6 is still checking for duplicates.
      if (probe === 'EADDRNOTAVAIL') continue;
      if (typeof probe !== 'string') {
        probes.push(probe);
        ({ port } = probe.address());
      }
      // Any other refusal stays in the list: the bind that is meant to last explains it, or the socket is inherited.
      else if (endpoint.port === 0 && probe === 'EADDRINUSE') isTaken = true;
      endpoints.push({ ...endpoint, host, port });
    }
    await Promise.all(probes.map(closed));
    if (!isTaken || attempt === MAX_PORT_ATTEMPTS) return endpoints.map((one) => ({ ...one, port }));
  }
}

const closed = (socket: dgram.Socket): Promise<void> => new Promise((resolve) => void socket.close(() => resolve()));

/** A bound socket, or the name of the system's error. */
function tryBind(address: string, port: number): Promise<dgram.Socket | string> {
  return new Promise((resolve) => {
    const socket = dgram.createSocket({
      type: address.includes(':') ? 'udp6' : 'udp4',
      ipv6Only: address.includes(':'),
      lookup: literalLookup,
    });
    socket.once('error', (error) => {
      socket.close();
      resolve('code' in error ? String(error.code) : error.message);
    });
    // Exclusive: this very socket, also where this process is a worker of another program's cluster.
    socket.bind({ port, address, exclusive: true }, () => resolve(socket));
  });
}
