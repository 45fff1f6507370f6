// A connection that a handler has taken over, as the stream and the request that libraries for node:http expect.

import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { CloseReason, Connection, Sink } from '@wellknown/core';
import { readFields } from './fields.ts';
import type { RequestHead } from './request-head.ts';
import { HttpResponse } from './response.ts';

/** What `context.upgrade()` gives. */
export interface Takeover {
  /** The bytes of the connection from the end of the request on, both ways. Whoever has it closes it. */
  readonly stream: Duplex;
  /** The request in the shape of node:http, for libraries that answer the upgrade by themselves. */
  readonly incoming: IncomingMessage;
  /** For the handler to return. It is not sent. */
  readonly response: Response;
}

/** Replaces the connection's sink. `head` are bytes that came after the request. */
export function takeOver(connection: Connection, request: RequestHead, head: Uint8Array): Takeover {
  const stream = new ConnectionStream(connection);
  // The connection's own idle limit goes on; deadlines were for requests.
  connection.setDeadline(0);
  connection.attach(stream.sink);
  if (head.length > 0) stream.sink.data(head);
  connection.resume();
  const placeholder: unknown = new HttpResponse(null);
  return { stream, incoming: incomingOf(request, stream), response: placeholder as Response };
}

/** Back-pressure both ways: a stream that is not read pauses the connection, and writes wait until there is room. */
class ConnectionStream extends Duplex {
  readonly #connection: Connection;
  #paused = false;
  #written: (() => void) | undefined;
  readonly sink: Sink;

  constructor(connection: Connection) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    this.sink = {
      data: (chunk) => {
        // The buffer is only lent, and a reader may keep what it reads.
        if (this.push(Buffer.from(chunk)) || this.#paused) return;
        this.#paused = true;
        connection.pause();
      },
      ended: () => void this.push(null),
      drained: () => this.#continue(),
      drain: () => this.emit('drain-server'),
      closed: (reason, error) => this.#closed(reason, error),
    };
  }

  /** Sockets have these; there is nothing left to set. */
  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  override _read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#connection.send(chunk)) done();
    else this.#written = done;
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: () => void): void {
    this.#connection.cork();
    let hasRoom = true;
    for (const { chunk } of chunks) hasRoom = this.#connection.send(chunk);
    this.#connection.uncork();
    if (hasRoom) done();
    else this.#written = done;
  }

  override _final(done: () => void): void {
    this.#connection.shutdown('write');
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Both directions over is an end like any other; anything else is cut off.
    if (this.writableFinished) this.#connection.end();
    else this.#connection.destroy('aborted', error ?? undefined);
    this.#continue();
    done(error);
  }

  #continue(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  #closed(_reason: CloseReason, error: Error | undefined): void {
    this.#continue();
    if (!this.readableEnded) this.push(null);
    this.destroy(error);
  }
}

function incomingOf(request: RequestHead, stream: Duplex): IncomingMessage {
  // The class asks for a socket and uses only what every stream has.
  const socket: unknown = stream;
  const incoming = new IncomingMessage(socket as Socket);
  incoming.method = request.method;
  incoming.url = request.target;
  incoming.httpVersion = '1.1';
  incoming.httpVersionMajor = 1;
  incoming.httpVersionMinor = 1;
  incoming.complete = true;
  for (const [name, value] of readFields(request.fieldLines)) {
    incoming.rawHeaders.push(name, value);
    const before = incoming.headers[name];
    incoming.headers[name] = typeof before === 'string' ? `${before}, ${value}` : value;
  }
  return incoming;
}
