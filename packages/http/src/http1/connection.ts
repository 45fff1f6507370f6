// One HTTP connection: the sink between core's connection and the handler.
//
// Bytes are parsed as long as there is nothing to wait for; responses that are ready at once gather in the write buffer
// and leave in one write when the chunk is used up. While a response is awaited, or the peer does not take what was
// sent, what comes waits (incoming.ts): requests are answered one by one and in order (RFC 9112 §9.3.2).

import type { CloseReason, Connection, Sink } from '@wellknown/core';
import { ResponseWriter } from './response-writer.ts';
import { engineResponse, refusalText } from '../exchange/error-responses.ts';
import { ExchangeLog } from '../exchange/exchange-log.ts';
import { abortExchange, Exchange } from '../exchange/exchange.ts';
import { EMPTY, Incoming } from './incoming.ts';
import { sendContinue, sendEarlyHints } from './interim-responses.ts';
import { WriteBuffer } from './write-buffer.ts';
import { PhaseDeadline } from '../exchange/phase-deadline.ts';
import { REFUSALS, type Refusal } from '../semantics/refusals.ts';
import { RequestBody } from '../fetch/request-body.ts';
import { ExchangeContext } from '../exchange/request-context.ts';
import type { RequestHead } from '../semantics/request-head.ts';
import { RequestParser } from './request-parser.ts';
import { HttpRequest } from '../fetch/request.ts';
import type { HttpService } from '../exchange/service.ts';
import { upgradeConnection } from './upgrade.ts';
import type { UpgradedConnection } from '../handler.ts';

export class HttpConnection implements Sink {
  readonly connection: Connection;
  readonly httpVersion = '1.1';
  readonly #service: HttpService;
  readonly #parser: RequestParser;
  readonly #writeBuffer: WriteBuffer;
  readonly #writer: ResponseWriter;
  readonly exchangeLog: ExchangeLog;
  readonly #deadline: PhaseDeadline;
  readonly #incoming: Incoming;
  /** The request that is being answered, or whose content is still coming. */
  exchange: Exchange | undefined = undefined;
  /** The chunk that is being parsed; undefined between chunks. */
  #chunk: Buffer | undefined;
  /** The server drains: no request after the one at hand is answered. */
  closesNext = false;
  #peerEnded = false;

  constructor(connection: Connection, service: HttpService) {
    this.connection = connection;
    this.#service = service;
    this.#parser = new RequestParser(service.limits);
    this.#writeBuffer = new WriteBuffer(connection, service);
    this.#writer = new ResponseWriter(connection, service, this.#writeBuffer, this);
    this.exchangeLog = new ExchangeLog(connection, service);
    this.#deadline = new PhaseDeadline(connection, service.limits);
    this.#incoming = new Incoming(connection, service, this.#deadline);
  }

  // Bytes from the peer -----------------------------------------------------------------------------------------------

