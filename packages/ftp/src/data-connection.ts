// A data connection as a transfer uses it: bytes in batches and out of reused buffers, with back-pressure both ways.

import type { Connection, Sink } from '@wellknown/core';

// More than this unread, and the peer waits: one large disk write, and the next is filling up behind it.
const MAX_QUEUED_BYTES = 1024 * 1024;

interface Waiting {
  readonly resolve: (chunks: Uint8Array[] | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Takes over a connection that has not been attached to. Nothing is read before the first `read`. */
export class DataConnection implements Sink {
  readonly #connection: Connection;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isPaused = true;
  #hasEnded = false;
  #waiting: Waiting | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.attach(this);
    connection.pause();
  }

  /** Resolves when the system has taken the bytes and the buffer is the caller's again. Rejects when it will not. */
  write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#connection.sendThen(chunk, (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  /** All that has arrived, or undefined at the peer's end. The chunks are the caller's. Rejects when it has broken. */
  read(): Promise<Uint8Array[] | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#serve();
    });
  }

  /**
   * Ends the connection once all writes have resolved; the peer gets a moment to close its side. False where it had
   * broken before.
   */
  finish(): boolean {
    const { state } = this.#connection;
    this.#connection.end();
    return state === 'open' || state === 'read-closed';
  }

  /** Drops the connection. Safe to call at any time. */
  destroy(): void {
    this.#connection.destroy();
  }

  // What the connection calls -----------------------------------------------------------------------------------------

  data(chunk: Uint8Array): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    this.#serve();
    if (this.#queuedBytes < MAX_QUEUED_BYTES || this.#isPaused) return;
    this.#isPaused = true;
    this.#connection.pause();
  }

  /**
   * A client that dies closes both of its connections at once, and the end of the data alone looks like success. One
   * turn of the event loop lets the end of the control connection be seen first.
   */
  ended(): void {
    setImmediate(() => {
      this.#hasEnded = true;
      this.#serve();
    });
  }

  closed(): void {
    this.#serve();
  }

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const isOver = this.#hasEnded || this.#connection.state === 'closed';
    if (this.#queue.length > 0 || isOver) this.#waiting = undefined;
    if (this.#queue.length > 0) waiting.resolve(this.#take());
    else if (this.#hasEnded) waiting.resolve(undefined);
    else if (isOver) waiting.reject(this.#broken());
    else this.#resume();
  }

  #take(): Uint8Array[] {
    const chunks = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    // The next ones come while these are written.
    this.#resume();
    return chunks;
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#connection.resume();
  }

  #broken(): Error {
    const { reason, error } = this.#connection;
    return new Error(`the data connection is closed (${reason ?? 'aborted'})`, { cause: error });
  }
}
