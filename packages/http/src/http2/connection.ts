// HTTP/2 for connections that agreed on it in their TLS handshake: node:http2 speaks the frames, over core's connection
// as a stream; requests and responses are those of HTTP/1.1, and so are the deadlines.

import type http2 from 'node:http2';
import { DEFAULT_CONNECTION_LIMITS, lateBuiltin, type CloseReason, type Connection, type Sink } from '@wellknown/core';
import { ExchangeLog } from '../exchange/exchange-log.ts';
import { serveStream, type Http2Exchange } from './exchange.ts';
import { GracefulShutdown } from './graceful-shutdown.ts';
import { FloodGuard, maxOf, type Flood } from './flood-guard.ts';
import { ERROR_CODES, goawayFrame } from './frames.ts';
import { Http2Stream } from './gated-stream.ts';
import type { HttpService } from '../exchange/service.ts';

// What browsers and nginx work with.
const MAX_CONCURRENT_STREAMS = 100;
// Frames that make no sense, or streams refused: a peer that sends more is not worth talking to.
const MAX_INVALID_FRAMES = 100;
// nghttp2's own count of resets; a higher limit of ours raises it where Node knows how.
const NGHTTP2_RESET_BURST = 1_000;

/** Loaded where there is TLS. */
const nodeHttp2 = lateBuiltin('node:http2');

/** Before the first connection that may need it. */
export const loadHttp2 = (): void => void nodeHttp2();

// Errors of nghttp2 that have a code of their own.
const CODES_OF_ERRORS: Readonly<Partial<Record<number, number>>> = {
  [-510]: ERROR_CODES.STREAM_CLOSED,
  [-522]: ERROR_CODES.FRAME_SIZE_ERROR,
  [-523]: ERROR_CODES.COMPRESSION_ERROR,
  [-524]: ERROR_CODES.FLOW_CONTROL_ERROR,
};
const errorCodeOf = (error: Error): number =>
  ('errno' in error && typeof error.errno === 'number' ? CODES_OF_ERRORS[error.errno] : undefined) ??
  ERROR_CODES.PROTOCOL_ERROR;

/** All HTTP/2 sessions of one service. */
export class Http2Connections {
  readonly #service: HttpService;
  readonly #server: http2.Http2Server;
  readonly #connections = new WeakMap<http2.Http2Session, Http2Connection>();
  /** Takes the session of the connection that is being handed over. */
  #opened: ((session: http2.ServerHttp2Session) => void) | undefined;

  constructor(service: HttpService) {
    this.#service = service;
    const { maxHeadBytes, maxFields, maxResets, floodIntervalMs } = service.limits;
    // Of Node 24; others do not look at it.
    const resetLimits =
      maxResets > NGHTTP2_RESET_BURST
        ? { streamResetBurst: maxResets, streamResetRate: Math.ceil((maxResets * 1000) / floodIntervalMs) }
        : {};
    this.#server = nodeHttp2().createServer({
      maxHeaderListPairs: maxFields,
      maxSessionInvalidFrames: MAX_INVALID_FRAMES,
      maxSessionRejectedStreams: MAX_INVALID_FRAMES,
      ...resetLimits,
      settings: {
        maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
        maxHeaderListSize: maxHeadBytes,
        enableConnectProtocol: false,
      },
    });
    this.#server.on('session', (session: http2.ServerHttp2Session) => {
      // A peer that breaks the protocol has had its GOAWAY.
      session.on('error', (error: unknown) => service.log.debug({ err: error }, 'an HTTP/2 session broke'));
      this.#opened?.(session);
    });
    this.#server.on('sessionError', () => undefined);
    const onStream = (
      stream: http2.ServerHttp2Stream,
      _headers: http2.IncomingHttpHeaders,
      _flags: number,
      rawHeaders: readonly string[] = [],
    ): void => {
      // A stream that ended in the chunk that opened it has no session any more and asks nothing; its error still needs
      // a listener.
      stream.on('error', () => undefined);
      if (stream.session !== undefined) this.#connections.get(stream.session)?.take(stream, rawHeaders);
    };
    this.#server.on('stream', onStream);
  }

  /** The sink for one connection. */
  open(connection: Connection): Sink {
    const stream = new Http2Stream(connection, () => sink.gaveUp());
    const sink: Http2Connection = new Http2Connection(connection, stream, this.#service);
    // 'session' is emitted before the call returns.
    this.#opened = (session) => {
      sink.began(session);
      this.#connections.set(session, sink);
    };
    this.#server.emit('connection', stream);
    this.#opened = undefined;
    return sink;
  }
}

class Http2Connection implements Sink {
  readonly #connection: Connection;
  readonly #stream: Http2Stream;
  readonly #sink: Sink;
  readonly #service: HttpService;
  readonly #exchangeLog: ExchangeLog;
  readonly #floodGuard: FloodGuard;
  /** Undefined for a request that was refused without a handler. */
  readonly #open = new Map<http2.ServerHttp2Stream, Http2Exchange | undefined>();
  /** Those whose content is still coming. */
  readonly #receiving = new Set<Http2Exchange>();
  #session: http2.ServerHttp2Session | undefined;
  #shutdown: GracefulShutdown | undefined;
  #lastStreamId = 0;
  /** At the last look at the rates: the content that had been sent, and whether more waited for the peer. */
  #contentBytes = 0;
  #wasBlocked = false;

