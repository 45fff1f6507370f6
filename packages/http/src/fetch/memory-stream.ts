// Text or bytes as the stream that a platform Response makes of them, which becomes one when somebody touches it: making a
// ReadableStream costs Node as much as the rest of a small response, and middleware that writes
// `new Response(response.body, response)` never reads it.
//
// All that makes an object a ReadableStream to Node it keeps under symbols. Read through getters that make the stream
// first, its own functions can't tell the difference. Where a Node can, streams are made at once. What is undocumented
// here is guarded by `isTaken`.

import { Readable } from 'node:stream';
import type { OwnBytes } from './content.ts';

const encoder = new TextEncoder();

/** The octets of text or bytes, in memory of their own. */
export const octetsOf = (content: string | Uint8Array): OwnBytes =>
  typeof content === 'string' ? encoder.encode(content) : new Uint8Array(content);

const makeStream = (content: string | Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const bytes = octetsOf(content);
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
      // A reader that brought a buffer of its own is told so.
      controller.byobRequest?.respond(0);
    },
  });

class LazyStream {
  readonly #content: string | Uint8Array;
  #stream: ReadableStream<Uint8Array> | undefined = undefined;

  constructor(content: string | Uint8Array) {
    this.#content = content;
  }

  static streamOf(lazy: LazyStream): ReadableStream<Uint8Array> {
    return (lazy.#stream ??= makeStream(lazy.#content));
  }

  static contentOf(stream: object): string | Uint8Array | undefined {
    return #content in stream ? stream.#content : undefined;
  }

  static isUntouched(stream: object): boolean {
    return #content in stream && stream.#stream === undefined;
  }
}

type Slots = Record<symbol, unknown>;
const SLOTS = Object.getOwnPropertySymbols(new ReadableStream());
for (const slot of SLOTS) {
  Object.defineProperty(LazyStream.prototype, slot, {
    configurable: true,
    get(this: LazyStream) {
      return (LazyStream.streamOf(this) as unknown as Slots)[slot];
    },
    set(this: LazyStream, value: unknown) {
      (LazyStream.streamOf(this) as unknown as Slots)[slot] = value;
    },
  });
}
Reflect.deleteProperty(LazyStream.prototype, 'constructor');
Object.setPrototypeOf(LazyStream.prototype, ReadableStream.prototype);

const lazyStream = (content: string | Uint8Array): ReadableStream<Uint8Array> => {
  const lazy: unknown = new LazyStream(content);
  return lazy as ReadableStream<Uint8Array>;
};

/** Whether this Node takes such an object for a stream, and makes it one by looking. */
function isTaken(): boolean {
  try {
    const stream = lazyStream('x');
    if (SLOTS.length === 0 || !LazyStream.isUntouched(stream) || stream.locked) return false;
    if (LazyStream.isUntouched(stream) || Readable.isDisturbed(stream as unknown as Readable)) return false;
    stream.getReader();
    return stream.locked;
  } catch {
    return false;
  }
}

/** Text or bytes as a stream. */
export const streamOfMemory: (content: string | Uint8Array) => ReadableStream<Uint8Array> = isTaken()
  ? lazyStream
  : makeStream;

/** Somebody has read from it, or cancelled it. */
export const isDisturbed = (stream: ReadableStream): boolean =>
  !LazyStream.isUntouched(stream) && Readable.isDisturbed(stream as unknown as Readable);

/** Somebody has read from it, or holds it to read from it. */
export const isTouched = (stream: ReadableStream): boolean =>
  !LazyStream.isUntouched(stream) && (stream.locked || isDisturbed(stream));

/** The text or bytes in a stream that nobody has touched, where they are known. */
export function memoryOf(stream: ReadableStream): string | Uint8Array | undefined {
  return isTouched(stream) ? undefined : LazyStream.contentOf(stream);
}
