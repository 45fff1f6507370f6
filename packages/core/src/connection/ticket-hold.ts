// Between TLS and its TCP socket on a connection whose peer only sends: keeps our session tickets back.
//
// In TLS 1.3 tickets follow the handshake, and a peer that never reads does not take them. When it then closes, its system
// finds unread bytes, resets the connection instead of ending it, and throws away what was still to be sent: the last part
// of an upload is lost. OpenSSL could be told to send no tickets, but Node does not let us. So from the end of the
// handshake on nothing that we write leaves before the peer has ended, or we end.

import type net from 'node:net';
import { Duplex } from 'node:stream';

export class TicketHold extends Duplex {
  readonly #socket: net.Socket;
  #held: Buffer[] | undefined;
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
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && held.length > 0 && !this.#socket.destroyed) this.#socket.write(Buffer.concat(held));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#held === undefined) {
      if (this.#socket.destroyed) done();
      else this.#socket.write(chunk, () => done());
      return;
    }
    // A copy: the buffer is TLS's again afterwards.
    this.#held.push(Buffer.from(chunk));
    done();
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
