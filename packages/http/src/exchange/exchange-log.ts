// The client of a request, its id, and what is counted and logged about it. One for each connection.

import type { Connection } from '@wellknown/core';
import type { AccessEntry } from '../access-log/access-entry.ts';
import { userOf } from '../auth/user-of.ts';
import type { Exchange } from './exchange.ts';
import { clientBehindProxies, type ClientFacts } from '../semantics/forwarded.ts';
import { REFUSALS, type Refusal } from '../semantics/refusals.ts';
import { RequestHeaders } from '../fetch/request-headers.ts';
import type { RequestHead } from '../semantics/request-head.ts';
import { OriginCache } from './origin-cache.ts';
import { isThenable } from './response-content.ts';
import { countResponse, type HttpService } from './service.ts';

// A request id that a proxy may give; anything else is replaced by one of ours.
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
const CLIENT_CLOSED_REQUEST = 499;

export class ExchangeLog {
  readonly connection: Connection;
  readonly #service: HttpService;
  readonly #scheme: 'http' | 'https';
  readonly #origins = { http: new OriginCache('http'), https: new OriginCache('https') };
  readonly #isBehindProxy: boolean;

  constructor(connection: Connection, service: HttpService) {
    this.connection = connection;
    this.#service = service;
    this.#scheme = connection.secure !== undefined ? 'https' : 'http';
    this.#isBehindProxy = service.proxies?.isTrusted(connection.remote) ?? false;
  }

  /** Scheme, host and port of a request's URL. */
  originOf(head: RequestHead): string {
    if (!this.#isBehindProxy) return this.#origins[this.#scheme].originOf(head.authority);
    const { scheme, host } = this.#clientOf(head);
    return this.#origins[scheme].originOf(host);
  }

  /** The client came by TLS, to us or to a trusted proxy. */
  isSecure(head: RequestHead): boolean {
    return (this.#isBehindProxy ? this.#clientOf(head).scheme : this.#scheme) === 'https';
  }

  clientOf(exchange: Exchange): ClientFacts {
    return this.#clientOf(exchange.head);
  }

  requestIdOf(exchange: Exchange): string {
    if (exchange.requestId === undefined) {
      const given = this.#isBehindProxy ? exchange.request.headers.get('x-request-id') : null;
      exchange.requestId = given !== null && REQUEST_ID.test(given) ? given : this.#service.newRequestId();
    }
    return exchange.requestId;
  }

  began(exchange: Exchange): void {
    this.#service.counts.requests += 1;
    if (this.#service.accessLog !== undefined) exchange.startedMs = this.#service.clock.nowMs();
  }

  completed(exchange: Exchange): void {
    this.#write(exchange, exchange.status);
  }

  upgraded(exchange: Exchange): void {
    this.#service.counts.upgrades += 1;
    this.#write(exchange, 101);
  }

  /** The connection was gone before the response was complete. */
  aborted(exchange: Exchange): void {
    if (exchange.responseState === 'complete') return;
    this.#service.counts.aborted += 1;
    this.#write(exchange, exchange.status === 0 ? CLIENT_CLOSED_REQUEST : exchange.status);
  }

  /** Work that goes on after an exchange: the server does not end before it. */
  keepUntilDone(work: Promise<unknown>): void {
    this.#service.work.add(work);
  }

  /** `exchange` is undefined where the head itself was refused: of that there is nothing trustworthy to log. */
  refused(refusal: Refusal, exchange: Exchange | undefined): void {
    const { status } = REFUSALS[refusal];
    this.#service.counts.refusals += 1;
    countResponse(this.#service.counts, status);
    if (exchange !== undefined) this.#write(exchange, status);
  }

  /** A log that fails, at once or later, costs a line and no connection. */
  #write(exchange: Exchange, status: number): void {
    const accessLog: ((entry: AccessEntry) => unknown) | undefined = this.#service.accessLog;
    if (accessLog === undefined) return;
    try {
      const written = accessLog(this.#entryOf(exchange, status));
      if (isThenable(written)) written.then(undefined, (error: unknown) => this.#service.accessLogFailed(error));
    } catch (error) {
      this.#service.accessLogFailed(error);
    }
  }

  #clientOf(head: RequestHead): ClientFacts {
    const { remote } = this.connection;
    const direct: ClientFacts = {
      address: remote.family === 'unix' ? 'unix' : remote.address,
      scheme: this.#scheme,
      host: head.authority,
    };
    const { proxies } = this.#service;
    if (!this.#isBehindProxy || proxies === undefined) return direct;
    return clientBehindProxies(new RequestHeaders(head.fieldLines), proxies.field, direct, (address) =>
      proxies.isTrusted(address),
    );
  }

  #entryOf(exchange: Exchange, status: number): AccessEntry {
    const { head, request, startedMs, contentBytes, requestId } = exchange;
    const { clock } = this.#service;
    const durationMs = startedMs < 0 ? 0 : clock.nowMs() - startedMs;
    return {
      client: this.#clientOf(head).address,
      user: userOf(request),
      atMs: clock.wallMs() - durationMs,
      durationMs,
      method: head.method,
      target: head.target,
      httpVersion: head.minorVersion === 0 ? '1.0' : this.connection.secure?.alpn === 'h2' ? '2.0' : '1.1',
      status,
      contentBytes,
      referer: request.headers.get('referer') ?? undefined,
      userAgent: request.headers.get('user-agent') ?? undefined,
      requestId,
    };
  }
}
