// The `Request` that a handler gets. Nothing of it is made before it is asked for: a platform Request costs more to
// construct than the rest of a small exchange.

import type { OwnBytes, RequestBody } from './request-body.ts';
import type { RequestHead } from '../semantics/request-head.ts';
import { RequestHeaders } from './request-headers.ts';

// Paths that the URL parser leaves as they are: no dot segments, nothing it would escape.
const PLAIN_PATH = /^\/(?!\/)(?!\.)(?:[A-Za-z0-9_~!$&()*+,;=:@?-]|\/(?!\.)|(?<!\/)\.|%(?!2[Ee]))*$/;

// What a server has no use for keeps the values of a new Request.
const UNUSED = {
  cache: 'default',
  credentials: 'same-origin',
  destination: '',
  duplex: 'half',
  integrity: '',
  keepalive: false,
  mode: 'cors',
  redirect: 'follow',
  referrer: 'about:client',
  referrerPolicy: '',
} as const;

/** For the engine: the request has preconditions or ranges. */
export let isConditional: (request: HttpRequest) => boolean;

/** For the engine: aborts `request.signal`, since the exchange ended early. */
export let abortRequest: (request: HttpRequest, reason: Error) => void;

/**
 * Satisfies `instanceof Request`. Because platform code reads internal slots that only its own objects have, hand
 * `request.clone()` to `fetch()` or `new Request()` instead of the request itself.
 */
export class HttpRequest implements Request {
  readonly #head: RequestHead;
  readonly #origin: string;
  readonly #body: RequestBody | undefined;
  #url: string | undefined;
  #headers: RequestHeaders | undefined;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;
  #native: Request | undefined;

  constructor(head: RequestHead, origin: string, body: RequestBody | undefined) {
    this.#head = head;
    this.#origin = origin;
    this.#body = body;
  }

  get method(): string {
    return this.#head.method;
  }

  get url(): string {
    if (this.#url === undefined) {
      const { path } = this.#head;
      this.#url = PLAIN_PATH.test(path) ? this.#origin + path : urlText(this.#origin, path);
    }
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= new RequestHeaders(this.#head.fieldLines);
    // Its prototype chain makes it one.
    const headers: unknown = this.#headers;
    return headers as Headers;
  }

  /** Aborted when the peer is gone before its response is complete. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  // For the functions above, which index.ts does not export.
  static {
    isConditional = (request) => request.#head.isConditional;

    abortRequest = (request, reason) => {
      request.#abortReason = reason;
      request.#controller?.abort(reason);
    };
  }

  get body(): ReadableStream | null {
    if (this.#native !== undefined) return this.#native.body;
    return this.#body?.stream() ?? null;
  }

  get bodyUsed(): boolean {
    return this.#native?.bodyUsed ?? this.#body?.disturbed ?? false;
  }

  text(): Promise<string> {
    if (this.#native !== undefined) return this.#native.text();
    return this.#body?.text() ?? Promise.resolve('');
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#native !== undefined) return this.#native.arrayBuffer();
    const bytes = await this.#collect();
    return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  }

  async bytes(): Promise<OwnBytes> {
    return new Uint8Array(await this.arrayBuffer());
  }

  blob(): Promise<Blob> {
    return this.#makeNative().blob();
  }

  formData(): Promise<FormData> {
    const form: FormReader = this.#makeNative();
    return form.formData();
  }

  /** A platform Request with the same content. */
  clone(): Request {
    return this.#makeNative().clone();
  }

  get cache(): (typeof UNUSED)['cache'] {
    return UNUSED.cache;
  }

  get credentials(): (typeof UNUSED)['credentials'] {
    return UNUSED.credentials;
  }

  get destination(): (typeof UNUSED)['destination'] {
    return UNUSED.destination;
  }

  get duplex(): (typeof UNUSED)['duplex'] {
    return UNUSED.duplex;
  }

  get integrity(): (typeof UNUSED)['integrity'] {
    return UNUSED.integrity;
  }

  get keepalive(): (typeof UNUSED)['keepalive'] {
    return UNUSED.keepalive;
  }

  get mode(): (typeof UNUSED)['mode'] {
    return UNUSED.mode;
  }

  get redirect(): (typeof UNUSED)['redirect'] {
    return UNUSED.redirect;
  }

  get referrer(): (typeof UNUSED)['referrer'] {
    return UNUSED.referrer;
  }

  get referrerPolicy(): (typeof UNUSED)['referrerPolicy'] {
    return UNUSED.referrerPolicy;
  }

  #collect(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#body === undefined ? Promise.resolve(new Uint8Array(0)) : this.#body.collect();
  }

  #makeNative(): Request {
    if (this.#native === undefined) {
      const { method } = this.#head;
      const mayHaveBody = method !== 'GET' && method !== 'HEAD';
      this.#native = new Request(this.url, {
        method,
        headers: [...this.headers],
        signal: this.signal,
        ...(mayHaveBody && this.#body !== undefined && { body: this.#body.stream(), duplex: 'half' as const }),
      });
    }
    return this.#native;
  }
}

/** The platform's type marks the method as unwise for servers; a handler that calls it has chosen it. */
interface FormReader {
  formData(): Promise<FormData>;
}

/** A request as handlers are typed to take it: its prototype chain makes it one. */
export function asRequest(request: HttpRequest): Request {
  const seen: unknown = request;
  return seen as Request;
}

Object.setPrototypeOf(HttpRequest.prototype, Request.prototype);

/** `origin` and `path` as the URL parser writes them. A path that starts with `//` stays a path. */
function urlText(origin: string, path: string): string {
  try {
    return new URL(origin + path).href;
  } catch {
    return origin + path;
  }
}

/** The origins of one connection's requests. Clients name the same host again and again. */
export class OriginCache {
  readonly #scheme: 'http' | 'https';
  #authority: string | undefined;
  #origin = '';

  constructor(scheme: 'http' | 'https') {
    this.#scheme = scheme;
  }

  /** As the URL parser writes it. An authority that it does not take, or none (HTTP/1.0), is `localhost`. */
  originOf(authority: string): string {
    if (authority !== this.#authority) {
      this.#authority = authority;
      const url = `${this.#scheme}://${authority}`;
      this.#origin = URL.canParse(url) ? new URL(url).origin : `${this.#scheme}://localhost`;
    }
    return this.#origin;
  }
}
