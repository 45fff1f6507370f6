// A data connection as a transfer uses it: bytes in batches and out of reused buffers, with back-pressure both ways.

import type { Clock, Connection, Sink } from '@wellknown/core';

// More than this unread, and the peer waits: one large disk write, and the next is filling up behind it.
const MAX_QUEUED_BYTES = 1024 * 1024;

/**
 * From the peer's end to the end of an upload. A client that dies closes both of its connections, Linux in either order
 * and some 10 to 100 µs apart, and the end of the data alone is the end of the file (RFC 959 §3.4.1). So the end of the
 * control connection gets this time to be seen. Measured: one turn of the event loop took half of such uploads for
 * whole ones, 2 ms none. A client that is alive waits for 226 meanwhile, unless all that it has announced has come.
 */
export const END_GRACE_MS = 5;

interface Waiting {
  readonly resolve: (chunks: Uint8Array[] | undefined) => void;
  readonly reject: (error: Error) => void;
}

export interface DataConnectionOptions {
  readonly clock: Clock;
  /** A transfer that waits so long for bytes of the peer is over. */
  readonly stallTimeoutMs: number;
  /** More than this unread, and the peer waits. */
  readonly maxQueuedBytes?: number;
  /** How many bytes the peer has said to send: after them its end is the end of the file, whatever becomes of the peer. */
  readonly expectedBytes?: number | undefined;
}

/**
 * Takes over a connection that has not been attached to. Nothing is read before the first `read`, and silence is the
 * peer's fault only while a `read` waits for it: at other times the transfer waits for a disk or for its own throttle.
 */
export class DataConnection implements Sink {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #stallTimeoutMs: number;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  readonly #maxQueuedBytes: number;
  readonly #expectedBytes: number | undefined;
  #arrivedBytes = 0;
  #isPaused = true;
  /** Chunks have come in this turn of the event loop that a waiting `read` has not been given yet. */
  #gathers = false;
  /** `seen`: the peer has ended, but may only have died. */
  #end: 'none' | 'seen' | 'certain' = 'none';
  #waiting: Waiting | undefined;
  /** Writes of which the connection has not said yet what has become of them, and the first that failed. */
  #untaken = 0;
  #failure: Error | undefined;
  #allTaken: (() => void) | undefined;

  constructor(
    connection: Connection,
    { clock, stallTimeoutMs, maxQueuedBytes = MAX_QUEUED_BYTES, expectedBytes }: DataConnectionOptions,
  ) {
    this.#expectedBytes = expectedBytes;
    this.#maxQueuedBytes = Math.min(MAX_QUEUED_BYTES, maxQueuedBytes);
    this.#connection = connection;
    this.#clock = clock;
    this.#stallTimeoutMs = stallTimeoutMs;
    connection.setIdleTimeout(0);
    connection.attach(this);
    connection.pause();
  }

  /**
   * Undefined when nothing is left unsent, otherwise resolves when the system has taken the bytes: the buffer is the caller's
   * again. Throws or rejects when it will not; of what was sent at once `flushed` tells.
   */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    let settle: ((error: Error | undefined) => void) | undefined;
    this.#untaken += 1;
    this.#connection.sendThen(chunk, (error) => {
      this.#untaken -= 1;
      this.#failure ??= error;
      settle?.(error);
      if (this.#untaken === 0 || error !== undefined) this.#allTaken?.();
    });
    if (this.#connection.unsentBytes === 0) return undefined;
    return new Promise((resolve, reject) => {
      settle = (error) => {
        if (error === undefined) resolve();
        else reject(error);
      };
    });
  }

  /** Resolves when the system has taken all that was written. Rejects when it will not. */
  async flushed(): Promise<void> {
    if (this.#untaken > 0 && this.#failure === undefined)
      await new Promise<void>((resolve) => (this.#allTaken = resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** All that has arrived, or undefined at the peer's end. The chunks are the caller's. Rejects when it has broken. */
  read(): Promise<Uint8Array[] | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#serve();
    });
  }

  /** Chunks that `read` has brought and that nobody holds any more. */
  reuse(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#connection.reuse(chunk);
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
    this.#arrivedBytes += chunk.length;
    // What comes within a turn of the event loop is one batch, and one write to the disk.
    if (!this.#gathers) {
      this.#gathers = true;
      setImmediate(() => {
        this.#gathers = false;
        this.#serve();
      });
    }
    // What comes nevertheless, when a pause was too late for it, is kept, and no more is read.
    if (this.#queuedBytes < this.#maxQueuedBytes && !this.#isPaused) return;
    this.#isPaused = true;
    this.#connection.pause();
  }

  ended(): void {
    if (this.#arrivedBytes === this.#expectedBytes) {
      this.#endIsCertain();
      return;
    }
    this.#end = 'seen';
    // Timers that are late come before the sockets: whatever the loop was busy with, the control connection is looked at
    // once more.
    this.#clock.after(END_GRACE_MS, () => setImmediate(() => this.#endIsCertain()));
  }

  #endIsCertain(): void {
    this.#end = 'certain';
    this.#serve();
  }

  closed(): void {
    this.#serve();
  }

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const { state, reason } = this.#connection;
    // A reset behind the peer's end takes nothing back.
    const isBroken = state === 'closed' && !(this.#end === 'seen' && reason === 'peer-reset');
    if (this.#queue.length > 0 || this.#end === 'certain' || isBroken) {
      this.#waiting = undefined;
      this.#connection.setIdleTimeout(0);
    }
    if (this.#queue.length > 0) waiting.resolve(this.#take());
    else if (this.#end === 'certain') waiting.resolve(undefined);
    else if (isBroken) waiting.reject(this.#broken());
    else {
      this.#connection.setIdleTimeout(this.#stallTimeoutMs);
      this.#resume();
    }
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
