// One stream of HTTP/2: a request for the handler, and its response.

import type http2 from 'node:http2';
import { engineResponse } from '../exchange/error-responses.ts';
import { abortExchange, Exchange, isTooSlow } from '../exchange/exchange.ts';
import type { ExchangeLog } from '../exchange/exchange-log.ts';
import { ERROR_CODES } from './frames.ts';
import { outgoingFields, writeResponse, type Http2Response } from './response-writer.ts';
import { readHttp2Head, readHttp2Trailers } from './request-head.ts';
import { REFUSALS, type Refusal } from '../semantics/refusals.ts';
import { RequestBody } from '../fetch/request-body.ts';
import { ExchangeContext, type ContextOwner } from '../exchange/request-context.ts';
import type { RequestHead } from '../semantics/request-head.ts';
import { asRequest, HttpRequest } from '../fetch/request.ts';
import { discardResponse, encodeResponse } from '../exchange/response-content.ts';
import { asError } from '../exchange/foreign-values.ts';
import { responseOf } from '../fetch/response.ts';
import { countResponse, type HttpService } from '../exchange/service.ts';

// Less is taken by most clients at once.
const LARGE_BYTES = 65_536;

/** How many fields the client has sent in the next section of a stream, where that is known. */
type SentCount = () => number | undefined;

/** Takes the request on `stream` to the handler and its response back. Undefined for a request that is malformed. */
export function serveStream(
  stream: http2.ServerHttp2Stream,
  rawHeaders: readonly string[],
  sentCount: SentCount,
  service: HttpService,
  exchangeLog: ExchangeLog,
): Http2Exchange | undefined {
  const fields = { rawHeaders, sentCount: sentCount(), isComplete: stream.endAfterHeaders };
  const head = readHttp2Head(fields, service.limits);
  if (typeof head === 'string') {
    refuse(stream, head, service, exchangeLog);
    return undefined;
  }
  const exchange = new Http2Exchange(stream, head, sentCount, service, exchangeLog);
  exchange.run();
  return exchange;
}

/**
 * Without a handler. A request that is malformed is an error of its stream (RFC 9113 §8.1.1), any other has a response.
 */
function refuse(
  stream: http2.ServerHttp2Stream,
  refusal: Refusal | 'malformed',
  service: HttpService,
  exchangeLog: ExchangeLog,
): void {
  if (refusal === 'malformed') {
    service.counts.refusals += 1;
    stream.close(ERROR_CODES.PROTOCOL_ERROR);
    return;
  }
  exchangeLog.refused(refusal, undefined);
  const { status, text } = REFUSALS[refusal];
  stream.respond({ ':status': status, 'content-type': 'text/plain;charset=UTF-8', 'content-length': text.length + 1 });
  stream.end(`${text}\n`, () => stream.close(ERROR_CODES.NO_ERROR));
}

export class Http2Exchange {
  readonly #stream: http2.ServerHttp2Stream;
  readonly #sentCount: SentCount;
  readonly #service: HttpService;
  readonly #exchangeLog: ExchangeLog;
  readonly #exchange: Exchange;
  readonly #body: RequestBody | undefined;
  #receivedBytes = 0;
  /** From when the peer's rate is measured. */
  #measuredFromMs: number;

