// The content of one request, between the parser that pushes it and the handler that may or may not want it.
// What has not been asked for yet is kept up to a bound; `full` then tells the connection to stop reading.

import { decodeText, type OwnBytes } from './content.ts';

// One read of a socket: enough to keep the reader busy while the next one is on its way.
const HIGH_WATER_BYTES = 65_536;
// The end of a peer stands behind its content. So much is all of it, unless larger content is allowed than by default.
const LOOK_AHEAD_BYTES = 1_048_576;

export interface RequestBodyEvents {
  /** The handler reads for the first time: a client that waits for 100 (Continue) is to be told. */
  wanted(): void;
  /** There is room for more, or everything that comes is to be discarded. */
  room(): void;
}

type Reader =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'collector';
      readonly resolve: (bytes: OwnBytes) => void;
      readonly reject: (error: Error) => void;
    }
  | {
      readonly kind: 'stream';
      readonly controller: ReadableStreamDefaultController<Uint8Array>;
      pulled: (() => void) | undefined;
    }
  | { readonly kind: 'discard' };

export class RequestBody {
  readonly #events: RequestBodyEvents;
  #queue: OwnBytes[] = [];
  #queuedBytes = 0;
  #reader: Reader = { kind: 'none' };
  #end: { readonly error: Error | undefined } | undefined;
  /** The trailer field lines, once the content has ended. */
  trailerLines = '';
  #stream: ReadableStream<Uint8Array> | undefined;
  #isCancelled = false;
  /**
   * The whole content, in a buffer that belongs to the connection, until the handler has returned for the first time.
   */
  #offered: Buffer | undefined;
  /** While it looks ahead: to be called when it does so no more. */
  #endLookAhead: (() => void) | undefined;

  constructor(events: RequestBodyEvents) {
    this.#events = events;
  }

  /** True once a handler reads it. */
  get used(): boolean {
    return this.#reader.kind === 'collector' || this.#reader.kind === 'stream';
  }

  /** What a platform Request calls `bodyUsed`: it has been read from, or cancelled. */
  get disturbed(): boolean {
    return this.used || this.#isCancelled;
  }

  /** True while nothing more should be read from the peer. */
  get full(): boolean {
    const maxBytes = this.#endLookAhead === undefined ? HIGH_WATER_BYTES : LOOK_AHEAD_BYTES;
    return this.#queuedBytes >= maxBytes && this.#reader.kind !== 'collector' && this.#reader.kind !== 'discard';
  }

  /** It keeps more than it would, so that the end of the peer can be heard behind it. */
  get looksAhead(): boolean {
    return this.#endLookAhead !== undefined;
  }

  /** Keeps up to 1 MiB, until a reader has caught up or nobody will read it. `ended` is called once, then. */
  lookAhead(ended: () => void): void {
    this.#endLookAhead = ended;
  }

  /** Offers the whole content without copying it. Until `copyOffered` is called the bytes must not change. */
  offer(bytes: Buffer): void {
    this.#offered = bytes;
    this.#end = { error: undefined };
  }

  /** Copies what was offered, if it has not been read yet. */
  copyOffered(): void {
    const offered = this.#offered;
    if (offered === undefined) return;
    this.#offered = undefined;
    this.push(offered);
  }

