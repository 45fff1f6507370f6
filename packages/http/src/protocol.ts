import { DEFAULT_CONNECTION_LIMITS, defineProtocol, type Protocol, type ServiceContext } from '@wellknown/core';
import type { AccessEntry } from './access-log/access-entry.ts';
import { HTTP } from './description.ts';
import { platform } from './fetch/platform.ts';
import { isOfPackage, type FetchHandler } from './handler.ts';
import { HttpConnection } from './http1/connection.ts';
import { Http2Connections, loadHttp2 } from './http2/connection.ts';
import { resolveHttpLimits, type GivenHttpLimits } from './limits.ts';
import { HttpService, type HalfClose } from './exchange/service.ts';
import type { TrustedProxies } from './semantics/forwarded.ts';

export interface HttpProtocolOptions {
  /** Where they differ from DEFAULT_HTTP_LIMITS. */
  readonly limits?: GivenHttpLimits;
  /** Proxies that are believed about the client. None unless given. */
  readonly proxies?: TrustedProxies | undefined;
  /** Called at the end of each exchange; `combinedLine` makes a line of what it gets. */
  readonly accessLog?: ((entry: AccessEntry) => void) | undefined;
  /**
   * What a client means that ends its side before its response is complete. `answer` (the default): that it has nothing
   * more to ask. `abort`: that it is gone; `request.signal` aborts and the connection ends. That is so for browsers and
   * most proxies, and not for a script that pipes a request into a socket. HTTP/2 has frames for both.
   */
  readonly halfClose?: HalfClose | undefined;
  /** Offers HTTP/2 in TLS handshakes. */
  readonly http2?: boolean;
  /**
   * Loads Node's `Response`, `Request` and `Headers` now: otherwise the first request that needs one waits for it. Default:
   * true, but for `serveFiles` and `redirectToHttps`, which need none. A handler that answers with `HttpResponse` alone
   * needs none either: false saves each process 60 ms of its start and megabytes of memory.
   */
  readonly preloadPlatformClasses?: boolean;
}

/** HTTP/1.1 and HTTP/1.0 over any connection of core, and HTTP/2 over TLS, answered by `handler`. */
export function httpProtocol(
  handler: FetchHandler,
  {
    limits = {},
    proxies,
    accessLog,
    halfClose,
    http2 = true,
    preloadPlatformClasses = !isOfPackage(handler),
  }: HttpProtocolOptions = {},
): Protocol {
  if (preloadPlatformClasses) platform();
  const allLimits = resolveHttpLimits(limits);
  const { keepAliveTimeoutMs } = allLimits;
  const services = new WeakMap<
    ServiceContext,
    { readonly service: HttpService; sessions: Http2Connections | undefined }
  >();
  return defineProtocol({
    ...HTTP,
    // Core's idle limit is for the silence of a handler too; it must not cut the time between requests short.
    limits: {
      ...HTTP.limits,
      idleTimeoutMs:
        keepAliveTimeoutMs === 0 ? 0 : Math.max(DEFAULT_CONNECTION_LIMITS.idleTimeoutMs, keepAliveTimeoutMs),
    },
    /** Core asks before it listens, where there is a certificate: what will be spoken is loaded then. */
    get alpn() {
      if (!http2) return ['http/1.1'];
      loadHttp2();
      return ['h2', 'http/1.1'];
    },
    open(connection, context) {
      let shared = services.get(context);
      if (shared === undefined) {
        const service = new HttpService({ handler, limits: allLimits, context, proxies, accessLog, halfClose });
        shared = { service, sessions: undefined };
        services.set(context, shared);
      }
      const { service } = shared;
      if (!http2 || connection.secure?.alpn !== 'h2') return new HttpConnection(connection, service);
      shared.sessions ??= new Http2Connections(service);
      return shared.sessions.open(connection);
    },
  });
}
