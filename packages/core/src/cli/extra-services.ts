// Further services that one server command brings along: each on its own well-known port, wherever the main one
// listens.

import { parseEndpoint, formatEndpoint } from '../address/endpoint.ts';
import type { Service } from '../options.ts';
import type { Protocol } from '../protocol.ts';
import { fail, ok, type Result } from '../result.ts';

/**
 * The services of `companions`, on the addresses and schemes of `listen` that they are served over. A port 0 stays one.
 */
export function companionServices(
  companions: readonly Protocol[],
  listen: readonly string[],
  portOffset: number,
): Result<readonly Service[], string> {
  const services: Service[] = [];
  for (const protocol of companions) {
    const endpoints = listen.flatMap((text) => {
      const endpoint = parseEndpoint(text);
      if (!endpoint.ok || endpoint.value.scheme === 'unix') return [];
      const isServed =
        endpoint.value.scheme === 'udp'
          ? protocol.datagrams !== undefined
          : protocol.open !== undefined || protocol.connection !== undefined;
      return isServed
        ? [formatEndpoint({ ...endpoint.value, port: endpoint.value.port === 0 ? 0 : protocol.port + portOffset })]
        : [];
    });
    if (endpoints.length === 0) {
      const schemes = [
        ...(protocol.datagrams === undefined ? [] : ['udp']),
        ...(protocol.open === undefined && protocol.connection === undefined ? [] : ['tcp']),
      ];
      return fail(
        `${protocol.name} is served over ${schemes.join(' and ')} only: add --listen ${schemes[0] ?? ''}://HOST:PORT`,
      );
    }
    services.push({ protocol, listen: [...new Set(endpoints)] });
  }
  return ok(services);
}