  /** Takes content. The bytes are copied. */
  push(bytes: Uint8Array): void {
    if (this.#reader.kind === 'discard') return;
    const copy = new Uint8Array(bytes.length);
    copy.set(bytes);
    this.#queue.push(copy);
    this.#queuedBytes += copy.length;
    this.#serveStream();
  }

  /** The content is complete (no error), or it will never be: a reader must not take a part for the whole. */
  finish(error?: Error): void {
    if (error !== undefined) this.#stopLookingAhead();
    if (this.#end !== undefined) return;
    this.#end = { error };
    const reader = this.#reader;
    if (reader.kind === 'collector') this.#settle(reader);
    else if (reader.kind === 'stream') this.#serveStream();
  }

  /** Drops what is queued and all that will come. A reader at work gets an error. */
  discard(): void {
    if (this.#reader.kind === 'discard') return;
    if (this.#end === undefined) this.finish(new Error('the response was finished before the content was read'));
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#offered = undefined;
    this.#stopLookingAhead();
    this.#reader = { kind: 'discard' };
    this.#events.room();
  }

  /** The whole content as text, decoded as the platform does. Rejects when it never became complete. */
  async text(): Promise<string> {
    const offered = this.#offered;
    if (offered === undefined || this.#reader.kind !== 'none') return decodeText(await this.collect());
    this.#offered = undefined;
    this.#reader = READ_IN_PLACE;
    return decodeText(offered);
  }

  /** The whole content. Rejects when it never became complete. */
  collect(): Promise<OwnBytes> {
    if (this.#reader.kind !== 'none' || this.#stream?.locked === true)
      return Promise.reject(new TypeError('the content of the request has been read already'));
    // As on the platform, the stream is locked once all of it is read.
    this.#stream?.getReader();
    this.copyOffered();
    return new Promise((resolve, reject) => {
      const reader: Reader = { kind: 'collector', resolve, reject };
      const wasFull = this.full;
      this.#reader = reader;
      this.#stopLookingAhead();
      if (this.#end !== undefined) this.#settle(reader);
      else {
        this.#events.wanted();
        if (wasFull) this.#events.room();
      }
    });
  }

  /** The content as it comes, with back-pressure down to the peer. */
  stream(): ReadableStream<Uint8Array> {
    this.copyOffered();
    if (this.#stream === undefined) {
      this.#stream = new ReadableStream<Uint8Array>(
        { pull: (controller) => this.#pull(controller), cancel: () => this.#cancel() },
        { highWaterMark: 0 },
      );
      if (this.#reader.kind === 'collector') this.#stream.getReader();
      // Now and not at the first pull: a response that relays the stream has begun by then, and 100 (Continue) would be
      // too late.
      if (this.#reader.kind === 'none' && this.#end === undefined) this.#events.wanted();
    }
    return this.#stream;
  }

  #cancel(): void {
    this.#isCancelled = true;
    this.discard();
  }

  #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> | undefined {
    if (this.#reader.kind === 'none') this.#reader = { kind: 'stream', controller, pulled: undefined };
    const reader = this.#reader as Reader;
    if (reader.kind !== 'stream') {
      controller.error(this.#end?.error ?? new TypeError('the content of the request has been read already'));
      return undefined;
    }
    return new Promise((resolve) => {
      reader.pulled = resolve;
      this.#serveStream();
    });
  }

  #serveStream(): void {
    const reader = this.#reader;
    if (reader.kind !== 'stream' || reader.pulled === undefined) return;
    const { pulled, controller } = reader;
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      const wasFull = this.full;
      this.#queuedBytes -= chunk.length;
      if (this.#queuedBytes < HIGH_WATER_BYTES) this.#stopLookingAhead();
      controller.enqueue(chunk);
      if (wasFull) this.#events.room();
    } else if (this.#end === undefined) return;
    else if (this.#end.error === undefined) controller.close();
    else controller.error(this.#end.error);
    reader.pulled = undefined;
    pulled();
  }

  #stopLookingAhead(): void {
    const ended = this.#endLookAhead;
    this.#endLookAhead = undefined;
    ended?.();
  }

  #settle(reader: Extract<Reader, { kind: 'collector' }>): void {
    const error = this.#end?.error;
    if (error !== undefined) {
      reader.reject(error);
      return;
    }
    const only = this.#queue.length === 1 ? this.#queue[0] : undefined;
    const whole = only ?? joined(this.#queue, this.#queuedBytes);
    this.#queue = [];
    this.#queuedBytes = 0;
    reader.resolve(whole);
  }
}

const READ_IN_PLACE: Reader = { kind: 'collector', resolve: () => undefined, reject: () => undefined };

function joined(chunks: readonly Uint8Array[], byteLength: number): OwnBytes {
  const whole = new Uint8Array(byteLength);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
