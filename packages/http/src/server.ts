import { createServer, type Server, type ServerOptions } from '@wellknown/core';
import type { FetchHandler } from './handler.ts';
import type { HttpLimits } from './limits.ts';
import { httpProtocol, type HttpProtocolOptions } from './protocol.ts';

export interface HttpServerOptions extends Omit<ServerOptions, 'limits'>, Omit<HttpProtocolOptions, 'limits'> {
  /** Endpoint strings: `tcp://127.0.0.1:8080`, `unix:/run/web.sock`. Default: port 80 on 127.0.0.1. */
  readonly listen?: string | readonly string[];
  /** Those of every server and those of HTTP, in one object: their names differ. */
  readonly limits?: ServerOptions['limits'] & Partial<HttpLimits>;
}

/**
 * A server for one handler: a function, or an object with `fetch`. For files, give it `serveFiles(root)`. Nothing is
 * bound before `listen`, which resolves with the real endpoints.
 */
export function createHttpServer(
  handler: FetchHandler | { readonly fetch: FetchHandler },
  { listen, limits, proxies, accessLog, http2, ...options }: HttpServerOptions = {},
): Server {
  const fetchHandler: FetchHandler =
    typeof handler === 'function' ? handler : (request, context) => handler.fetch(request, context);
  const protocol = httpProtocol(fetchHandler, {
    proxies,
    accessLog,
    ...(limits !== undefined && { limits }),
    ...(http2 !== undefined && { http2 }),
  });
  return createServer(listen === undefined ? { protocol } : { protocol, listen }, {
    ...options,
    ...(limits !== undefined && { limits }),
  });
}
