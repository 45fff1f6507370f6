// The addresses of a datagram socket: what a name stands for, what the kernel says, and where a socket is bound that has
// no name.

import { lookup } from 'node:dns/promises';
import { isIpv4, isIpv6, normalizeIp, type Address } from '../address/address.ts';
import type { Endpoint } from '../address/endpoint.ts';
import { explainConnectFailure } from './dial.ts';

export type PortEndpoint = Extract<Endpoint, { readonly port: number }>;

/** As the kernel names it. */
export const addressFrom = (address: string, port: number): Address => {
  const normal = normalizeIp(address);
  return { family: isIpv6(normal) ? 'ipv6' : 'ipv4', address: normal, port };
};

/** Where a socket without a name is bound: the family of a socket is that of the first address it is used with. */
export const unboundFor = (address: string): PortEndpoint => ({
  scheme: 'udp',
  host: isIpv4(address) ? '0.0.0.0' : '::',
  port: 0,
});

/** The address to send to. Rejects with NAME_NOT_FOUND. */
export async function addressOfHost(target: PortEndpoint): Promise<string> {
  const { host } = target;
  if (host === '') return '127.0.0.1';
  if (isIpv4(host) || isIpv6(host)) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw explainConnectFailure(target, error instanceof Error ? error : new Error(String(error)));
  }
}
