// The content of a response, until it is sent or somebody reads it. Text and bytes are kept as they are; what only the
// platform can do with content is done by a Response of the platform, which has it from then on.

import { decodedText, decodeText, isSource, streamOfSource, type ResponseContent } from './content.ts';
import { isDisturbed, isTouched, memoryOf, octetsOf, streamOfMemory } from './memory-stream.ts';
import { platform } from './platform.ts';
import type { PlatformBody } from './response-init.ts';

/** Text, bytes or nothing, also where a stream consists of them untouched; undefined for any other content. */
export function inMemory(content: ResponseContent): string | Uint8Array | null | undefined {
  if (content === null || typeof content === 'string' || content instanceof Uint8Array) return content;
  return content instanceof ReadableStream ? memoryOf(content) : undefined;
}

export class HttpBody {
  readonly #content: ResponseContent;
  /** The stream of text or bytes that `stream` gave. */
  #stream: ReadableStream<Uint8Array> | undefined = undefined;
  /** Has the content, once only the platform can do what is asked. */
  #native: Response | undefined;
  #taken = false;

  constructor(content: ResponseContent, native?: Response) {
    this.#content = content;
    this.#native = native;
  }

  get native(): Response | undefined {
    return this.#native;
  }

  /** `body` of a Response. */
  get stream(): ReadableStream | null {
    const content = this.#content;
    if (this.#native !== undefined) return this.#native.body;
    if (content === null || content instanceof ReadableStream) return content;
    if (this.#taken || (typeof content !== 'string' && !(content instanceof Uint8Array))) return this.toNative().body;
    this.#stream ??= streamOfMemory(content);
    return this.#stream;
  }

  /** `bodyUsed` of a Response. */
  get used(): boolean {
    if (this.#native !== undefined) return this.#native.bodyUsed;
    const stream = this.#stream ?? this.#content;
    return this.#taken || (stream instanceof ReadableStream && isDisturbed(stream));
  }

  get isUntouched(): boolean {
    return !this.#taken && this.#stream === undefined && this.#native === undefined;
  }

  /** Text, bytes or nothing that nobody has read; undefined for any other content. */
  inMemory(): string | Uint8Array | null | undefined {
    if (this.#native !== undefined || this.#taken) return undefined;
    if (this.#stream !== undefined) return memoryOf(this.#stream);
    return inMemory(this.#content);
  }

  /** The content to send, once. Undefined when it has been read already. */
  take(): ResponseContent | undefined {
    const native = this.#native;
    if (native !== undefined) return native.bodyUsed ? undefined : native.body;
    const inMemory = this.inMemory();
    // Text and bytes may be sent more than once, so that a handler can keep a constant response.
    if (inMemory !== undefined) return inMemory;
    if (this.#taken || this.#stream !== undefined) return undefined;
    const content = this.#content;
    if (content instanceof ReadableStream && isTouched(content)) return undefined;
    this.#taken = true;
    return content;
  }

  async text(): Promise<string> {
    const content = this.#readMemory();
    if (content === undefined) return this.toNative().text();
    return typeof content === 'string' ? decodedText(content) : decodeText(content);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const content = this.#readMemory();
    return content === undefined ? this.toNative().arrayBuffer() : octetsOf(content).buffer;
  }

  /** Throws a TypeError where it has been read, or is being read. */
  clone(): HttpBody {
    const stream = this.#stream ?? this.#content;
    if (this.used || (this.#native === undefined && stream instanceof ReadableStream && stream.locked))
      throw new TypeError('the content of the response has been read already');
    const inMemory = this.inMemory();
    return inMemory === undefined ? new HttpBody(null, this.toNative().clone()) : new HttpBody(inMemory);
  }

  /** The content in a Response of the platform. */
  toNative(): Response {
    if (this.#native !== undefined) return this.#native;
    const content = this.#content;
    if (isSource(content) && this.#taken) throw new TypeError('the content of the response has been read already');
    const stream = this.#stream ?? (isSource(content) ? streamOfSource(content) : content);
    // Text brings a type along, which stands in our headers if anywhere.
    const native = new (platform().Response)((typeof stream === 'string' ? octetsOf(stream) : stream) as PlatformBody);
    // What was read without a stream is, to whoever asks for one, a stream that was read.
    if (this.#taken) native.arrayBuffer().catch(() => undefined);
    this.#native = native;
    return native;
  }

  /** The same with this Content-Type, or none: blobs and forms are made by it. */
  ofType(type: string | null): Response {
    const native = this.toNative();
    if (native.headers.get('content-type') === type) return native;
    if (type === null) native.headers.delete('content-type');
    else native.headers.set('content-type', type);
    return native;
  }

  /** Text or bytes for a reader. Undefined where only the platform can read. */
  #readMemory(): string | Uint8Array | undefined {
    if (this.#native !== undefined || this.#stream !== undefined) return undefined;
    const content = this.#content;
    if (content === null) return '';
    if (typeof content !== 'string' && !(content instanceof Uint8Array)) return undefined;
    if (this.#taken) throw new TypeError('the content of the response has been read already');
    this.#taken = true;
    return content;
  }
}
