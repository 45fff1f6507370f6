// The responses of one connection: turns what a handler returned into bytes in the write buffer, whole or streamed,
// once for each exchange and never for one that is over.

import { ok, type Connection, type Result } from '@wellknown/core';
import { latin1Text, writeBody, type BodyEnd, type BodyEvents, type StreamedBody } from './body-writer.ts';
import { asError } from '../exchange/foreign-values.ts';
import { encodeTrailers, type ExchangeFacts } from '../exchange/response-head.ts';
import { mustCloseAfter, type Exchange } from '../exchange/exchange.ts';
import type { WriteBuffer } from './write-buffer.ts';
import type { RequestContext } from '../handler.ts';
import { asRequest } from '../fetch/request.ts';
import { discardContent, discardResponse, encodeResponse, isThenable } from '../exchange/response-content.ts';
import { unwrapped } from '../exchange/srvx-response.ts';
import { headFor } from '../exchange/response-head-cache.ts';
import { FieldSet } from '../fetch/field-set.ts';
import { bytesOf, headersOf, isHttpResponse, responseOf, writtenOf } from '../fetch/response.ts';
import { countResponse, type HttpService } from '../exchange/service.ts';

/** The connection, as its responses see it. */
export interface ResponseWriterOwner {
  readonly exchange: Exchange | undefined;
  /** No request after this one is answered. */
  readonly closesNext: boolean;
  /** The last byte of a response is in the write buffer. */
  completed(exchange: Exchange): void;
}

export class ResponseWriter {
  readonly #connection: Connection;
  readonly #service: HttpService;
  readonly #writeBuffer: WriteBuffer;
  readonly #owner: ResponseWriterOwner;
  #dateLine = '';

  constructor(connection: Connection, service: HttpService, writeBuffer: WriteBuffer, owner: ResponseWriterOwner) {
    this.#connection = connection;
    this.#service = service;
    this.#writeBuffer = writeBuffer;
    this.#owner = owner;
  }

  /** Before responses are given: one look at the clock for a batch of them is enough. */
  newTurn(): void {
    this.#dateLine = this.#service.dateLine;
  }

  callHandler(exchange: Exchange, context: RequestContext): void {
    let result: unknown;
    try {
      result = this.#service.handler(asRequest(exchange.request), context);
      // Most responses are ready, and asking them for `then` would walk their prototypes.
      if (!isHttpResponse(result) && isThenable(result)) {
        result.then(
          (response) => this.#later(() => this.respond(exchange, response)),
          (error: unknown) => this.#later(() => this.fail(exchange, error)),
        );
        return;
      }
    } catch (error) {
      this.fail(exchange, error);
      return;
    }
    this.respond(exchange, result);
  }

