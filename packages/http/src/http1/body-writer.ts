// Content that does not fit in one write: bytes, sources and streams, moved as fast as the peer takes them.

import type { BufferPool, PieceSize } from '@wellknown/core/files';
import { asError, cancelStream, problemOfChunk } from '../exchange/foreign-values.ts';
import { headWithLength, type Transfer } from '../exchange/response-head.ts';
import { isSource, type ContentSource, type ResponseContent } from '../fetch/content.ts';

/** The way to the peer. */
export interface BodySink {
  /** False: wait for `room` before more is sent. */
  send(data: string | Uint8Array): boolean;
  /** The same for a short text that leaves together with what follows before any other event. */
  sendSoon(text: string): boolean;
  /** Resolves when there is room again, or the connection is gone. */
  room(): Promise<void>;
  /** Says that `content` waits here until the function is called that this returns. */
  keep(content: string | Uint8Array): () => void;
  cork(): void;
  uncork(): void;
  /** Bytes that the sink still holds; 0 means that a buffer sent may be used again. */
  readonly unsentBytes: number;
  /** Nothing can be sent any more. */
  readonly gone: boolean;
  readonly buffers: BufferPool;
}

/**
 * How writing ended, and how much content was sent. `broken` carries what is to be logged; the head has been sent, so
 * only the connection can tell the peer. `failed`: the same before anything was sent, so that another response can take
 * its place.
 */
export type BodyEnd =
  | { readonly at: 'complete' | 'gone'; readonly contentBytes: number }
  | { readonly at: 'broken' | 'failed'; readonly error: Error; readonly contentBytes: number };

// Each write wakes the reader at the other end: a few large ones cost much less than many small ones.
const SLICE_BYTES = 1_048_576;
// Below this, joining costs less than another buffer in the system call.
const JOINED_CHUNK_BYTES = 2_048;

const broken = (message: string, contentBytes: number): BodyEnd => ({
  at: 'broken',
  error: new Error(message),
  contentBytes,
});

/** A response that is more than one text. */
export interface StreamedBody {
  readonly head: string;
  readonly content: ResponseContent;
  readonly transfer: Transfer;
  /** With `length`: what the head promised. */
  readonly byteLength: number;
}

export interface BodyEvents {
  /** Gets the way to stop a stream from outside. */
  onCancel(cancel: (reason: Error) => void): void;
  /** The head is being sent: no other response can take the place of this one. */
  onHead(): void;
  /** Gives the lines after the last chunk. */
  readonly trailers?: (() => string) | undefined;
}

/** Sends the whole body. */
export function writeBody(sink: BodySink, body: StreamedBody, events: BodyEvents): Promise<BodyEnd> {
  const { head, content } = body;
  try {
    if (content instanceof ReadableStream) return writeStream(sink, content, body, events);
    if (content !== null && isSource(content)) return writeSource(sink, head, content, events);
  } catch (error) {
    // Both are classes that a handler can have made something of.
    return Promise.resolve({ at: 'failed', error: asError(error), contentBytes: 0 });
  }
  events.onHead();
  return writeBytes(sink, head, typeof content === 'string' ? Buffer.from(content) : (content ?? new Uint8Array(0)));
}

/** Sends `head`, then `bytes` in slices. */
async function writeBytes(sink: BodySink, head: string, bytes: Uint8Array): Promise<BodyEnd> {
  let release: (() => void) | undefined;
  for (let offset = 0; offset < bytes.length; offset += SLICE_BYTES) {
    if (sink.gone) {
      release?.();
      return { at: 'gone', contentBytes: offset };
    }
    sink.cork();
    if (offset === 0) sink.send(head);
    const hasRoom = sink.send(bytes.subarray(offset, offset + SLICE_BYTES));
    sink.uncork();
    if (hasRoom || offset + SLICE_BYTES >= bytes.length) continue;
    release ??= sink.keep(bytes);
    await sink.room();
  }
  release?.();
  return { at: 'complete', contentBytes: bytes.length };
}

