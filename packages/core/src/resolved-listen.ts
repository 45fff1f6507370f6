// Where a service listens, as a caller has said it: an address, a list of them, or nothing, which is the well-known port.

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
    const served = endpoint.scheme === 'udp' ? protocol.datagrams !== undefined : hasStreams;
    if (!served)
      throw new WellknownError(
        'ENDPOINT_INVALID',
        `endpoint '${text}': ${protocol.name} is not served over ${endpoint.scheme}${endpoint.scheme === 'unix' ? ', which carries streams here: Node has no unix datagram sockets' : ''}`,
        { fault: 'local' },
      );
    if (endpoint.scheme === 'tls' && !hasCertificate) {
      throw new WellknownError('OPTION_INVALID', `endpoint '${text}' needs a certificate`, {
        fault: 'local',
        hint: "give the option 'tls'",
      });
    }
    return endpoint;
  });
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
