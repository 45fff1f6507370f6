// What the verbs of a socket take as an address: endpoint text, an endpoint, or an address that another verb gave.

import { isIpv6, type Address } from '../address/address.ts';
import { formatEndpoint, parseEndpoint, unixPathOf, type Endpoint } from '../address/endpoint.ts';
import { WellknownError } from '../errors.ts';

/** One over which streams go. */
export type StreamEndpoint =
  | Exclude<Endpoint, { readonly port: number }>
  | (Extract<Endpoint, { readonly port: number }> & { readonly scheme: 'tcp' | 'tls' });
type DatagramEndpoint = Extract<Endpoint, { readonly port: number }>;

function endpointOf(given: string | Endpoint): Endpoint {
  if (typeof given !== 'string') return given;
  const parsed = parseEndpoint(given);
  if (!parsed.ok) throw new WellknownError('ENDPOINT_INVALID', parsed.error.message, { fault: 'local' });
  return parsed.value;
}

/** Throws ENDPOINT_INVALID for text that is no endpoint, and for one that has no streams. */
export function streamEndpoint(given: string | Endpoint): StreamEndpoint {
  const endpoint = endpointOf(given);
  if (endpoint.scheme === 'unix') return endpoint;
  if (endpoint.scheme !== 'udp') return { ...endpoint, scheme: endpoint.scheme };
  throw new WellknownError(
    'ENDPOINT_INVALID',
    `endpoint '${formatEndpoint(endpoint)}': udp carries datagrams, not streams`,
    { fault: 'local' },
  );
}

/** A stream endpoint that can be bound. TLS is nothing that a socket is bound to: it begins on a connection. */
export function bindableEndpoint(given: string | Endpoint): StreamEndpoint {
  const endpoint = streamEndpoint(given);
  if (endpoint.scheme !== 'tls') return endpoint;
  throw new WellknownError(
    'ENDPOINT_INVALID',
    `endpoint '${formatEndpoint(endpoint)}': a socket is bound to tcp; call startTls on what accept gives`,
    { fault: 'local' },
  );
}

/** Throws ENDPOINT_INVALID for what has no datagrams. Node offers them over udp only. */
export function datagramEndpoint(given: string | Endpoint | Address): DatagramEndpoint {
  if (typeof given !== 'string' && 'family' in given && given.family !== 'unix')
    return { scheme: 'udp', host: given.address, port: given.port };
  const endpoint = typeof given === 'string' || 'scheme' in given ? endpointOf(given) : undefined;
  if (endpoint?.scheme === 'udp') return endpoint;
  throw new WellknownError(
    'ENDPOINT_INVALID',
    `endpoint '${endpoint === undefined ? 'unix:' : formatEndpoint(endpoint)}': datagrams are carried by udp only`,
    { fault: 'local' },
  );
}

/** The address of a bound endpoint. */
export function addressOf(endpoint: Endpoint): Address {
  if (endpoint.scheme === 'unix') return { family: 'unix', path: unixPathOf(endpoint) };
  return { family: isIpv6(endpoint.host) ? 'ipv6' : 'ipv4', address: endpoint.host, port: endpoint.port };
}
