// A response on a stream of HTTP/2: its head, then its content as fast as the peer takes it.

import type http2 from 'node:http2';
import { readFields } from '../semantics/fields.ts';
import { asError, cancelStream, problemOfChunk } from '../exchange/foreign-values.ts';
import { discardContent } from '../exchange/response-content.ts';
import { encodeTrailers, type EncodedHead } from '../exchange/response-head.ts';
import { isSource, type ContentSource, type ResponseContent } from '../fetch/content.ts';
import type { ResponseHeaders } from '../fetch/field-set.ts';

export interface Http2Response {
  readonly status: number;
  /** The checked head that HTTP/1.1 would have: of its framing, only Content-Length has a meaning here. */
  readonly head: EncodedHead;
  readonly content: ResponseContent;
  readonly trailers: (() => ResponseHeaders) | undefined;
  /** The head is with node:http2. */
  onHead(): void;
}

const SLICE_BYTES = 65_536;

/**
 * Resolves with the bytes of content once the last of them, and the trailers, are written. Rejects when either breaks,
 * or the content is not as long as it was said to be.
 */
export async function writeResponse(
  stream: http2.ServerHttp2Stream,
  response: Http2Response,
  onCancel: (cancel: (reason: Error) => void) => void,
): Promise<number> {
  const { status, content } = response;
  const { text, transfer, byteLength } = response.head;
  const length = transfer === 'length' ? byteLength : undefined;
  let trailersSent: Promise<void> | undefined;
  try {
    if (stream.destroyed) throw new Error('the stream is closed');
    const headers = fieldsOf(text);
    headers[':status'] = status;
    if (transfer === 'none' || content === null) {
      stream.respond(headers, { endStream: true });
      response.onHead();
      discardContent(content);
      return 0;
    }
    stream.respond(headers, { waitForTrailers: response.trailers !== undefined });
    response.onHead();
    if (response.trailers !== undefined) trailersSent = sendTrailersAtEnd(stream, response.trailers);
  } catch (error) {
    discardContent(content);
    throw error;
  }
  if (typeof content === 'string' || content instanceof Uint8Array) {
    stream.end(
      typeof content === 'string' ? content : Buffer.from(content.buffer, content.byteOffset, content.byteLength),
    );
    await trailersSent;
    return length ?? 0;
  }
  const sentBytes = await (isSource(content)
    ? sendSource(stream, content)
    : sendStream(stream, content, length, onCancel));
  await trailersSent;
  return sentBytes;
}

/** The status line is no field, and neither is how HTTP/1.1 would frame the content (RFC 9113 §8.2.2). */
const fieldsOf = (head: string): http2.OutgoingHttpHeaders =>
  outgoingFields(readFields(head.slice(head.indexOf('\r\n') + 2)).filter(([name]) => !NOT_IN_HTTP2.has(name)));

const NOT_IN_HTTP2 = new Set(['transfer-encoding', 'connection', 'http2-settings']);

/**
 * As node:http2 takes them. Lines of one name are one list (RFC 9110 §5.3): of some names it takes one line only. Without
 * a prototype, since `constructor` and `__proto__` are names like any other.
 */
export function outgoingFields(fields: Iterable<readonly [name: string, value: string]>): http2.OutgoingHttpHeaders {
  const outgoing = Object.create(null) as http2.OutgoingHttpHeaders;
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    const before = outgoing[lower];
    if (before === undefined) outgoing[lower] = value;
    else outgoing[lower] = lower === 'set-cookie' ? [before, value].flat().map(String) : `${String(before)}, ${value}`;
  }
  return outgoing;
}

/** Rejects where there are none to be had. A client that is gone waits for none. */
const sendTrailersAtEnd = (stream: http2.ServerHttp2Stream, trailers: () => ResponseHeaders): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.once('close', resolve);
    stream.once('wantTrailers', () => {
      try {
        stream.sendTrailers(outgoingFields(readFields(encodeTrailers(trailers()))));
        resolve();
      } catch (error) {
        reject(asError(error));
      }
    });
  });

/** Writes and waits until there is room for more. */
const write = (stream: http2.ServerHttp2Stream, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });

async function sendSource(stream: http2.ServerHttp2Stream, source: ContentSource): Promise<number> {
  try {
    const buffer = Buffer.allocUnsafeSlow(Math.min(SLICE_BYTES, source.byteLength));
    for (let remaining = source.byteLength; remaining > 0;) {
      const byteLength = await source.read(buffer.subarray(0, Math.min(buffer.length, remaining)));
      if (byteLength === 0) throw new Error(`the content ended ${remaining} bytes before its declared length`);
      remaining -= byteLength;
      // The buffer is used again, so its bytes must be gone.
      await write(stream, buffer.subarray(0, byteLength));
    }
    stream.end();
    return source.byteLength;
  } finally {
    source.close();
  }
}

async function sendStream(
  stream: http2.ServerHttp2Stream,
  content: ReadableStream<Uint8Array>,
  length: number | undefined,
  onCancel: (cancel: (reason: Error) => void) => void,
): Promise<number> {
  const reader = content.getReader();
  const cancel = (reason: unknown): void => cancelStream(reader, reason);
  onCancel(cancel);
  let sent = 0;
  try {
    for (;;) {
      const next = (await reader.read()) as { readonly done: boolean; readonly value?: unknown };
      if (next.done) break;
      if (!(next.value instanceof Uint8Array)) throw new TypeError(problemOfChunk(next.value));
      sent += next.value.length;
      if (length !== undefined && sent > length)
        throw new Error(`the content is longer than its declared ${length} bytes`);
      if (next.value.length > 0) await write(stream, next.value);
    }
    if (length !== undefined && sent < length)
      throw new Error(`the content ended ${length - sent} bytes before its declared length`);
    stream.end();
    return sent;
  } catch (error) {
    cancel(error);
    throw error;
  }
}
