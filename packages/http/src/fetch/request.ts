// The `Request` that a handler gets. Nothing of it is made before it is asked for: a platform Request costs more to
// construct than the rest of a small exchange.

import type { OwnBytes } from './content.ts';
import { INSPECT, type Inspect } from './inspect.ts';
import { standFor } from './like-native.ts';
import { platform } from './platform.ts';
import type { RequestBody } from './request-body.ts';
import { requestWithContent } from './request-with-content.ts';
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

/** For the engine: the request has preconditions or ranges, or is none of ours, which has to be asked. */
export let mayBeConditional: (request: object) => boolean;

/** For the engine: aborts `request.signal`, since the exchange ended early. */
export let abortRequest: (request: HttpRequest, reason: Error) => void;

/**
 * For this package: what `new Request()` and `fetch()` of the platform take in the place of one of ours; anything else
 * stays what it is. Where `init` brings other content, that of the request stays with it.
 */
export let forPlatform: <Input>(input: Input, init: RequestInit | undefined) => Input | Request;

/**
 * Satisfies `instanceof Request`. Platform code reads internal slots that only its own objects have: where
 * `@wellknown/http/globals` is not loaded, hand `request.clone()` to `fetch()` or `new Request()` instead of the request
 * itself. A request with GET or HEAD has no `body`, as on the platform; content that came with one can be read whole.
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
      if (this.#abortReason !== undefined) this.#controller.abort(abortError(this.#abortReason));
    }
    return this.#controller.signal;
  }

  // For the functions above, which index.ts does not export.
  static {
    mayBeConditional = (request) => !(#head in request) || request.#head.isConditional;

    forPlatform = (input, init) => {
      if (typeof input !== 'object' || input === null || !(#head in input)) return input;
      const request = input as unknown as HttpRequest;
      const hasOwnContent = init?.body !== undefined && init.body !== null;
      return hasOwnContent ? new (platform().Request)(request.url, request.#initWithoutBody()) : request.#makeNative();
    };

    abortRequest = (request, reason) => {
      request.#abortReason = reason;
      request.#controller?.abort(abortError(reason));
    };
  }

  get body(): ReadableStream | null {
    if (this.#native !== undefined) return this.#native.body;
    return this.#mayHaveBody ? (this.#body?.stream() ?? null) : null;
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

  async blob(): Promise<Blob> {
    return (await this.#whole()).blob();
  }

  async formData(): Promise<FormData> {
    const form: FormReader = await this.#whole();
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

  #collect(): Promise<OwnBytes> {
    return this.#body === undefined ? Promise.resolve(new Uint8Array(0)) : this.#body.collect();
  }

  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    const { method, url, headers, bodyUsed, signal, referrer, referrerPolicy, mode, credentials, cache, redirect } =
      this;
    const shown = {
      method,
      url,
      headers,
      bodyUsed,
      signal,
      referrer,
      referrerPolicy,
      mode,
      credentials,
      cache,
      redirect,
    };
    return `Request ${inspect(shown, options)}`;
  }

  get #mayHaveBody(): boolean {
    const { method } = this.#head;
    return method !== 'GET' && method !== 'HEAD';
  }

  /** What only the platform can read, with the whole content: a Request would bring a stream and its signal along. */
  async #whole(): Promise<Request | Response> {
    if (this.#native !== undefined) return this.#makeNative();
    const bytes = await this.#collect();
    return new (platform().Response)(bytes, this.#typeInit());
  }

  #typeInit(): ResponseInit {
    const type = this.headers.get('content-type');
    return { headers: type === null ? {} : { 'content-type': type } };
  }

  #initWithoutBody(): RequestInit {
    return { method: this.#head.method, headers: [...this.headers], signal: this.signal };
  }

  #makeNative(): Request {
    if (this.#native !== undefined) return withFields(this.#native, this.#headers);
    const init = this.#initWithoutBody();
    const body = this.#body;
    if (body === undefined) this.#native = new (platform().Request)(this.url, init);
    else if (this.#mayHaveBody)
      this.#native = new (platform().Request)(this.url, { ...init, body: body.stream(), duplex: 'half' });
    else this.#native = requestWithContent(this.url, init, new (platform().Response)(body.stream(), this.#typeInit()));
    return this.#native;
  }
}

/** A platform Request whose fields are those that the handler has now. */
function withFields(request: Request, headers: RequestHeaders | undefined): Request {
  if (headers === undefined) return request;
  for (const name of [...request.headers.keys()]) request.headers.delete(name);
  for (const [name, value] of headers) request.headers.append(name, value);
  return request;
}

/** What libraries that are given the signal know as the end by an abort; why it came is its cause. */
const abortError = (cause: Error): DOMException => {
  const error = new DOMException(`the request was aborted: ${cause.message}`, 'AbortError');
  return Object.defineProperty(error, 'cause', { value: cause, configurable: true });
};

/** The platform's type marks the method as unwise for servers; a handler that calls it has chosen it. */
interface FormReader {
  formData(): Promise<FormData>;
}

/** A request as handlers are typed to take it: its prototype chain makes it one. */
export function asRequest(request: HttpRequest): Request {
  const seen: unknown = request;
  return seen as Request;
}

standFor(HttpRequest, 'Request');

/** `origin` and `path` as the URL parser writes them. A path that starts with `//` stays a path. */
function urlText(origin: string, path: string): string {
  try {
    return new URL(origin + path).href;
  } catch {
    return origin + path;
  }
}
