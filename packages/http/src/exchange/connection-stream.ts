// A connection of core as a Node stream, for libraries that want one.

import { Duplex, type DuplexOptions } from 'node:stream';
import type { CloseReason, Connection, Sink } from '@wellknown/core';

// What one write to a connection should hold: a few large ones cost less than many small ones.
export const MAX_UNSENT_BYTES = 1_048_576;

/** Back-pressure both ways: a stream that is not read pauses the connection, and writes wait until there is room. */
export class ConnectionStream extends Duplex {
  readonly #connection: Connection;
  #paused = false;
  #written: (() => void) | undefined;
  readonly sink: Sink;

  constructor(connection: Connection, options: DuplexOptions = {}) {
    super({ ...options, allowHalfOpen: true });
    this.#connection = connection;
    this.sink = {
      data: (chunk) => this.#take(chunk),
      ended: () => void this.push(null),
      drained: () => this.#continue(),
      closed: (reason, error) => this.#closed(reason, error),
    };
  }

  /**
   * Takes over a connection that may have been paused. `head` are bytes that came before. From here on only the stream
   * pauses the connection and resumes it.
   */
  begin(head: Uint8Array): void {
    if (head.length > 0) this.#take(head);
    if (!this.#paused) this.#connection.resume();
  }

  #take(bytes: Uint8Array): void {
    if (this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) || this.#paused) return;
    this.#paused = true;
    this.#connection.pause();
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
    this.#writeFrom(chunks, 0, done);
  }

  /** HTTP/2 hands over at once all that the peer's window allows, which may be more than a connection may have unsent. */
  #writeFrom(chunks: readonly { readonly chunk: Buffer }[], from: number, done: () => void): void {
    if (this.destroyed) {
      done();
      return;
    }
    let hasRoom = true;
    let at = from;
    this.#connection.cork();
    for (; at < chunks.length && this.#connection.unsentBytes < MAX_UNSENT_BYTES; at += 1)
      hasRoom = this.#connection.send(chunks[at]?.chunk ?? '');
    this.#connection.uncork();
    if (at < chunks.length) this.#written = () => this.#writeFrom(chunks, at, done);
    else if (hasRoom) done();
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
