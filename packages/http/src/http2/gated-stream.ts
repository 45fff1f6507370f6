// The connection of an HTTP/2 session as the stream that node:http2 writes to, with a gate that can be shut.
//
// node:http2 reads nothing while a write of its own is not done. So what is held back counts as written, and is kept
// here.
//
// It also sees when the session gives up: nghttp2 says so to the peer, and Node neither tells nor closes.

import type { Connection } from '@wellknown/core';
import { ConnectionStream } from '../exchange/connection-stream.ts';
import { SentFrames } from './frames.ts';

// A hundred small responses. For a client that is sent more than this within a round trip the gate opens early.
export const MAX_HELD_BYTES = 262_144;

interface Hold {
  /** The last that passes. It is a whole frame: node:http2 does not cut those. */
  readonly after: Buffer;
  /** More than MAX_HELD_BYTES waits. Has to `release`. */
  readonly overflowed: () => void;
}
type Gate =
  | { readonly at: 'open' }
  | { readonly at: 'watching'; readonly hold: Hold }
  | { readonly at: 'shut'; readonly hold: Hold; readonly held: Buffer[] };
type Done = (error?: Error | null) => void;

export class Http2Stream extends ConnectionStream {
  readonly #connection: Connection;
  readonly #gaveUp: () => void;
  readonly #sent = new SentFrames();
  #gate: Gate = { at: 'open' };
  #heldBytes = 0;

  /**
   * `gaveUp` is called, once and in a turn of its own, when a GOAWAY with an error was written. It has to destroy the
   * session.
   */
  constructor(connection: Connection, gaveUp: () => void) {
    super(connection);
    this.#connection = connection;
    this.#gaveUp = gaveUp;
  }

  /** Content that the session has written, on all of its streams. */
  get contentBytes(): number {
    return this.#sent.contentBytes;
  }

  /** Streams that the peer made the session reset. */
  get causedResets(): number {
    return this.#sent.causedResets;
  }

  /** The session has said why it ends. */
  get saidError(): boolean {
    return this.#sent.sawError;
  }

  /** Holds back all that is written after a frame, until `release`. */
  hold(hold: Hold): void {
    this.#gate = { at: 'watching', hold };
  }

  /** Lets what was held back go. */
  release(): void {
    const gate = this.#gate;
    this.#gate = { at: 'open' };
    this.#heldBytes = 0;
    if (gate.at !== 'shut' || gate.held.length === 0) return;
    this.#connection.send(Buffer.concat(gate.held));
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: Done): void {
    this.#watch(chunk);
    const passing = this.#pass(chunk);
    if (passing.length > 0) super._write(passing, encoding, done);
    else done();
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: Done): void {
    if (this.#gate.at === 'open') {
      for (const { chunk } of chunks) this.#watch(chunk);
      super._writev(chunks, done);
    } else this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'latin1', done);
  }

  /** A session has nothing to say to a client whose writing side stays open, so the end of ours is the end of both. */
  override _final(done: () => void): void {
    this.release();
    this.#connection.end(undefined, 'latin1', this.#sent.sawError ? 'protocol-error' : 'finished');
    done();
  }

  #watch(bytes: Buffer): void {
    if (this.#sent.sawError || !this.#sent.push(bytes)) return;
    // The session is in the middle of writing.
    queueMicrotask(this.#gaveUp);
  }

  /** What may leave of these bytes; the rest is kept. */
  #pass(bytes: Buffer): Buffer {
    const gate = this.#gate;
    if (gate.at === 'open') return bytes;
    if (gate.at === 'shut') {
      this.#keep(gate.held, bytes, gate.hold);
      return NOTHING;
    }
    const { hold } = gate;
    const start = bytes.indexOf(hold.after);
    if (start < 0) return bytes;
    const end = start + hold.after.length;
    this.#gate = { at: 'shut', hold, held: end === bytes.length ? [] : [bytes.subarray(end)] };
    this.#heldBytes = bytes.length - end;
    return bytes.subarray(0, end);
  }

  #keep(held: Buffer[], bytes: Buffer, { overflowed }: Hold): void {
    held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > MAX_HELD_BYTES) overflowed();
  }
}

const NOTHING = Buffer.alloc(0);
