import { defineProtocol, type Protocol, type ServiceContext } from '@wellknown/core';
import type { AccessEntry } from './access-entry.ts';
import { OVERLOAD_TEXT } from './engine-answers.ts';
import type { FetchHandler } from './handler.ts';
import { HttpConnection } from './http-connection.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { HttpService, type TrustedProxies } from './service.ts';

export interface HttpProtocolOptions {
  /** Where they differ from DEFAULT_HTTP_LIMITS. */
  readonly limits?: Partial<HttpLimits>;
  /** Proxies whose word about the client is taken. None unless given. */
  readonly proxies?: TrustedProxies | undefined;
  /** Called at the end of each exchange; `combinedLine` makes a line of what it gets. */
  readonly accessLog?: ((entry: AccessEntry) => void) | undefined;
}

/** HTTP/1.1 and HTTP/1.0 over any connection of core, answered by `handler`. */
export function httpProtocol(handler: FetchHandler, { limits, proxies, accessLog }: HttpProtocolOptions = {}): Protocol {
  const allLimits: HttpLimits = { ...DEFAULT_HTTP_LIMITS, ...limits };
  const services = new WeakMap<ServiceContext, HttpService>();
  return defineProtocol({
    name: 'http',
    port: 80,
    open(connection, context) {
      let service = services.get(context);
      if (service === undefined) {
        const { log, clock, counters } = context;
        service = new HttpService({ handler, limits: allLimits, log, clock, counters, proxies, accessLog });
        services.set(context, service);
      }
      return new HttpConnection(connection, service);
    },
    refusal: () => OVERLOAD_TEXT,
  });
}
