// A `Response` that keeps what it was made of, so that the engine writes it without a stream in between.

import type { OwnBytes } from './request-body.ts';

/** Content with a known length that is read piece by piece, such as a range of a file. */
export interface ContentSource {
  readonly byteLength: number;
  /** Fills `into` from its start and resolves with the number of bytes, 0 when there is nothing more. */
  read(into: Uint8Array): Promise<number>;
  /** Called exactly once, when it is read or given up. */
  close(): void;
}

export type ResponseContent = string | Uint8Array | ContentSource | ReadableStream<Uint8Array> | null;
export type ResponseHeaders = Headers | readonly (readonly [string, string])[] | Readonly<Record<string, string>>;

export interface HttpResponseInit {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: ResponseHeaders | undefined;
}

/** Whole heads, for what `writtenOf` asks. */
export interface HeadSource {
  headFor(
    status: number,
    headers: ResponseHeaders | undefined,
    isText: boolean,
    byteLength: number,
    dateLine: string,
  ): string | undefined;
}

const SOURCE_CHUNK_BYTES = 65_536;
// Larger content is not copied into one text with its head.
const MAX_WRITTEN_BYTES = 16_384;
const MAX_AT_ONCE_BYTES = 262_144;
const JSON_TYPE = { 'content-type': 'application/json' } as const;

// What only a fetched response can differ in.
const UNUSED = { type: 'default', url: '', redirected: false } as const;

// For the engine only: what is inside a response, without a stream or a `Headers` made of it. ------------------------

/** The headers as they stand. */
export let headersOf: (response: HttpResponse) => ResponseHeaders | undefined;

/**
 * The whole message, head and content, as latin1 text of the same octets, where the content is text or few bytes and
 * nothing else is to be decided; otherwise undefined. `heads` gives the head. What was written for the same Date line
 * is given again.
 */
export let writtenOf: (response: HttpResponse, dateLine: string, heads: HeadSource) => string | undefined;

/** Content in memory that is too large to be copied and small enough to be handed to the socket at once. */
export let bytesOf: (response: HttpResponse) => Uint8Array | undefined;

/** The content, once. Undefined when it has been read already. */
export let takeContent: (response: HttpResponse) => ResponseContent | undefined;

/**
 * Made like a platform Response, and satisfies `instanceof Response`, but is written several times faster. A wrong
 * status or a header that can't be sent is found when it is written, and answered with 500.
 */
export class HttpResponse implements Response {
  readonly #content: ResponseContent;
  readonly #headersGiven: ResponseHeaders | undefined;
  readonly #status: number;
  readonly #statusText: string;
  #headers: Headers | undefined;
  #native: Response | undefined;
  #taken = false;
  /**
   * What the engine wrote for it last, and the Date line in it: constant responses are kept by their handlers and sent
   * again.
   */
  #written = '';
  #writtenDate = '';

  constructor(content: ResponseContent | undefined = null, init: HttpResponseInit = {}) {
    this.#content = content;
    this.#status = init.status ?? 200;
    this.#statusText = init.statusText ?? '';
    this.#headersGiven = init.headers;
  }

  /** A response with `value` as JSON. */
  static json(value: unknown, init: HttpResponseInit = {}): HttpResponse {
    if (init.headers === undefined) return new HttpResponse(JSON.stringify(value), { ...init, headers: JSON_TYPE });
    const response = new HttpResponse(JSON.stringify(value), init);
    if (!namesType(init.headers)) response.headers.set('content-type', JSON_TYPE['content-type']);
    return response;
  }

  /** A redirect to `location`, which may be relative. */
  static redirect(location: string, status: 301 | 302 | 303 | 307 | 308 = 302): HttpResponse {
    return new HttpResponse(null, { status, headers: { Location: location } });
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      const given = this.#headersGiven;
      this.#headers = new Headers();
      for (const [name, value] of entriesOf(given)) this.#headers.append(name, value);
      // As a platform Response does.
      if (typeof this.#content === 'string' && !this.#headers.has('content-type'))
        this.#headers.set('content-type', DEFAULT_TEXT_TYPE);
    }
    return this.#headers;
  }

