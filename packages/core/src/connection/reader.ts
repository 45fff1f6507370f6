// Comfortable reads over a connection's pushed bytes: a sink that keeps what has not been asked for yet, within a
// bound.

import { abortReason, onAbort } from '../abort.ts';
import { countProblem } from '../arguments.ts';
import type { CloseReason } from './states.ts';
import { WellknownError } from '../errors.ts';
import type { Sink } from './sink.ts';
import { WritePromise } from './write-promise.ts';

// More unread bytes than this pause the transport: the peer waits, memory does not grow.
const HIGH_WATER_BYTES = 65_536;
// Long enough for any line-based protocol here, short enough to be no weapon.
const DEFAULT_MAX_LINE_BYTES = 4096;
const LF = 10;
const CR = 13;

interface Waiter {
  /** Looks at what has arrived; true when the wait is over. */
  readonly attempt: () => boolean;
  readonly reject: (error: Error) => void;
  /** How many bytes it may need. */
  readonly wantedBytes: number;
  /** Stops listening for an abort. */
  forget: () => void;
}

/** What delivers the bytes, and can be told to wait. */
export interface ByteSource {
  pause(): void;
  resume(): void;
}

export class ConnectionReader implements Sink {
  readonly #source: ByteSource;
  #buffered: Uint8Array = new Uint8Array(0);
  /** Bytes of our own behind `#buffered`, for what comes next. */
  #spareBytes = 0;
  #ended = false;
  #closed: { readonly reason: CloseReason; readonly error: Error | undefined } | undefined;
  #paused = false;
  #waiter: Waiter | undefined;
  #waitingForRoom: { resolve: () => void; reject: (error: Error) => void }[] = [];
  /** How far the search for a line end has come, so that a slow line is not searched again from its start. */
  #searchedBytes = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Bytes that have come and have not been read. */
  get unreadBytes(): number {
    return this.#buffered.length;
  }

  /** True when a read would not wait: bytes are here, the peer has ended, or the connection is no more. */
  get isReadable(): boolean {
    return this.#buffered.length > 0 || this.#ended || this.#closed !== undefined;
  }

  /** A read waits, and another one would be refused. */
  get isWaiting(): boolean {
    return this.#waiter !== undefined;
  }

  data(chunk: Uint8Array): void {
    this.#append(chunk);
    this.#serve();
    // A read of more than is kept otherwise gets it: that bound is the handler's.
    if (this.#buffered.length > Math.max(HIGH_WATER_BYTES, this.#waiter?.wantedBytes ?? 0) && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
  }

  #append(chunk: Uint8Array): void {
    const before = this.#buffered.length;
    if (before === 0) {
      this.#buffered = chunk;
      this.#spareBytes = 0;
      return;
    }
    if (this.#spareBytes < chunk.length) {
      // Twice as much as is needed, so that a read of many chunks copies each byte about once.
      const store = new Uint8Array((before + chunk.length) * 2);
      store.set(this.#buffered);
      this.#buffered = store.subarray(0, before);
      this.#spareBytes = store.length - before;
    }
    this.#buffered = new Uint8Array(this.#buffered.buffer, this.#buffered.byteOffset, before + chunk.length);
    this.#buffered.set(chunk, before);
    this.#spareBytes -= chunk.length;
  }

  ended(): void {
    this.#ended = true;
    this.#serve();
  }

  drained(): void {
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const { resolve } of waiting) resolve();
  }

  closed(reason: CloseReason, error: Error | undefined): void {
    this.#closed = { reason, error };
    this.#serve();
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const { reject } of waiting) reject(this.#closedError());
  }