  /** After a promise, where nobody else would take what is thrown: no fault may cost more than its own connection. */
  #later(task: () => void): void {
    try {
      this.newTurn();
      task();
    } catch (error) {
      this.#connection.destroy('handler-failed', asError(error));
    }
  }

  /** Takes what a handler gave as its plan. */
  respond(exchange: Exchange, given: unknown): void {
    if (exchange !== this.#owner.exchange || exchange.responseState !== 'awaited') {
      discardResponse(given);
      return;
    }
    let response: unknown;
    let status = 0;
    try {
      response = unwrapped(given);
      if (isHttpResponse(response)) status = response.status;
    } catch (error) {
      this.fail(exchange, error);
      return;
    }
    const closes = this.#owner.closesNext || mustCloseAfter(exchange, this.#service.limits);
    const { head } = exchange;
    if (isHttpResponse(response) && !closes && head.minorVersion === 1 && head.method !== 'HEAD') {
      const text = writtenOf(response, this.#dateLine, headFor);
      if (text !== undefined) {
        this.#begin(exchange, false);
        this.#headLeaves(exchange, status);
        if (exchange.startedMs >= 0) exchange.contentBytes = text.length - text.indexOf('\r\n\r\n') - 4;
        this.#writeBuffer.add(text);
        this.#owner.completed(exchange);
        return;
      }
      const bytes = bytesOf(response);
      const fields = headersOf(response);
      const bytesHead =
        bytes === undefined || !(fields instanceof FieldSet)
          ? undefined
          : headFor(status, fields, bytes.byteLength, this.#dateLine);
      if (bytes !== undefined && bytesHead !== undefined) {
        this.#begin(exchange, false);
        this.#headLeaves(exchange, status);
        exchange.contentBytes = bytes.byteLength;
        this.#writeBuffer.addBytes(bytesHead, bytes);
        this.#owner.completed(exchange);
        return;
      }
    }
    this.#respondInParts(exchange, response, closes);
  }

  /** Answers 500 for a handler that threw; what it threw goes to the log and nowhere else. */
  fail(exchange: Exchange, error: unknown): void {
    if (exchange.responseState === 'detached') {
      // The connection is the handler's, which will not close it any more.
      this.logFailure(exchange, error, 'the handler of an upgraded connection failed');
      this.#connection.destroy('handler-failed');
      return;
    }
    if (exchange !== this.#owner.exchange || exchange.responseState !== 'awaited') return;
    this.logFailure(exchange, error, 'the handler failed');
    this.respond(exchange, responseOf('Internal Server Error\n', { status: 500 }));
  }

  logFailure(exchange: Exchange, error: unknown, message: string): void {
    const { method, target } = exchange.head;
    exchange.requestId ??= this.#service.newRequestId();
    this.#service.log.error(
      { err: error, method, target, requestId: exchange.requestId, connection: this.#connection.id },
      message,
    );
  }

  #begin(exchange: Exchange, closes: boolean): void {
    exchange.responseState = 'started';
    exchange.closes = closes;
  }

  #headLeaves(exchange: Exchange, status: number): void {
    exchange.status = status;
    countResponse(this.#service.counts, status);
  }

  #respondInParts(exchange: Exchange, response: unknown, closes: boolean): void {
    const { method, minorVersion } = exchange.head;
    const plan = planResponse(response, {
      isHead: method === 'HEAD',
      minorVersion,
      closes,
      dateLine: this.#dateLine,
    });
    if (!plan.ok) {
      this.fail(exchange, new TypeError(plan.error));
      return;
    }
    this.#begin(exchange, plan.value.closes);
    if (plan.value.kind === 'whole') {
      this.#headLeaves(exchange, plan.value.status);
      exchange.contentBytes = plan.value.contentBytes;
      this.#writeBuffer.add(plan.value.text);
      this.#owner.completed(exchange);
    } else this.#streamBody(exchange, plan.value);
  }

  #streamBody(exchange: Exchange, plan: Extract<ResponsePlan, { kind: 'streamed' }>): void {
    // A streamed body is sent directly, so what was answered before has to be on its way.
    this.#writeBuffer.flush();
    const { trailers } = exchange;
    const source = trailers === undefined ? undefined : (): string => encodeTrailers(trailers());
    const events: BodyEvents = {
      onCancel: (cancel) => (exchange.cancel = cancel),
      onHead: () => this.#headLeaves(exchange, plan.status),
      trailers: source,
    };
    writeBody(this.#writeBuffer, plan, events).then(
      (end) => this.#later(() => this.#bodyEnded(exchange, end)),
      // What a source of the handler's throws at its close.
      (error: unknown) =>
        this.#later(() => this.#bodyEnded(exchange, { at: 'broken', error: asError(error), contentBytes: 0 })),
    );
  }

  #bodyEnded(exchange: Exchange, end: BodyEnd): void {
    exchange.contentBytes = end.contentBytes;
    if (exchange !== this.#owner.exchange) return;
    if (end.at === 'complete') {
      this.#owner.completed(exchange);
      return;
    }
    if (end.at === 'failed') {
      exchange.responseState = 'awaited';
      this.fail(exchange, end.error);
      return;
    }
    if (end.at === 'broken') this.logFailure(exchange, end.error, 'a response broke off');
    this.#writeBuffer.flush();
    // The head is out, so the only correct end is one that no client takes for complete (RFC 9112 §8). What failed is
    // in the log, with its request; given the error, core would write it again.
    this.#connection.destroy('handler-failed');
  }
}

type ResponsePlan =
  /** Head and content together, as latin1 text of the same octets. */
  | {
      readonly kind: 'whole';
      readonly text: string;
      readonly contentBytes: number;
      readonly status: number;
      readonly closes: boolean;
    }
  | ({ readonly kind: 'streamed'; readonly status: number; readonly closes: boolean } & StreamedBody);

// Content up to this size is joined with its head; above, copying costs more than another buffer.
const MAX_JOINED_BYTES = 16_384;

/** The plan, or a sentence for the log about why this response can't be sent. Takes the response's content. */
function planResponse(response: unknown, facts: ExchangeFacts): Result<ResponsePlan, string> {
  const encoded = encodeResponse(response, facts);
  if (!encoded.ok) return encoded;
  const { parts, content, head } = encoded.value;
  const { status } = parts;
  const { text, transfer, closes, byteLength } = head;
  if (transfer === 'none') {
    discardContent(content);
    return ok({ kind: 'whole', text, contentBytes: 0, status, closes });
  }
  const contentBytes = parts.byteLength;
  if (parts.content === 'bytes' && contentBytes <= MAX_JOINED_BYTES) {
    if (typeof content === 'string')
      return ok({ kind: 'whole', text: text + octetText(content, contentBytes), contentBytes, status, closes });
    if (content instanceof Uint8Array)
      return ok({ kind: 'whole', text: text + latin1Text(content), contentBytes, status, closes });
  }
  return ok({ kind: 'streamed', head: text, content, transfer, byteLength, status, closes });
}

/** ASCII text is its own UTF-8; other text becomes one character for each octet. */
const octetText = (text: string, byteLength: number): string =>
  text.length === byteLength ? text : Buffer.from(text).toString('latin1');
