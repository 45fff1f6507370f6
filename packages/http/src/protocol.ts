import { DEFAULT_CONNECTION_LIMITS, defineProtocol, type Protocol, type ServiceContext } from '@wellknown/core';
import type { AccessEntry } from './access-log/access-entry.ts';
import { OVERLOAD_TEXT } from './exchange/error-responses.ts';
import type { FetchHandler } from './handler.ts';
import { HttpConnection } from './http1/connection.ts';
import { Http2Connections } from './http2/connection.ts';
import { resolveHttpLimits, type GivenHttpLimits } from './limits.ts';
import { HttpService } from './exchange/service.ts';
import type { TrustedProxies } from './semantics/forwarded.ts';

export interface HttpProtocolOptions {
  /** Where they differ from DEFAULT_HTTP_LIMITS. */
  readonly limits?: GivenHttpLimits;
  /** Proxies that are believed about the client. None unless given. */
  readonly proxies?: TrustedProxies | undefined;
  /** Called at the end of each exchange; `combinedLine` makes a line of what it gets. */
  readonly accessLog?: ((entry: AccessEntry) => void) | undefined;
  /** Offers HTTP/2 in TLS handshakes. */
  readonly http2?: boolean;
}

// An upload that was answered early goes on for as long as its client does not look: what a fast one sends within
// core's `lingerTimeoutMs`. Bytes that are read and dropped cost less than a client that never gets its 401.
const LINGER_BYTES = 64 * 1024 * 1024;

/** HTTP/1.1 and HTTP/1.0 over any connection of core, and HTTP/2 over TLS, answered by `handler`. */
export function httpProtocol(
  handler: FetchHandler,
  { limits = {}, proxies, accessLog, http2 = true }: HttpProtocolOptions = {},
): Protocol {
  const allLimits = resolveHttpLimits(limits);
  const { keepAliveTimeoutMs } = allLimits;
  const services = new WeakMap<
    ServiceContext,
    { readonly service: HttpService; readonly sessions: Http2Connections | undefined }
  >();
  return defineProtocol({
    name: 'http',
    urlScheme: 'http',
    port: 80,
    // Core's idle limit is for the silence of a handler too; it must not cut the time between requests short.
    limits: {
      lingerBytes: LINGER_BYTES,
      idleTimeoutMs:
        keepAliveTimeoutMs === 0 ? 0 : Math.max(DEFAULT_CONNECTION_LIMITS.idleTimeoutMs, keepAliveTimeoutMs),
    },
    alpn: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    open(connection, context) {
      let shared = services.get(context);
      if (shared === undefined) {
        const service = new HttpService({ handler, limits: allLimits, context, proxies, accessLog });
        shared = { service, sessions: http2 ? new Http2Connections(service) : undefined };
        services.set(context, shared);
      }
      const { service, sessions } = shared;
      return sessions !== undefined && connection.secure?.alpn === 'h2'
        ? sessions.open(connection)
        : new HttpConnection(connection, service);
    },
    refusal: () => OVERLOAD_TEXT,
  });
}