/**
 * Sends `head`, then the source to its end. A source that is shorter than it said breaks the body: no length lies.
 */
async function writeSource(sink: BodySink, head: string, source: ContentSource, events: BodyEvents): Promise<BodyEnd> {
  const { buffers } = sink;
  let size: PieceSize = 'small';
  let buffer = buffers.acquire(size);
  let pending = head;
  let remaining = source.byteLength;
  try {
    while (remaining > 0) {
      const reading = source.read(remaining < buffer.length ? buffer.subarray(0, remaining) : buffer);
      const byteLength = typeof reading === 'number' ? reading : await reading;
      if (sink.gone) return { at: 'gone', contentBytes: source.byteLength - remaining };
      if (byteLength === 0)
        return broken(`the content ended ${remaining} bytes before its declared length`, source.byteLength - remaining);
      remaining -= byteLength;
      sink.cork();
      if (pending !== '') {
        events.onHead();
        sink.send(pending);
      }
      pending = '';
      const hasRoom = sink.send(buffer.subarray(0, byteLength));
      sink.uncork();
      // The last one is released once it is sent.
      if (remaining === 0) break;
      // A peer that keeps up is worth a large piece; one that does not holds on to what it is given.
      const nextSize: PieceSize = sink.unsentBytes === 0 && remaining > buffer.length ? 'large' : 'small';
      if (!hasRoom) await sink.room();
      // What the sink has not sent yet belongs to it.
      const isOurs = sink.unsentBytes === 0;
      if (isOurs && nextSize === size) continue;
      if (isOurs) buffers.release(buffer);
      size = nextSize;
      buffer = buffers.acquire(size);
    }
    return { at: 'complete', contentBytes: source.byteLength };
  } catch (error) {
    return {
      at: pending === '' ? 'broken' : 'failed',
      error: asError(error),
      contentBytes: source.byteLength - remaining,
    };
  } finally {
    releaseWhenSent(sink, buffer);
    source.close();
  }
}

/** One that the sink still holds when its connection goes is left to the garbage collector. */
function releaseWhenSent(sink: BodySink, buffer: Uint8Array): void {
  const release = (): void => {
    if (sink.unsentBytes === 0) sink.buffers.release(buffer);
  };
  if (sink.unsentBytes === 0) release();
  else void sink.room().then(() => sink.gone || release());
}

interface Piece {
  readonly done: boolean;
  readonly value?: unknown;
}

/** Sends a stream, framed as its head says. */
async function writeStream(
  sink: BodySink,
  stream: ReadableStream,
  { head, transfer, byteLength }: StreamedBody,
  events: BodyEvents,
): Promise<BodyEnd> {
  const { trailers } = events;
  let sent = 0;
  let isHeadSent = false;
  try {
    const reader = stream.getReader();
    events.onCancel((reason) => cancelStream(reader, reason));
    const giveUp = (message: string): BodyEnd => {
      cancelStream(reader, new Error(message));
      return broken(message, sent);
    };
    let next = reader.read() as Promise<Piece>;
    const first = await soon(next);
    if (
      first !== undefined &&
      !first.done &&
      transfer === 'chunked' &&
      trailers === undefined &&
      first.value instanceof Uint8Array
    ) {
      next = reader.read() as Promise<Piece>;
      const second = await soon(next);
      if (sink.gone) return { at: 'gone', contentBytes: 0 };
      if (second?.done === true) {
        events.onHead();
        const whole = headWithLength(head, first.value.length);
        if (first.value.length > JOINED_CHUNK_BYTES) return await writeBytes(sink, whole, first.value);
        sink.sendSoon(whole + latin1Text(first.value));
        return { at: 'complete', contentBytes: first.value.length };
      }
      events.onHead();
      sink.sendSoon(head);
      isHeadSent = true;
      sent = first.value.length;
      if (sent > 0 && !sendFirstSlice(sink, first.value, transfer)) await sendRest(sink, first.value, transfer);
    } else if (!sink.gone) {
      // A stream may take its time; its head does not wait for it.
      events.onHead();
      sink.sendSoon(head);
      isHeadSent = true;
    }
    for (; ; next = reader.read() as Promise<Piece>) {
      const { done, value: chunk } = await next;
      if (sink.gone) return { at: 'gone', contentBytes: sent };
      if (done) break;
      if (!(chunk instanceof Uint8Array)) return giveUp(problemOfChunk(chunk));
      if (chunk.length === 0) continue;
      sent += chunk.length;
      if (transfer === 'length' && sent > byteLength)
        return giveUp(`the content is longer than its declared ${byteLength} bytes`);
      if (!sendFirstSlice(sink, chunk, transfer)) await sendRest(sink, chunk, transfer);
    }
    if (transfer === 'length' && sent < byteLength)
      return broken(`the content ended ${byteLength - sent} bytes before its declared length`, sent);
    if (transfer === 'chunked') sink.sendSoon(`0\r\n${trailers?.() ?? ''}\r\n`);
    return { at: 'complete', contentBytes: sent };
  } catch (error) {
    if (sink.gone) return { at: 'gone', contentBytes: sent };
    return { at: isHeadSent ? 'broken' : 'failed', error: asError(error), contentBytes: sent };
  }
}

