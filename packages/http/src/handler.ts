// What a user of this package writes.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Address } from '@wellknown/core';
import type { ClientFacts } from './semantics/forwarded.ts';
import type { ResponseHeaders } from './fetch/field-set.ts';
import type { HttpResponse } from './fetch/response.ts';

/** What a handler may want to know and do beside the request. */
export interface RequestContext {
  /** The other end of the connection, which may be a proxy. */
  readonly remote: Address;
  readonly local: Address;
  /** The client, as far as trusted proxies tell it; without any, the other end of the connection. */
  readonly client: ClientFacts;
  /** The X-Request-Id of a trusted proxy, or one of our own. It is in what the engine logs about the request. */
  readonly requestId: string;
  /** The request target as it came, neither decoded nor normalised. */
  readonly rawTarget: string;
  readonly httpVersion: '1.0' | '1.1' | '2.0';
  /**
   * Aborted when the server begins to drain. A response without an end of its own, such as an event stream, should end
   * then: it is cut at the drain deadline.
   */
  readonly draining: AbortSignal;
  /** The trailer fields, once the content of the request has been read to its end. Never merged into the headers. */
  readonly trailers: () => Headers | undefined;
  /**
   * Names fields that follow a response sent as a stream of unknown length; a function is asked when its content has
   * ended. Clients of HTTP/1.0 don't get them.
   */
  readonly setTrailers: (trailers: ResponseHeaders | (() => ResponseHeaders)) => void;
  /**
   * Sends 103 (Early Hints) at once (RFC 8297). Does nothing for HTTP/1.0, or once the response has begun. Throws for a
   * field that can't be sent.
   */
  readonly earlyHints: (headers: ResponseHeaders) => void;
  /**
   * Work that goes on after the response: the server does not end before it, up to the drain deadline. A rejection is
   * logged.
   */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /**
   * Takes the connection over: from here on its bytes are the handler's, and the engine writes nothing more, not even
   * the 101. For a complete request that asks for an upgrade, and once; otherwise it throws.
   */
  readonly upgrade: () => UpgradedConnection;
}

/** What `context.upgrade()` gives. */
export interface UpgradedConnection {
  /** The bytes of the connection from the end of the request on, both ways. The handler closes it. */
  readonly stream: Duplex;
  /** Always empty: what came after the request is in the stream. Libraries ask for it. */
  readonly head: Buffer;
  /** The request in the shape of node:http, for libraries that answer the upgrade by themselves. */
  readonly incoming: IncomingMessage;
  /** For the handler to return. It is not sent. */
  readonly response: Response;
}

/**
 * Answers one request. It is called for one request of a connection at a time. What it throws, and a promise that
 * rejects, is logged and answered with 500.
 */
export type FetchHandler = (
  request: Request,
  context: RequestContext,
) => Response | HttpResponse | Promise<Response | HttpResponse>;

const ofPackage = new WeakSet<FetchHandler>();

/** For this package: marks a handler that asks for none of the platform's classes. */
export function asOfPackage<Handler extends FetchHandler>(handler: Handler): Handler {
  ofPackage.add(handler);
  return handler;
}

export const isOfPackage = (handler: FetchHandler): boolean => ofPackage.has(handler);
