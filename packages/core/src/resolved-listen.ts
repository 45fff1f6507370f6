// Where a service listens, as a caller has said it: an address, a list of them, or nothing, which is the well-known port.

import { formatEndpoint, type Endpoint } from './address/endpoint.ts';
import {
  isEndpoint,
  listenText,
  parseListenTarget,
  type ListenAddress,
  type ListenTarget,
} from './address/listen-target.ts';
import { WellknownError } from './errors.ts';
import { requireKnownNames } from './option-names.ts';
import { invalidOption } from './option-values.ts';
import type { Service } from './options.ts';
import type { Protocol } from './protocol.ts';

/** Checks and completes the `listen` of a service. Throws ENDPOINT_INVALID or OPTION_INVALID. */
export function resolveListen(
  listen: Service['listen'],
  protocol: Protocol,
  hasCertificate: boolean,
): readonly ListenTarget[] {
  const hasStreams = servesStreams(protocol);
  const scheme = hasStreams ? (protocol.defaultScheme ?? 'tcp') : 'udp';
  const addresses = listen === undefined ? [protocol.port] : isList(listen) ? listen : [listen];
  return addresses.map((address) => {
    const text = addressText(address, scheme, protocol.port);
    const endpoint = resolveTarget(text);
    // What was passed to this process is known only when it is adopted.
    if (!isEndpoint(endpoint)) return endpoint;
    requireServed(protocol, endpoint, text);
    if (endpoint.scheme === 'tls' && !hasCertificate) {
      throw new WellknownError('OPTION_INVALID', `endpoint '${text}' needs a certificate`, {
        fault: 'local',
        hint: "give the option 'tls'",
      });
    }
    return endpoint;
  });
}

/**
 * Throws ENDPOINT_INVALID where a protocol has nothing to say on a socket of that kind. `asked` is how the caller named
 * it: of what was passed to the process, the endpoint is known once it is adopted.
 */
export function requireServed(protocol: Protocol, endpoint: Endpoint, asked: string): void {
  const { scheme } = endpoint;
  const hasDatagrams = protocol.datagrams !== undefined;
  const hasStreams = servesStreams(protocol);
  if (scheme === 'udp' ? hasDatagrams : hasStreams) return;
  const bound = formatEndpoint(endpoint);
  const is = bound === asked || !/^(?:fd|systemd):/.test(asked) ? '' : ` is ${bound}`;
  const why = scheme === 'unix' ? ', which carries streams here: Node has no unix datagram sockets' : '';
  throw new WellknownError(
    'ENDPOINT_INVALID',
    `endpoint '${asked}'${is}: ${protocol.name} is not served over ${scheme}${why}`,
    { fault: 'local', hint: hasStreams ? 'it takes stream sockets: tcp, tls or unix' : 'it takes datagrams: udp' },
  );
}

const servesStreams = (protocol: Protocol): boolean => protocol.open !== undefined || protocol.connection !== undefined;

/** Reads one of the texts of `listen`. Throws ENDPOINT_INVALID. */
export function resolveTarget(text: string): ListenTarget {
  const target = parseListenTarget(text);
  if (!target.ok) throw new WellknownError('ENDPOINT_INVALID', target.error.message, { fault: 'local' });
  return target.value;
}

const isList = (listen: NonNullable<Service['listen']>): listen is readonly ListenAddress[] => Array.isArray(listen);

/** Takes whatever a JavaScript caller gives. Throws OPTION_INVALID. */
function addressText(address: ListenAddress | null, scheme: 'tcp' | 'udp', defaultPort: number): string {
  if (typeof address === 'string') return address;
  const parts = typeof address === 'object' && address !== null ? address : { port: address };
  requireKnownNames("part of 'listen'", parts, ['port', 'host']);
  const { port = defaultPort, host }: { readonly port?: unknown; readonly host?: unknown } = parts;
  if (host !== undefined && typeof host !== 'string')
    throw invalidOption('listen.host', host, 'a name or an IP address');
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw invalidOption(
      'listen',
      port,
      'a port from 0 to 65535, { port, host } or an endpoint such as tcp://127.0.0.1:8080',
    );
  return listenText(host === undefined ? port : { port, host }, scheme, defaultPort);
}
