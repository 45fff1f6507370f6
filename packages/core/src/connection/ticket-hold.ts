// Between TLS and its TCP socket on a connection whose peer only sends: keeps our session tickets back.
//
// In TLS 1.3 tickets follow the handshake, and a peer that never reads does not take them. When it then closes, its system
// finds unread bytes, resets the connection instead of ending it, and throws away what was still to be sent: the last part
// of an upload is lost. OpenSSL could be told to send no tickets, but Node does not let us. So from the end of the
// handshake on nothing that we write leaves before the peer has ended, or we end. Only so much is held: a protocol that
// writes more has a peer that reads.

import type net from 'node:net';
import { Duplex } from 'node:stream';

/**
 * What may be held: one record of TLS. Two tickets take about 500 bytes, or up to 4 KB each where a client's certificate
 * is in them; the rest is for answers to key updates, which a peer may ask for without end.
 */
export const MAX_HELD_BYTES = 16_384;

export class TicketHold extends Duplex {
  readonly #socket: net.Socket;
  #held: { readonly chunks: Buffer[]; bytes: number } | undefined;
  #hasEnded = false;

  constructor(socket: net.Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => {
      this.#hasEnded = true;
      this.release();
      this.push(null);
    });
    // Once the peer has ended, all that it sent is here or on its way up: it may well have gone without reading us.
    socket.on('error', (error) => {
      if (!this.#hasEnded) this.destroy(error);
    });
    socket.on('close', () => {
      if (!this.#hasEnded) this.destroy();
    });
  }

  /** Nothing more goes out for now. */
  hold(): void {
    this.#held ??= { chunks: [], bytes: 0 };
  }

  /** What was held goes out, and so does what follows. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && held.bytes > 0 && !this.#socket.destroyed) this.#socket.write(Buffer.concat(held.chunks));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const held = this.#held;
    if (held !== undefined && held.bytes + chunk.length <= MAX_HELD_BYTES) {
      // A copy: the buffer is TLS's again afterwards.
      held.chunks.push(Buffer.from(chunk));
      held.bytes += chunk.length;
      done();
      return;
    }
    this.release();
    if (this.#socket.destroyed) done();
    else this.#socket.write(chunk, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.release();
    if (this.#socket.destroyed) done();
    else this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
