// The output of one connection: texts gather in a batch that leaves in one write, and a writer that finds no room waits
// here.

import type { Connection } from '@wellknown/core';
import type { BufferPool } from '@wellknown/core/files';
import { afterPromises } from './after-promises.ts';
import type { BodySink } from './body-writer.ts';
import type { HttpService } from '../exchange/service.ts';

// A batch this large is sent before more requests are read, so that a flood of small requests can't pile up large
// responses.
const MAX_BATCH_CHARACTERS = 65_536;

export class WriteBuffer implements BodySink {
  readonly #connection: Connection;
  readonly #service: HttpService;
  #batch = '';
  #flushesSoon = false;
  #waiters: (() => void)[] = [];
  /** The last send found no room. */
  blocked = false;
  /** Nothing can be sent any more. */
  gone = false;

  constructor(connection: Connection, service: HttpService) {
    this.#connection = connection;
    this.#service = service;
  }

  /** Adds text, each character an octet, to the batch. */
  add(text: string): void {
    this.#batch += text;
    if (this.#batch.length >= MAX_BATCH_CHARACTERS) this.flush();
  }

  /**
   * Sends the batch with `text`, and `bytes` after it, in one system call. The bytes must not change until they are
   * sent.
   */
  addBytes(text: string, bytes: Uint8Array): void {
    const batch = this.#batch + text;
    this.#batch = '';
    this.#connection.cork();
    this.#sendNow(batch);
    this.#sendNow(bytes);
    this.#connection.uncork();
  }

  /** Flushes once the responses that are ready by now have been added, whose handlers answer asynchronously. */
  flushSoon(): void {
    if (this.#batch === '' || this.#flushesSoon) return;
    this.#flushesSoon = true;
    afterPromises(flushLate, this);
  }

  /** For `flushSoon`: its time has come. */
  flushLate(): void {
    this.#flushesSoon = false;
    this.flush();
  }

  flush(): void {
    const text = this.#batch;
    if (text === '') return;
    this.#batch = '';
    this.#sendNow(text);
  }

  /** The batch, taken out: the last bytes of the connection. Waiting writers go on and find it gone. */
  close(): string | undefined {
    const text = this.#batch;
    this.#batch = '';
    this.gone = true;
    this.#wake();
    return text === '' ? undefined : text;
  }

  send(data: string | Uint8Array): boolean {
    this.flush();
    return this.#sendNow(data);
  }

  sendSoon(text: string): boolean {
    this.add(text);
    this.flushSoon();
    return !this.blocked;
  }

  #sendNow(data: string | Uint8Array): boolean {
    const hasRoom = this.#connection.send(data);
    if (!hasRoom) this.blocked = true;
    return hasRoom;
  }

  /** The connection has room again. */
  drained(): void {
    this.blocked = false;
    this.#wake();
  }

  room(): Promise<void> {
    return !this.blocked || this.gone ? Promise.resolve() : new Promise((resolve) => this.#waiters.push(resolve));
  }

  keep(content: string | Uint8Array): () => void {
    return this.#connection.keep(content);
  }

  cork(): void {
    this.#connection.cork();
  }

  uncork(): void {
    this.#connection.uncork();
  }

  get unsentBytes(): number {
    return this.#connection.unsentBytes;
  }

  get buffers(): BufferPool {
    return this.#service.buffers;
  }

  #wake(): void {
    const waiters = this.#waiters;
    if (waiters.length === 0) return;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

const flushLate = (buffer: WriteBuffer): void => buffer.flushLate();