  /**
   * Resolves when there is room for more to write. An abort ends the wait; what was written stays written. `dropped` is
   * told of a failure that nothing awaits.
   */
  room(signal: AbortSignal | undefined, dropped: (error: unknown) => void): Promise<void> {
    return WritePromise.create((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closedError());
        return;
      }
      const waiting = {
        resolve: () => {
          forget();
          resolve(undefined);
        },
        reject: (error: Error) => {
          forget();
          reject(error);
        },
      };
      this.#waitingForRoom.push(waiting);
      const forget = onAbort(signal, (reason) => {
        this.#waitingForRoom = this.#waitingForRoom.filter((other) => other !== waiting);
        reject(reason);
      });
    }, dropped);
  }

  /** Rejects the read that waits, if any. It takes nothing. */
  interrupt(reason: Error): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.forget();
    waiter?.reject(reason);
  }

  /**
   * An aborted read takes nothing: the bytes are there for the next one. Rejects with OPTION_INVALID for a length that is
   * none.
   */
  read(byteLength?: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const problem = countProblem('read', 'byteLength', byteLength);
    if (problem !== undefined) return Promise.reject(problem);
    return this.#wait(signal, byteLength ?? 0, (settle) => {
      const wanted = byteLength ?? 1;
      if (this.#buffered.length >= wanted) settle(this.#take(byteLength ?? this.#buffered.length));
      else if (this.#ended) settle(this.#buffered.length === 0 ? undefined : this.#take(this.#buffered.length));
      else return false;
      return true;
    });
  }

  /** Rejects with OPTION_INVALID for a length that is none. */
  readLine(maxLineBytes: number = DEFAULT_MAX_LINE_BYTES, signal?: AbortSignal): Promise<string | undefined> {
    const problem = countProblem('readLine', 'maxLineBytes', maxLineBytes);
    if (problem !== undefined) return Promise.reject(problem);
    // The line and its CR LF.
    return this.#wait(signal, maxLineBytes + 2, (settle, reject) => {
      const end = this.#buffered.indexOf(LF, this.#searchedBytes);
      // A line that was refused may be read with a larger bound: its end is found again.
      this.#searchedBytes = end >= 0 ? end : this.#buffered.length;
      const lineBytes = end >= 0 ? end : this.#buffered.length;
      if (lineBytes > maxLineBytes + 1 || (lineBytes > maxLineBytes && this.#buffered[lineBytes - 1] !== CR)) {
        reject(new WellknownError('LINE_TOO_LONG', `a line is longer than ${maxLineBytes} bytes`, { fault: 'remote' }));
      } else if (end >= 0) {
        const line = this.#take(end + 1);
        settle(textOfLine(line.subarray(0, end)));
      } else if (this.#ended) {
        settle(this.#buffered.length === 0 ? undefined : textOfLine(this.#take(this.#buffered.length)));
      } else return false;
      return true;
    });
  }

  #wait<Value>(
    signal: AbortSignal | undefined,
    wantedBytes: number,
    attempt: (settle: (value: Value | undefined) => void, reject: (error: Error) => void) => boolean,
  ): Promise<Value | undefined> {
    if (signal?.aborted === true) return Promise.reject(abortReason(signal));
    if (this.#waiter !== undefined) {
      return Promise.reject(
        new WellknownError('WRONG_STATE', 'a read is already waiting on this connection', { fault: 'local' }),
      );
    }
    return new Promise<Value | undefined>((resolve, reject) => {
      const waiter: Waiter = { attempt: () => attempt(resolve, reject), reject, wantedBytes, forget: () => undefined };
      if (waiter.attempt()) return;
      if (this.#closed !== undefined) {
        this.#settleClosed(waiter, () => resolve(undefined));
        return;
      }
      this.#waiter = waiter;
      waiter.forget = onAbort(signal, (reason) => {
        this.#waiter = undefined;
        reject(reason);
      });
      if (this.#paused && this.#buffered.length < wantedBytes) {
        this.#paused = false;
        this.#source.resume();
      }
    });
  }

  #serve(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    if (!waiter.attempt()) {
      if (this.#closed === undefined) return;
      waiter.reject(this.#closedError());
    }
    this.#waiter = undefined;
    waiter.forget();
  }

  #settleClosed(waiter: Waiter, finish: () => void): void {
    if (this.#closed?.reason === 'finished') finish();
    else waiter.reject(this.#closedError());
  }

  #take(byteLength: number): Uint8Array {
    const taken = this.#buffered.subarray(0, byteLength);
    this.#buffered = this.#buffered.subarray(byteLength);
    this.#searchedBytes = 0;
    if (this.#paused && this.#buffered.length <= HIGH_WATER_BYTES / 2) {
      this.#paused = false;
      this.#source.resume();
    }
    return taken;
  }

  #closedError(): WellknownError {
    return new WellknownError('CONNECTION_CLOSED', `the connection is closed (${this.#closed?.reason ?? 'finished'})`, {
      fault: 'remote',
      cause: this.#closed?.error,
    });
  }
}

// A U+FEFF is a character of the line: only the start of a file could be a mark.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function textOfLine(bytes: Uint8Array): string {
  return decoder.decode(bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes);
}
