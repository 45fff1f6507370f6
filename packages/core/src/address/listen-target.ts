// What a `listen` option may name: an endpoint to bind, or a socket that another process has bound and passed to
// this one.

import { formatEndpoint, parseEndpoint, type Endpoint, type EndpointProblem } from './endpoint.ts';
import { fail, ok, type Result } from '../result.ts';

export type ListenTarget =
  | Endpoint
  /** `fd://N`: a listening or bound socket, open in this process when it started. */
  | { readonly scheme: 'fd'; readonly descriptor: number }
  /** `systemd:NAME`: the sockets of that FileDescriptorName= (sd_listen_fds(3)). */
  | { readonly scheme: 'systemd'; readonly name: string };

/**
 * What `listen` takes for one address: an endpoint string, a port on 127.0.0.1, or a port and a host; without a port the
 * protocol's own.
 */
export type ListenAddress = string | number | { readonly port?: number; readonly host?: string };

/** The endpoint string of an address. Checked is only what a string could not say: parse the result. */
export function listenText(address: ListenAddress, scheme: 'tcp' | 'udp', defaultPort: number): string {
  if (typeof address === 'string') return address;
  const { port = defaultPort, host = '127.0.0.1' } = typeof address === 'number' ? { port: address } : address;
  return `${scheme}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}

/** Reads any endpoint, `fd://N` or `systemd:NAME`. */
export function parseListenTarget(text: string): Result<ListenTarget, EndpointProblem> {
  if (text.startsWith('systemd:')) {
    const name = text.slice('systemd:'.length);
    // systemd.socket(5): printable, no colon.
    return /^[\x21-\x39\x3b-\x7e]{1,255}$/.test(name)
      ? ok({ scheme: 'systemd', name })
      : fail({
          part: 'path',
          message: `endpoint '${text}': expected systemd:NAME, the FileDescriptorName= of the socket unit`,
        });
  }
  if (text.startsWith('fd:')) {
    const descriptor = /^fd:\/\/(\d{1,6})$/.exec(text)?.[1];
    return descriptor !== undefined && Number(descriptor) > 2
      ? ok({ scheme: 'fd', descriptor: Number(descriptor) })
      : fail({ part: 'path', message: `endpoint '${text}': expected fd://N, a number above 2` });
  }
  const endpoint = parseEndpoint(text);
  if (endpoint.ok || endpoint.error.part !== 'scheme') return endpoint;
  return fail({ part: 'scheme', message: `${endpoint.error.message}, fd://N or systemd:NAME` });
}

/**
 * For a message about a text that is no endpoint: many write a port alone, a host and a port, an address of the web, or
 * capitals.
 */
export function meantEndpoint(text: string, scheme: string): string {
  if (/^\d{1,5}$/.test(text))
    return `; meant may be '${scheme}://127.0.0.1:${text}', or '${scheme}://:${text}' for all addresses`;
  const lower = text.replace(/^[A-Za-z]+:/, (prefix) => prefix.toLowerCase());
  if (lower !== text && parseListenTarget(lower).ok) return `; meant may be '${lower}'`;
  const [, web, address = ''] = /^(https?:\/\/)?([\w.[\]:-]*:\d{1,5})\/?$/.exec(text) ?? [];
  if (address === '') return '';
  return `; meant may be '${web === 'https://' ? 'tls' : scheme}://${address}'`;
}

/** The text form of any target. */
export function formatListenTarget(target: ListenTarget): string {
  if (target.scheme === 'fd') return `fd://${target.descriptor}`;
  return target.scheme === 'systemd' ? `systemd:${target.name}` : formatEndpoint(target);
}

export const isEndpoint = (target: ListenTarget): target is Endpoint =>
  target.scheme !== 'fd' && target.scheme !== 'systemd';
