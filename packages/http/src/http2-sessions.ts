// HTTP/2 for connections that agreed on it in their TLS handshake: node:http2 speaks the frames, over core's connection as a
// stream; requests and answers are those of HTTP/1.1.

import http2 from 'node:http2';
import type { Connection, Sink } from '@wellknown/core';
import { ConnectionStream } from './connection-stream.ts';
import { ExchangeRecords } from './exchange-records.ts';
import { serveStream } from './http2-exchange.ts';
import type { HttpService } from './service.ts';

// What browsers and nginx work with.
const MAX_CONCURRENT_STREAMS = 100;
// Frames that make no sense, or resets: a peer that sends more is not worth talking to.
const MAX_INVALID_FRAMES = 100;

/** All HTTP/2 sessions of one service. */
export class Http2Sessions {
  readonly #service: HttpService;
  readonly #server: http2.Http2Server;
  readonly #records = new WeakMap<http2.Http2Session, ExchangeRecords>();
  /** Takes the session of the connection that is being handed over. */
  #opened: ((session: http2.ServerHttp2Session) => void) | undefined;

  constructor(service: HttpService) {
    this.#service = service;
    const { maxHeadBytes, maxFields } = service.limits;
    this.#server = http2.createServer({
      maxHeaderListPairs: maxFields,
      maxSessionInvalidFrames: MAX_INVALID_FRAMES,
      maxSessionRejectedStreams: MAX_INVALID_FRAMES,
      settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS, maxHeaderListSize: maxHeadBytes, enableConnectProtocol: false },
    });
    this.#server.on('session', (session: http2.ServerHttp2Session) => {
      // A peer that breaks the protocol has had its GOAWAY.
      session.on('error', (error: unknown) => service.log.debug({ err: error }, 'an HTTP/2 session broke'));
      this.#opened?.(session);
    });
    this.#server.on('sessionError', () => undefined);
    const onStream = (stream: http2.ServerHttp2Stream, _headers: http2.IncomingHttpHeaders, _flags: number, rawHeaders: readonly string[] = []): void => {
      const records = stream.session === undefined ? undefined : this.#records.get(stream.session);
      if (records === undefined) stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
      else serveStream(stream, rawHeaders, service, records);
    };
    this.#server.on('stream', onStream);
  }

  /** The sink for one connection. */
  open(connection: Connection): Sink {
    const stream = new ConnectionStream(connection);
    let opened: http2.ServerHttp2Session | undefined;
    // 'session' is emitted before the call returns.
    this.#opened = (session) => {
      opened = session;
      this.#records.set(session, new ExchangeRecords(connection, this.#service));
    };
    this.#server.emit('connection', stream);
    this.#opened = undefined;
    return {
      data: (chunk) => stream.sink.data(chunk),
      ended: () => stream.sink.ended?.(),
      drained: () => stream.sink.drained?.(),
      // GOAWAY; streams that are open are finished.
      drain: () => opened?.close(),
      closed: (reason, error) => stream.sink.closed?.(reason, error),
    };
  }
}