  data(chunk: Uint8Array): void {
    if (this.#deadline.isClosing) return;
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#chunk !== undefined || this.#incoming.backlog.length > 0 || this.#mustWait())
      this.#incoming.keep(bytes, this.exchange);
    else this.#parse(bytes);
  }

  ended(): void {
    this.#peerEnded = true;
    const isAwaited = this.exchange !== undefined && this.exchange.responseState !== 'complete';
    if (isAwaited && this.#service.halfClose === 'abort') this.connection.destroy('aborted');
    else this.#endWithPeer();
  }

  /**
   * True where the peer has ended its side and there is nothing to go on with. What waits in the backlog came before the
   * end: it may be the rest of a request.
   */
  #endWithPeer(): boolean {
    const { exchange } = this;
    if (!this.#peerEnded || this.#incoming.backlog.length > 0 || exchange?.requestComplete === true) return false;
    if (exchange === undefined) this.#end('finished');
    // A request that was cut off must not be taken for a complete one (RFC 9112 §8).
    else this.#giveUp(exchange, new Error('the peer ended inside the content of its request'), 'finished');
    return true;
  }

  drained(): void {
    this.#writeBuffer.drained();
    this.#continue();
  }

  closed(reason: CloseReason, error: Error | undefined): void {
    this.#deadline.close();
    const { exchange } = this;
    this.exchange = undefined;
    this.#writeBuffer.close();
    if (exchange !== undefined) this.exchangeLog.aborted(exchange);
    if (exchange !== undefined) abortExchange(exchange, error ?? new Error(`the connection closed: ${reason}`));
  }

  drain(): void {
    this.closesNext = true;
    if (this.exchange !== undefined || this.#parser.headStarted || this.#incoming.backlog.length > 0) return;
    // A request may be on its way: it shall be answered, and the response says that it was the last.
    this.#deadline.forLastRequest();
  }

  doing(): string | undefined {
    return this.exchange?.summary;
  }

  deadline(): void {
    const { exchange } = this;
    if (this.#deadline.isForBody && exchange !== undefined) {
      if (this.#incoming.checkRate(exchange)) this.#refuse('body-timeout', 'protocol-timeout');
    } else if (this.#parser.headStarted) this.#refuse('head-timeout', 'protocol-timeout');
    else this.#end(this.closesNext ? 'finished' : 'idle-timeout');
  }

  #mustWait(): boolean {
    return this.#writeBuffer.blocked || (this.exchange?.requestComplete ?? false);
  }

  /** Goes on after something that was waited for has happened. */
  #continue(): void {
    if (this.#chunk !== undefined || this.#deadline.isClosing) return;
    if (this.#incoming.backlog.length > 0 && !this.#mustWait()) {
      this.#parse(this.#incoming.take());
    } else this.#settle();
  }

  #parse(bytes: Buffer): void {
    const parser = this.#parser;
    const end = bytes.length;
    this.#chunk = bytes;
    this.#writer.newTurn();
    let at = 0;
    let outcome = 'more';
    while (at < end || outcome === 'data') {
      if (this.#deadline.isClosing) break;
      if (this.#mustWait()) {
        if (at < end) this.#incoming.keep(bytes.subarray(at), this.exchange);
        break;
      }
      outcome = parser.read(bytes, at, end);
      at = parser.position;
      if (outcome === 'head') {
        if (parser.head !== undefined) this.#begin(parser.head, bytes);
        // The content may have been taken along.
        at = parser.position;
      } else if (outcome === 'data') this.#takeContent(bytes.subarray(parser.dataStart, parser.dataEnd));
      else if (outcome === 'end') this.#endContent(parser.trailerLines);
      else if (outcome === 'refused') this.#refuse(parser.refusal);
    }
    this.#chunk = undefined;
    this.#settle();
  }

  /** After parsing, or after a response: sends the batch, sets the deadline for what comes next, ends what is over. */
  #settle(): void {
    // Of pipelined requests, the next may be answered before anything else happens: what is ready leaves together.
    if (this.exchange?.responseState === 'awaited') this.#writeBuffer.flushSoon();
    else this.#writeBuffer.flush();
    const deadline = this.#deadline;
    if (deadline.isClosing) return;
    if (this.#endWithPeer()) return;
    const { exchange } = this;
    if (exchange === undefined) {
      if (this.#parser.headStarted) deadline.forHead();
      else if (!deadline.isBeforeFirstHead && this.#incoming.backlog.length === 0) {
        // The drain began after the last response had promised to stay: the next request may be under way.
        if (this.closesNext) deadline.forLastRequest();
        else deadline.forNextRequest();
      }
    } else if (exchange.requestComplete) deadline.forAnswer();
    else deadline.forBody();
    this.#incoming.update(exchange);
  }

  // Requests ----------------------------------------------------------------------------------------------------------

  #begin(head: RequestHead, bytes: Buffer): void {
    this.#deadline.headCame();
    if (head.needsTls && !this.exchangeLog.isSecure(head)) {
      this.#refuse('scheme-insecure');
      return;
    }
    const body =
      head.framing.body === 'none'
        ? undefined
        : new RequestBody({ wanted: () => this.#sendContinue(), room: () => this.#continue() });
    const exchange = new Exchange(head, new HttpRequest(head, this.exchangeLog.originOf(head), body), body);
    this.exchange = exchange;
    if (body !== undefined && this.#parser.takeWholeContent(bytes.length)) {
      exchange.bodyStarted = true;
      exchange.requestComplete = true;
      body.offer(bytes.subarray(this.#parser.dataStart, this.#parser.dataEnd));
    }
    this.exchangeLog.began(exchange);
    if (head.isForHandler) this.#writer.callHandler(exchange, new ExchangeContext(this, exchange));
    else this.#writer.respond(exchange, engineResponse(head));
    body?.copyOffered();
  }

  #sendContinue(): void {
    if (this.exchange !== undefined && sendContinue(this.exchange, this.#writeBuffer))
      this.#incoming.measureFromNow(this.exchange);
  }

  #takeContent(bytes: Buffer): void {
    const { exchange } = this;
    if (exchange !== undefined && exchange.takeContent(bytes) > this.#service.limits.maxDiscardedBodyBytes)
      this.#end('finished');
  }

  #endContent(trailerLines: string): void {
    const { exchange } = this;
    exchange?.endContent(trailerLines);
    if (exchange?.responseState === 'complete') this.exchange = undefined;
  }

  // What responses and contexts ask -----------------------------------------------------------------------------------

  /** The last byte of a response is in the write buffer. */
  completed(exchange: Exchange): void {
    exchange.responseState = 'complete';
    this.exchangeLog.completed(exchange);
    if (exchange.closes) {
      this.exchange = undefined;
      // First: what makes room would have the next request parsed (RFC 9112 §9.6).
      this.#end('finished');
      exchange.body?.discard();
      return;
    }
    if (exchange.requestComplete) this.exchange = undefined;
    exchange.body?.discard();
    if (this.#chunk === undefined) this.#continue();
  }

  sendEarlyHints(exchange: Exchange, fields: readonly (readonly [name: string, value: string])[]): void {
    if (exchange === this.exchange) sendEarlyHints(exchange, fields, this.#writeBuffer);
  }

  workFailed(exchange: Exchange, error: unknown): void {
    this.#writer.logFailure(exchange, error, 'work after a response failed');
  }

  upgrade(exchange: Exchange): UpgradedConnection {
    if (exchange !== this.exchange || !exchange.mayBeTakenOver)
      throw new TypeError(
        'only a complete request that asks for an upgrade, and is not answered yet, can be taken over',
      );
    const rest = this.#chunk?.subarray(this.#parser.position) ?? EMPTY;
    const head = Buffer.concat([rest, this.#incoming.take()]);
    exchange.responseState = 'detached';
    this.exchange = undefined;
    this.#writeBuffer.flush();
    this.#deadline.close();
    this.exchangeLog.upgraded(exchange);
    return upgradeConnection(this.connection, exchange.head, head, `upgraded by ${exchange.summary}`, (error) =>
      this.#writer.logFailure(exchange, error, 'the handler of an upgraded connection failed'),
    );
  }

  // Ends --------------------------------------------------------------------------------------------------------------

  /** Answers by itself and closes: nothing that follows on this connection can be trusted. */
  #refuse(refusal: Refusal, reason: CloseReason = 'protocol-error'): void {
    const { exchange } = this;
    this.#service.log.debug({ refusal, connection: this.connection.id }, REFUSALS[refusal].text);
    const error = new Error(REFUSALS[refusal].text);
    // A response is under way, or was complete before the rest of its request went wrong.
    if (exchange !== undefined && exchange.responseState !== 'awaited') {
      this.#giveUp(exchange, error, reason);
      return;
    }
    this.exchange = undefined;
    this.exchangeLog.refused(refusal, exchange);
    const isHead = exchange === undefined ? this.#parser.isHead : exchange.head.method === 'HEAD';
    this.#writeBuffer.add(refusalText(refusal, this.#service.dateLine, isHead));
    this.#end(reason);
    if (exchange !== undefined) abortExchange(exchange, error);
  }

  /** The request will never be complete. A response that has been started is not completed either. */
  #giveUp(exchange: Exchange, error: Error, reason: CloseReason): void {
    this.exchange = undefined;
    if (exchange.responseState !== 'complete') this.exchangeLog.aborted(exchange);
    if (exchange.responseState === 'started') this.connection.destroy(reason, error);
    else this.#end(reason);
    abortExchange(exchange, error);
  }

  /** Sends what is buffered and closes lingeringly, so that it arrives. */
  #end(reason: CloseReason): void {
    this.#deadline.close();
    this.#incoming.take();
    this.connection.end(this.#writeBuffer.close(), 'latin1', reason);
  }
}
