import {
  createServer,
  DEFAULT_SERVER_LIMITS,
  requireKnownNames,
  SERVER_OPTION_NAMES,
  type Server,
  type ServerOptions,
  type Service,
  WellknownError,
} from '@wellknown/core';
import type { FetchHandler } from './handler.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { HALF_CLOSE_POLICIES } from './exchange/service.ts';
import { httpProtocol, type HttpProtocolOptions } from './protocol.ts';

export interface HttpServerOptions extends Omit<ServerOptions, 'limits'>, Omit<HttpProtocolOptions, 'limits'> {
  /** `8080`, `{ port: 8080, host: '::' }`, `'unix:/run/web.sock'` or a list of these. Default: port 80 on 127.0.0.1. */
  readonly listen?: Service['listen'];
  /** Those of every server and those of HTTP, in one object: their names differ. */
  readonly limits?: ServerOptions['limits'] & Partial<HttpLimits>;
}

const OPTION_NAMES = [
  ...SERVER_OPTION_NAMES,
  'listen',
  'proxies',
  'accessLog',
  'halfClose',
  'http2',
  'preloadPlatformClasses',
];
const LIMIT_NAMES = [...Object.keys(DEFAULT_SERVER_LIMITS), ...Object.keys(DEFAULT_HTTP_LIMITS)];

/**
 * A server for one handler: a function, or an object with `fetch`. For files, give it `serveFiles(root)`. Nothing is
 * bound before `listen`, which resolves with the real endpoints. Throws OPTION_INVALID for options that are unknown or wrong.
 */
export function createHttpServer(
  handler: FetchHandler | { readonly fetch: FetchHandler },
  options: HttpServerOptions = {},
): Server {
  const { listen, limits, proxies, accessLog, halfClose, http2, preloadPlatformClasses, ...serverOptions } = options;
  requireKnownNames('option', options, OPTION_NAMES);
  requireKnownNames('limit', limits ?? {}, LIMIT_NAMES);
  if (halfClose !== undefined && !HALF_CLOSE_POLICIES.includes(halfClose))
    throw new WellknownError('OPTION_INVALID', `halfClose is '${halfClose as string}'`, {
      fault: 'local',
      hint: `known are ${HALF_CLOSE_POLICIES.join(', ')}`,
    });
  const fetchHandler: FetchHandler =
    typeof handler === 'function' ? handler : (request, context) => handler.fetch(request, context);
  const protocol = httpProtocol(fetchHandler, {
    proxies,
    accessLog,
    halfClose,
    ...(limits !== undefined && { limits }),
    ...(http2 !== undefined && { http2 }),
    ...(preloadPlatformClasses !== undefined && { preloadPlatformClasses }),
  });
  return createServer(listen === undefined ? { protocol } : { protocol, listen }, {
    ...serverOptions,
    ...(limits !== undefined && { limits: ofEveryServer(limits) }),
  });
}

const ofEveryServer = (limits: NonNullable<HttpServerOptions['limits']>): NonNullable<ServerOptions['limits']> =>
  Object.fromEntries(Object.entries(limits).filter(([name]) => Object.hasOwn(DEFAULT_SERVER_LIMITS, name)));