  // What the engine asks of a response and users should not see: given to the functions below, which index.ts does not
  // export.
  static {
    headersOf = (response) => response.#headers ?? response.#headersGiven;

    writtenOf = (response, dateLine, heads) => {
      if (response.#writtenDate === dateLine && response.#headers === undefined) return response.#written;
      const content = response.#content;
      const status = response.#status;
      if (
        response.#native !== undefined ||
        response.#headers !== undefined ||
        response.#statusText !== '' ||
        status === 204 ||
        status === 205 ||
        status === 304
      )
        return undefined;
      let text: string;
      let byteLength: number;
      if (typeof content === 'string') {
        byteLength = Buffer.byteLength(content);
        if (byteLength > MAX_WRITTEN_BYTES) return undefined;
        // ASCII text is its own UTF-8; other text becomes one character for each octet.
        text = byteLength === content.length ? content : Buffer.from(content).toString('latin1');
      } else if (content === null) {
        text = '';
        byteLength = 0;
      } else if (content instanceof Uint8Array && content.byteLength <= MAX_WRITTEN_BYTES) {
        byteLength = content.byteLength;
        text = Buffer.from(content.buffer, content.byteOffset, byteLength).toString('latin1');
      } else return undefined;
      const head = heads.headFor(status, response.#headersGiven, typeof content === 'string', byteLength, dateLine);
      if (head === undefined) return undefined;
      response.#written = head + text;
      response.#writtenDate = dateLine;
      return response.#written;
    };

    bytesOf = (response) => {
      const content = response.#content;
      if (!(content instanceof Uint8Array) || content.byteLength > MAX_AT_ONCE_BYTES || content.byteLength === 0)
        return undefined;
      const status = response.#status;
      return response.#native !== undefined ||
        response.#statusText !== '' ||
        status === 204 ||
        status === 205 ||
        status === 304
        ? undefined
        : content;
    };

    takeContent = (response) => {
      if (response.#native !== undefined) return response.#native.bodyUsed ? undefined : response.#native.body;
      if (response.#taken) return undefined;
      // Text and bytes may be sent more than once, so that a handler can keep a constant response.
      response.#taken = isSource(response.#content) || response.#content instanceof ReadableStream;
      return response.#content;
    };
  }

  get body(): ReadableStream | null {
    return this.#makeNative().body;
  }

  get bodyUsed(): boolean {
    return this.#native?.bodyUsed ?? this.#taken;
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#makeNative().arrayBuffer();
  }

  blob(): Promise<Blob> {
    return this.#makeNative().blob();
  }

  async bytes(): Promise<OwnBytes> {
    return new Uint8Array(await this.#makeNative().arrayBuffer());
  }

  formData(): Promise<FormData> {
    const form: { formData(): Promise<FormData> } = this.#makeNative();
    return form.formData();
  }

  json(): Promise<unknown> {
    return this.#makeNative().json();
  }

  text(): Promise<string> {
    return this.#makeNative().text();
  }

  clone(): Response {
    // Headers may have been changed since the platform's was made.
    return new Response(this.#makeNative().clone().body, {
      status: this.#status,
      statusText: this.#statusText,
      headers: this.headers,
    });
  }

  get type(): (typeof UNUSED)['type'] {
    return UNUSED.type;
  }

  get url(): (typeof UNUSED)['url'] {
    return UNUSED.url;
  }

  get redirected(): (typeof UNUSED)['redirected'] {
    return UNUSED.redirected;
  }

  #makeNative(): Response {
    if (this.#native === undefined) {
      if (this.#taken) throw new TypeError('the content of the response has been read already');
      const content = this.#content;
      this.#native = new Response(isSource(content) ? streamOf(content) : content, {
        status: this.#status,
        statusText: this.#statusText,
        headers: this.headers,
      });
    }
    return this.#native;
  }
}

Object.setPrototypeOf(HttpResponse.prototype, Response.prototype);

export const DEFAULT_TEXT_TYPE = 'text/plain;charset=UTF-8';

export const isSource = (content: ResponseContent): content is ContentSource =>
  content !== null && typeof content === 'object' && !(content instanceof Uint8Array) && 'byteLength' in content;

/** The name and value pairs of headers in any of the forms that are taken. */
export function entriesOf(headers: ResponseHeaders | undefined): Iterable<readonly [string, string]> {
  if (headers === undefined) return [];
  return Symbol.iterator in headers ? headers : Object.entries(headers);
}

const namesType = (headers: ResponseHeaders): boolean =>
  Array.from(entriesOf(headers), ([name]) => name.toLowerCase()).includes('content-type');

function streamOf(source: ContentSource): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const buffer = new Uint8Array(SOURCE_CHUNK_BYTES);
        const byteLength = await source.read(buffer).catch((error: unknown) => {
          // A stream that fails is not cancelled as well.
          source.close();
          throw error;
        });
        if (byteLength > 0) {
          controller.enqueue(buffer.subarray(0, byteLength));
          return;
        }
        source.close();
        controller.close();
      },
      cancel: () => source.close(),
    },
    { highWaterMark: 0 },
  );
}