  constructor(
    stream: http2.ServerHttp2Stream,
    head: RequestHead,
    sentCount: SentCount,
    service: HttpService,
    exchangeLog: ExchangeLog,
  ) {
    this.#stream = stream;
    this.#sentCount = sentCount;
    this.#service = service;
    this.#exchangeLog = exchangeLog;
    this.#measuredFromMs = service.clock.nowMs();
    this.#body =
      head.framing.body === 'none'
        ? undefined
        : new RequestBody({ wanted: () => this.#sendContinue(), room: () => this.#resume() });
    this.#exchange = new Exchange(head, new HttpRequest(head, exchangeLog.originOf(head), this.#body), this.#body);
  }

  run(): void {
    const { head } = this.#exchange;
    this.#exchangeLog.began(this.#exchange);
    if (this.#body !== undefined) this.#receive(this.#body);
    this.#stream.on('close', () => this.#closed());
    if (!head.isForHandler) {
      this.#respond(engineResponse(head));
      return;
    }
    // A promise for each request is little beside what a stream costs.
    const handled = async (): Promise<unknown> =>
      this.#service.handler(asRequest(this.#exchange.request), new ExchangeContext(this.#owner(), this.#exchange));
    handled()
      .then(
        (response) => this.#respond(response),
        (error: unknown) => this.#failed(error),
      )
      .catch((error: unknown) => this.#breakOff(error));
  }

  /** As of the exchange. */
  get summary(): string {
    return this.#exchange.summary;
  }

  /** Content is still coming. */
  get isReceiving(): boolean {
    return !this.#exchange.requestComplete && !this.#stream.destroyed;
  }

  /**
   * Gives up content that came too slowly over a whole interval. A peer is not slow while it is we who don't read, and
   * one look for all streams of a session is no reason to judge one by a moment.
   */
  checkBodyRate(): void {
    const nowMs = this.#service.clock.nowMs();
    if (nowMs - this.#measuredFromMs < this.#service.limits.bodyCheckMs) return;
    this.#measuredFromMs = nowMs;
    if (!isTooSlow(this.#exchange, this.#service.limits) || this.#body === undefined || this.#stream.isPaused()) return;
    this.#refuseBody(this.#body, 'body-timeout');
  }

  #receive(body: RequestBody): void {
    const { maxBodyBytes } = this.#service.limits;
    this.#stream.on('data', (chunk: Buffer) => {
      this.#exchange.bodyStarted = true;
      this.#exchange.bytesSinceCheck += chunk.length;
      this.#receivedBytes += chunk.length;
      if (this.#receivedBytes > maxBodyBytes) this.#refuseBody(body, 'body-too-large');
      else {
        body.push(chunk);
        if (body.full) this.#stream.pause();
      }
    });
    this.#stream.on('trailers', (_trailers: unknown, _flags: number, raw: readonly string[] = []) => {
      const trailers = readHttp2Trailers(raw, this.#sentCount(), this.#service.limits);
      if (typeof trailers === 'string') this.#refuseBody(body, trailers);
      else body.trailerLines = trailers.fieldLines;
    });
    this.#stream.on('end', () => {
      this.#exchange.requestComplete = true;
      body.finish();
    });
  }

  #refuseBody(body: RequestBody, refusal: Refusal): void {
    const { status, text } = REFUSALS[refusal];
    const error = new Error(text);
    body.finish(error);
    if (this.#exchange.responseState === 'awaited') this.#respond(responseOf(`${text}\n`, { status }));
    // A response that has begun depends on content that will never be complete.
    else this.#breakOff(error);
  }

  #owner(): ContextOwner {
    return {
      exchangeLog: this.#exchangeLog,
      httpVersion: '2.0',
      sendEarlyHints: (exchange, fields) => {
        if (exchange.responseState === 'awaited' && !this.#stream.destroyed)
          this.#stream.additionalHeaders({ ':status': 103, ...outgoingFields(fields) });
      },
      upgrade: () => {
        throw new TypeError('HTTP/2 has no upgrade: only a connection of HTTP/1.1 can be taken over');
      },
      workFailed: (_exchange, error) => this.#logFailure(error, 'work after a response failed'),
    };
  }

  #sendContinue(): void {
    const exchange = this.#exchange;
    if (exchange.responseState !== 'awaited' || !exchange.isToContinue || this.#stream.destroyed) return;
    exchange.continueSent = true;
    this.#stream.additionalHeaders({ ':status': 100 });
    this.#measureFromNow();
  }

  #resume(): void {
    if (!this.#stream.isPaused()) return;
    this.#stream.resume();
    this.#measureFromNow();
  }

  #measureFromNow(): void {
    this.#exchange.bytesSinceCheck = 0;
    this.#measuredFromMs = this.#service.clock.nowMs();
  }

  #respond(response: unknown): void {
    const exchange = this.#exchange;
    if (exchange.responseState !== 'awaited' || this.#stream.destroyed) {
      discardResponse(response);
      return;
    }
    const isHead = exchange.head.method === 'HEAD';
    // node:http2 adds the date.
    const encoded = encodeResponse(response, { isHead, minorVersion: 1, closes: false, dateLine: '' });
    if (!encoded.ok) {
      this.#failed(new TypeError(encoded.error));
      return;
    }
    const { parts, content, head } = encoded.value;
    exchange.responseState = 'started';
    const { status } = parts;
    const onHead = (): void => {
      exchange.status = status;
      countResponse(this.#service.counts, status);
    };
    const written: Http2Response = { status, head, content, trailers: exchange.trailers, onHead };
    // node:http2 keeps it whole until the client has taken all of it.
    if (
      parts.content === 'bytes' &&
      (typeof content === 'string' || content instanceof Uint8Array) &&
      content.length > LARGE_BYTES
    )
      this.#stream.once('close', this.#exchangeLog.connection.keep(content));
    writeResponse(this.#stream, written, (cancel) => (exchange.cancel = cancel))
      .then((contentBytes) => this.#written(contentBytes))
      .catch((error: unknown) => {
        if (!this.#stream.destroyed) this.#logFailure(error, 'a response broke off');
        this.#breakOff(error);
      });
  }

  #written(contentBytes: number): void {
    const exchange = this.#exchange;
    exchange.contentBytes = contentBytes;
    // It may have been closed meanwhile, and been counted as that.
    if (exchange.responseState !== 'started') return;
    exchange.responseState = 'complete';
    this.#exchangeLog.completed(exchange);
    // Content that no handler reads any more is not wanted (RFC 9113 §8.1).
    if (!exchange.requestComplete) this.#stream.close(ERROR_CODES.NO_ERROR);
    this.#body?.discard();
  }

  /**
   * Resets the stream in the middle of a response. Its `close` would end the content first: without a length, a client
   * would take it for complete.
   */
  #breakOff(error: unknown): void {
    this.#stream.destroy(asError(error));
  }

  #failed(error: unknown): void {
    if (this.#exchange.responseState !== 'awaited') return;
    this.#logFailure(error, 'the handler failed');
    this.#respond(responseOf('Internal Server Error\n', { status: 500 }));
  }

  #closed(): void {
    const exchange = this.#exchange;
    if (exchange.responseState === 'complete' && exchange.requestComplete) return;
    this.#exchangeLog.aborted(exchange);
    const { responseState } = exchange;
    exchange.responseState = 'detached';
    if (responseState !== 'complete') abortExchange(exchange, new Error('the stream was closed'));
    else this.#body?.finish(new Error('the stream was closed'));
  }

  #logFailure(error: unknown, message: string): void {
    const { method, target } = this.#exchange.head;
    this.#service.log.error(
      {
        err: error,
        method,
        target,
        requestId: this.#exchangeLog.requestIdOf(this.#exchange),
        connection: this.#exchangeLog.connection.id,
      },
      message,
    );
  }
}
