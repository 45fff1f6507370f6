// The second argument of a handler: made for each request, and nothing in it before it is asked for.

import type { ExchangeLog } from './exchange-log.ts';
import type { Exchange } from './exchange.ts';
import { readFields } from '../semantics/fields.ts';
import type { ClientFacts } from '../semantics/forwarded.ts';
import type { RequestContext, UpgradedConnection } from '../handler.ts';
import { fieldProblem, HOP_BY_HOP } from './response-head.ts';
import { entriesOf } from '../fetch/field-set.ts';

/** What a context asks of its connection. */
export interface ContextOwner {
  readonly exchangeLog: ExchangeLog;
  readonly httpVersion: RequestContext['httpVersion'];
  /** Sends 103 with these checked fields, if it may still be sent. */
  sendEarlyHints(exchange: Exchange, fields: readonly (readonly [name: string, value: string])[]): void;
  upgrade(exchange: Exchange): UpgradedConnection;
  workFailed(exchange: Exchange, error: unknown): void;
}

export class ExchangeContext implements RequestContext {
  readonly #owner: ContextOwner;
  readonly #exchange: Exchange;

  constructor(owner: ContextOwner, exchange: Exchange) {
    this.#owner = owner;
    this.#exchange = exchange;
  }

  get remote(): RequestContext['remote'] {
    return this.#owner.exchangeLog.connection.remote;
  }

  get local(): RequestContext['local'] {
    return this.#owner.exchangeLog.connection.local;
  }

  get client(): ClientFacts {
    return this.#owner.exchangeLog.clientOf(this.#exchange);
  }

  get requestId(): string {
    return this.#owner.exchangeLog.requestIdOf(this.#exchange);
  }

  get rawTarget(): string {
    return this.#exchange.head.target;
  }

  get httpVersion(): RequestContext['httpVersion'] {
    return this.#exchange.head.minorVersion === 0 ? '1.0' : this.#owner.httpVersion;
  }

  get draining(): AbortSignal {
    return this.#owner.exchangeLog.connection.drainSignal;
  }

  // What can be called is made to be taken out of the context: handlers write `(request, { waitUntil })`.

  get trailers(): RequestContext['trailers'] {
    return () => {
      const lines = this.#exchange.body?.trailerLines;
      if (lines === undefined || lines === '') return undefined;
      const headers = new Headers();
      for (const [name, value] of readFields(lines)) headers.append(name, value);
      return headers;
    };
  }

  get setTrailers(): RequestContext['setTrailers'] {
    return (trailers) => {
      this.#exchange.trailers = typeof trailers === 'function' ? trailers : () => trailers;
    };
  }

  get earlyHints(): RequestContext['earlyHints'] {
    return (headers) => {
      // As in a response: what a relayed one said about its connection is not said of this one, and HTTP/2 has no such fields.
      const fields = [...entriesOf(headers)].filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()));
      for (const [name, value] of fields) {
        const problem = fieldProblem(name, value);
        if (problem !== undefined) throw new TypeError(problem);
      }
      this.#owner.sendEarlyHints(this.#exchange, fields);
    };
  }

  get waitUntil(): RequestContext['waitUntil'] {
    return (work) =>
      this.#owner.exchangeLog.keepUntilDone(
        Promise.resolve(work).catch((error: unknown) => this.#owner.workFailed(this.#exchange, error)),
      );
  }

  get upgrade(): RequestContext['upgrade'] {
    return () => this.#owner.upgrade(this.#exchange);
  }
}