// So many turns of promises a platform Response needs to hand out its one piece, and to end, on Nodes that hide its text
// (from 24 on). It then leaves with its length and not in chunks, which is worth the seventh that it costs. A stream that
// waits for anything real takes longer.
const SOON_TURNS = 8;

/** The value, if the promise settles within SOON_TURNS; otherwise undefined. Rejects with it. */
async function soon(promise: Promise<Piece>): Promise<Piece | undefined> {
  let piece: Piece | undefined;
  let failure: { readonly error: unknown } | undefined;
  promise.then(
    (value) => (piece = value),
    (error: unknown) => (failure = { error }),
  );
  for (let turn = 0; turn < SOON_TURNS; turn += 1) {
    if (piece !== undefined || failure !== undefined) break;
    await Promise.resolve();
  }
  if (failure !== undefined) await promise;
  return piece;
}

/** Sends a chunk that is no more than a slice; of a larger one only the beginning. False: `sendRest` goes on. */
const sendFirstSlice = (sink: BodySink, chunk: Uint8Array, transfer: Transfer): boolean =>
  sendChunk(sink, chunk.length <= SLICE_BYTES ? chunk : chunk.subarray(0, SLICE_BYTES), transfer) &&
  chunk.length <= SLICE_BYTES;

/** Sends what is left of a chunk behind its first slice, as fast as the peer takes it. */
async function sendRest(sink: BodySink, chunk: Uint8Array, transfer: Transfer): Promise<void> {
  const release = chunk.length > SLICE_BYTES ? sink.keep(chunk) : undefined;
  await sink.room();
  for (let at = SLICE_BYTES; at < chunk.length && !sink.gone; at += SLICE_BYTES)
    if (!sendChunk(sink, chunk.subarray(at, at + SLICE_BYTES), transfer)) await sink.room();
  release?.();
}

function sendChunk(sink: BodySink, chunk: Uint8Array, transfer: Transfer): boolean {
  if (transfer !== 'chunked')
    return chunk.length <= JOINED_CHUNK_BYTES ? sink.sendSoon(latin1Text(chunk)) : sink.send(chunk);
  const size = `${chunk.length.toString(16)}\r\n`;
  if (chunk.length <= JOINED_CHUNK_BYTES) return sink.sendSoon(`${size}${latin1Text(chunk)}\r\n`);
  sink.cork();
  sink.send(size);
  sink.send(chunk);
  const hasRoom = sink.send('\r\n');
  sink.uncork();
  return hasRoom;
}

/** The bytes as a string of the same octets, for joining with a head. */
export const latin1Text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
