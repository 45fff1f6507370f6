// Endpoint strings, as the command line and every `listen` option take them. Text in, a value or a named problem out.

import { isIpv4, isIpv6 } from './address.ts';
import { fail, ok, type Result } from '../result.ts';
import { portFromServiceName } from './service-names.ts';

/** Where to listen. `host` is empty for all addresses of the machine. */
export type Endpoint =
  | { readonly scheme: 'tcp' | 'udp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly scheme: 'unix'; readonly path: string; readonly abstract: boolean };

/** Which part of the text is wrong, and why. */
export interface EndpointProblem {
  readonly part: 'scheme' | 'host' | 'port' | 'path';
  readonly message: string;
}

// Linux: sun_path holds 108 bytes, and a path keeps one for its NUL.
const MAX_UNIX_PATH_BYTES = 107;
const FORMS = 'tcp://HOST:PORT, tls://HOST:PORT, udp://HOST:PORT, unix:PATH or unix:@NAME';
// RFC 1123 §2.1: letters, digits and hyphens, labels of 1 to 63.
const HOST_NAME =
  /^(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$/;

const problem = (part: EndpointProblem['part'], text: string, reason: string): Result<never, EndpointProblem> =>
  fail({ part, message: `endpoint '${text}': ${reason}` });

/**
 * Reads `tcp://127.0.0.1:80`, `tls://:https`, `udp://[::1]:echo`, `tcp://:0`, `unix:/run/web.sock` or `unix:@abstract`.
 */
export function parseEndpoint(text: string): Result<Endpoint, EndpointProblem> {
  if (text.startsWith('unix:')) return parseUnix(text);
  const match = /^([A-Za-z]+):(?:\/\/)?/.exec(text);
  const scheme = match?.[1];
  if (match === null || scheme === undefined) return problem('scheme', text, `no scheme, expected ${FORMS}`);
  if (scheme === 'unixgram')
    return problem(
      'scheme',
      text,
      'Node has no unix datagram sockets; use udp://127.0.0.1:PORT, or a stream on unix:PATH',
    );
  if (scheme !== 'tcp' && scheme !== 'udp' && scheme !== 'tls')
    return problem('scheme', text, `unknown scheme '${scheme}', expected ${FORMS}`);
  if (!match[0].endsWith('//')) return problem('scheme', text, `expected '${scheme}://HOST:PORT'`);
  return parseHostAndPort(text, scheme, text.slice(match[0].length));
}

function parseUnix(text: string): Result<Endpoint, EndpointProblem> {
  const rest = text.slice('unix:'.length);
  const abstract = rest.startsWith('@');
  const path = abstract ? rest.slice(1) : rest;
  if (path === '') return problem('path', text, abstract ? 'the abstract name is empty' : 'the path is empty');
  if (path.includes('\0')) return problem('path', text, 'the path holds a NUL');
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > MAX_UNIX_PATH_BYTES)
    return problem('path', text, `the path has ${bytes} bytes, at most ${MAX_UNIX_PATH_BYTES} are possible`);
  return ok({ scheme: 'unix', path, abstract });
}

function parseHostAndPort(
  text: string,
  scheme: 'tcp' | 'udp' | 'tls',
  authority: string,
): Result<Endpoint, EndpointProblem> {
  let host: string;
  let portText: string;
  if (authority.startsWith('[')) {
    const close = authority.indexOf(']');
    if (close < 0) return problem('host', text, "'[' without ']'");
    host = authority.slice(1, close);
    if (!isIpv6(host)) return problem('host', text, `'${host}' is not an IPv6 address`);
    if (authority[close + 1] !== ':') return problem('port', text, `the port is missing after '[${host}]'`);
    portText = authority.slice(close + 2);
  } else {
    const colon = authority.lastIndexOf(':');
    if (colon < 0) return problem('port', text, `the port is missing, expected ${scheme}://HOST:PORT`);
    host = authority.slice(0, colon);
    portText = authority.slice(colon + 1);
    if (host.includes(':')) return problem('host', text, 'an IPv6 address stands in brackets, as in [::1]');
    const badHost = problemOfHost(host);
    if (badHost !== undefined) return problem('host', text, badHost);
  }
  const port = parsePort(portText);
  return port.ok ? ok({ scheme, host, port: port.value }) : problem('port', text, port.error);
}

function problemOfHost(host: string): string | undefined {
  if (host === '' || isIpv4(host)) return undefined;
  // Four numbers that are no IPv4 address are a misprint, not a name.
  if (/^[0-9.]+$/.test(host)) return `'${host}' is not an IPv4 address`;
  return HOST_NAME.test(host) ? undefined : `'${host}' is not a host name`;
}

/** A number from 0 to 65535 or a service name. */
export function parsePort(text: string): Result<number, string> {
  if (text === '') return fail('the port is empty');
  if (/^[0-9]+$/.test(text)) {
    const port = Number(text);
    return port <= 65535 ? ok(port) : fail(`port ${text} is above 65535`);
  }
  const port = portFromServiceName(text);
  return port === undefined ? fail(`'${text}' is neither a port number nor a known service name`) : ok(port);
}

/** The path of a unix endpoint as an `Address` has it: an abstract name begins with `@`. */
export const unixPathOf = ({ path, abstract }: Extract<Endpoint, { scheme: 'unix' }>): string =>
  `${abstract ? '@' : ''}${path}`;

/** The text form; `parseEndpoint(formatEndpoint(e))` gives `e` again. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.scheme === 'unix') return `unix:${unixPathOf(endpoint)}`;
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${endpoint.scheme}://${host}:${endpoint.port}`;
}