  constructor(connection: Connection, stream: Http2Stream, service: HttpService) {
    this.#connection = connection;
    this.#stream = stream;
    this.#sink = stream.sink;
    this.#service = service;
    this.#exchangeLog = new ExchangeLog(connection, service);
    this.#floodGuard = new FloodGuard(service.limits);
    connection.setDeadline(service.limits.headTimeoutMs);
  }

  began(session: http2.ServerHttp2Session): void {
    this.#session = session;
    // What is fatal to nghttp2, such as one stream more than are allowed, Node ends without a word to the peer: it calls
    // this with the error and drops what nghttp2 had to say (RFC 9113 §5.4.1).
    const destroy = session.destroy.bind(session);
    session.destroy = (error, code) => {
      if (error instanceof Error && !this.#stream.saidError) this.#endWith(errorCodeOf(error));
      destroy(error, code);
    };
  }

  /**
   * The peer has been told of an error for which the connection has to end (RFC 9113 §5.4.1): what is open ends with
   * it.
   */
  gaveUp(): void {
    this.#session?.destroy();
  }

  take(stream: http2.ServerHttp2Stream, rawHeaders: readonly string[]): void {
    this.#lastStreamId = stream.id ?? this.#lastStreamId;
    const sentCount = (): number | undefined =>
      stream.id === undefined ? undefined : this.#floodGuard.fields.take(stream.id);
    this.#open.set(stream, undefined);
    const exchange = serveStream(stream, rawHeaders, sentCount, this.#service, this.#exchangeLog);
    this.#open.set(stream, exchange);
    if (exchange?.isReceiving === true) this.#receiving.add(exchange);
    if (this.#open.size === 1 && this.#shutdown === undefined)
      this.#connection.setDeadline(this.#service.limits.bodyCheckMs);
    stream.once('close', () => {
      this.#open.delete(stream);
      if (exchange !== undefined) this.#receiving.delete(exchange);
      if (this.#open.size === 0 && this.#shutdown === undefined)
        this.#connection.setDeadline(this.#service.limits.keepAliveTimeoutMs);
    });
  }

  data(chunk: Uint8Array): void {
    const flood = this.#floodGuard.push(chunk, this.#service.clock.nowMs(), this.#stream.causedResets);
    if (flood === undefined) this.#sink.data(chunk);
    else this.#endFlood(flood);
  }

  ended(): void {
    this.#sink.ended?.();
  }

  drained(): void {
    this.#sink.drained?.();
  }

  closed(reason: CloseReason, error: Error | undefined): void {
    this.#sink.closed?.(reason, error);
  }

  /** What is on its way is answered, then no more is taken and open streams are finished. */
  drain(): void {
    if (this.#session === undefined || this.#shutdown !== undefined) return;
    this.#shutdown = new GracefulShutdown(this.#session, this.#stream, this.#connection);
    this.#shutdown.begin();
  }

  doing(): string | undefined {
    const [first, ...others] = [...this.#open.values()].flatMap((exchange) => exchange?.summary ?? []);
    if (first === undefined || others.length === 0) return first;
    return `${first} and ${others.length} more`;
  }

  deadline(): void {
    if (this.#shutdown !== undefined) this.#shutdown.deadline();
    else if (this.#open.size > 0) this.#checkRates();
    // GOAWAY; nothing is open.
    else if (this.#session === undefined) this.#connection.end(undefined, 'latin1', 'idle-timeout');
    else this.#session.close();
  }

  /**
   * Writes the GOAWAY itself: what a session writes while it is destroyed is too late for a connection that has ended.
   */
  #endFlood(flood: Flood): void {
    const { limits, log } = this.#service;
    log.warn(
      {
        connection: this.#connection.id,
        remote: this.#connection.remote,
        flood,
        max: maxOf(flood, limits),
        intervalMs: limits.floodIntervalMs,
      },
      'an HTTP/2 session was ended: a flood',
    );
    this.#endWith(ERROR_CODES.ENHANCE_YOUR_CALM);
    this.#session?.destroy();
  }

  #endWith(errorCode: number): void {
    this.#connection.end(goawayFrame(this.#lastStreamId, errorCode), 'latin1', 'protocol-error');
  }

  #checkRates(): void {
    const { bodyCheckMs } = this.#service.limits;
    for (const exchange of this.#receiving) {
      if (!exchange.isReceiving) this.#receiving.delete(exchange);
      else exchange.checkBodyRate();
    }
    // A peer whose windows stay shut looks to core like one that has been sent everything. Only content counts, or one
    // that sends PING would look busy by the answers.
    const { contentBytes } = this.#stream;
    const isBlocked = [...this.#open.keys()].some(({ writableLength }) => writableLength > 0);
    const isTooSlow =
      (contentBytes - this.#contentBytes) * 1000 < DEFAULT_CONNECTION_LIMITS.minWriteBytesPerSecond * bodyCheckMs;
    if (isBlocked && this.#wasBlocked && isTooSlow) {
      this.#connection.destroy('write-rate');
      return;
    }
    this.#wasBlocked = isBlocked;
    this.#contentBytes = contentBytes;
    this.#connection.setDeadline(bodyCheckMs);
  }
}
