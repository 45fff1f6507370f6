// A `Response` that keeps what it was made of, so that the engine writes it without a stream in between. It does what
// the platform's does at the same moments (copies, checks, throws), and costs a fraction: the platform makes a stream of
// every text. What is not text, bytes, a stream or a source with plain fields is left to the platform's own, inside.

import { isSource, type OwnBytes, type ResponseContent } from './content.ts';
import { fieldsFrom, NO_FIELDS, type FieldSet, type ResponseHeaders } from './field-set.ts';
import { asHeaders, copyOf, fieldsGiven, fieldsOf, headersWith, type HttpHeaders } from './headers.ts';
import { fieldsOfRelayed } from './decoded-coding.ts';
import { INSPECT, type Inspect } from './inspect.ts';
import { HttpBody, inMemory } from './http-body.ts';
import { standFor } from './like-native.ts';
import { isInstance, platform } from './platform.ts';
import { redirectTarget } from './redirect-target.ts';
import { wholeMessage, type HeadFor } from './whole-message.ts';
import {
  contentOf,
  finalStatus,
  isWithoutContent,
  JsonText,
  reasonText,
  redirectStatus,
  TEXT_TYPE,
  typeOf,
  type PlatformBody,
  type ResponseBody,
} from './response-init.ts';

export interface HttpResponseInit {
  readonly status?: number | undefined;
  readonly statusText?: string | undefined;
  readonly headers?: ResponseHeaders | undefined;
}

const ANY_BASE = 'http://localhost';
const MAX_AT_ONCE_BYTES = 1_048_576;

// For this package only: what is inside a response, without a stream or headers made of it. --------------------------

/** True for one that this class made. An `instanceof` is no proof: others put their prototypes on top of it. */
export let isHttpResponse: (value: unknown) => value is HttpResponse;

/** A response as it stands: nothing is checked before it is written, and bytes are not copied. */
export let responseOf: (content: ResponseContent, init?: HttpResponseInit) => HttpResponse;

/** The headers as they stand: a set, or the platform's where its own response is inside. */
export let headersOf: (response: HttpResponse) => FieldSet | Headers;

/**
 * The whole message, head and content, as latin1 text of the same octets, where the content is text or few bytes and
 * nothing else is to be decided; otherwise undefined. `headFor` gives the head. What was written for the same Date line
 * is given again.
 */
export let writtenOf: (response: HttpResponse, dateLine: string, headFor: HeadFor) => string | undefined;

/**
 * Another response of the same for each caller of one that is kept: what is done to it is not done to the others. What
 * is written for any of them is kept with the one. For responses of text, bytes or nothing that nobody else has.
 */
export let copyOfKept: (kept: HttpResponse) => HttpResponse;

/** Content in memory that is too large to be copied and small enough to be handed to the socket at once. */
export let bytesOf: (response: HttpResponse) => Uint8Array | undefined;

/** The content, once. Undefined when it has been read already. */
export let takeContent: (response: HttpResponse) => ResponseContent | undefined;

/** The class that a handler's `new Response(…)` makes where it has taken the platform's place, and under its own name. */
export class HttpResponse implements Response {
  #content: ResponseContent = null;
  /** Made of the content when somebody asks for more than to have it sent: most don't. */
  #body: HttpBody | undefined = undefined;
  #fields: FieldSet = NO_FIELDS;
  #status = 200;
  #statusText = '';
  #headers: HttpHeaders | Headers | undefined = undefined;
  /**
   * What the engine wrote for it last, and the Date line in it: constant responses are kept by their handlers and sent
   * again. Of 13 bytes 0.8 µs become 0.5, of 10 kB 6.5 become 1.1.
   */
  #written = '';
  #writtenDate = '';
  /** The one that keeps what was written, where that is another. */
  #kept: HttpResponse | undefined = undefined;

  constructor(body?: ResponseBody, init?: HttpResponseInit | ResponseInit | null) {
    const content = contentOf(body);
    if (content === undefined || (init !== undefined && init !== null && typeof init !== 'object')) {
      // From here on it is what the platform's is.
      const native = new (platform().Response)(body as PlatformBody, init as unknown as ResponseInit);
      this.#body = new HttpBody(null, native);
      this.#headers = native.headers;
      this.#status = native.status;
      this.#statusText = native.statusText;
      return;
    }
    this.#content = content;
    const type = content === null ? '' : typeOf(body);
    let fields = NO_FIELDS;
    if (init !== undefined && init !== null) {
      const { status, statusText, headers } = init as HttpResponseInit;
      try {
        fields = this.#read(content, status, statusText, headers, init);
      } catch (error) {
        if (isSource(content)) content.close();
        // Of several mistakes the platform names another first.
        const given = Object.entries({ status, statusText, headers }).filter(([, value]) => value !== undefined);
        new (platform().Response)(content === null ? null : '', Object.fromEntries(given));
        throw error;
      }
    }
    this.#fields = type === '' ? fields : fields.withType(type);
  }

  /** Sets the status and its text, and returns the fields. */
  #read(content: ResponseContent, status: unknown, statusText: unknown, headers: unknown, init: object): FieldSet {
    if (status !== undefined) this.#status = finalStatus(status);
    if (statusText !== undefined && statusText !== '') this.#statusText = reasonText(statusText);
    if (content !== null && isWithoutContent(this.#status))
      throw new TypeError(`a response with status ${this.#status} has no content`);
    if (headers === undefined) return NO_FIELDS;
    const fields = fieldsGiven(headers);
    return content instanceof ReadableStream ? fieldsOfRelayed(fields, init, content) : fields;
  }

  /** A response with `value` as JSON. Throws a TypeError for what JSON has no text for, such as undefined. */
  static json(value: unknown, init?: HttpResponseInit | ResponseInit): HttpResponse {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError('the value has no JSON text');
    return new HttpResponse(new JsonText(text) as unknown as string, init);
  }

  /**
   * A redirect to `location`. One that is relative stays so, which the platform refuses: it has no base. What may not
   * stand in a URL is percent-encoded. Throws a TypeError for what is no URL, whatever it may be relative to.
   */
  static redirect(location: string | URL, status = 302): HttpResponse {
    const given: unknown = location;
    if (given === undefined || given === null) throw new TypeError('a redirect needs a location');
    if (!URL.canParse(String(location), ANY_BASE)) throw new TypeError(`'${String(location)}' is no URL`);
    const response = responseOf(null, {
      status: redirectStatus(status),
      headers: { Location: redirectTarget(String(location)) },
    });
    response.#headers = headersWith(response.#fields, true);
    return response;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return isInstance(this === HttpResponse ? platform().Response : this, value);
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
    return asHeaders((this.#headers ??= headersWith(this.#fields)));
  }

  // For the functions above, which index.ts does not export.
  static {
    isHttpResponse = (value): value is HttpResponse => typeof value === 'object' && value !== null && #content in value;

    responseOf = (content, { status = 200, statusText = '', headers } = {}) => {
      const response = new HttpResponse();
      response.#content = content;
      response.#status = status;
      response.#statusText = statusText;
      const fields = fieldsFrom(headers);
      response.#fields = typeof content === 'string' ? fields.withType(TEXT_TYPE) : fields;
      return response;
    };

    headersOf = (response) => response.#currentFields() ?? asHeaders(response.#headers ?? {});

    copyOfKept = (kept) => {
      const response = new HttpResponse();
      response.#content = kept.#content;
      response.#fields = kept.#fields;
      response.#status = kept.#status;
      response.#statusText = kept.#statusText;
      response.#kept = kept;
      return response;
    };

    writtenOf = (response, dateLine, headFor) => {
      const fields = response.#currentFields();
      const keeper = response.#kept ?? response;
      if (keeper.#writtenDate === dateLine && fields === response.#fields && response.#body?.isUntouched !== false)
        return keeper.#written;
      const status = response.#status;
      if (fields === undefined || response.#statusText !== '' || isWithoutContent(status)) return undefined;
      const content = response.#inMemory();
      if (content === undefined) return undefined;
      const written = wholeMessage(status, fields, content, dateLine, headFor);
      if (written !== undefined && fields === response.#fields) {
        keeper.#written = written;
        keeper.#writtenDate = dateLine;
      }
      return written;
    };

    bytesOf = (response) => {
      const content = response.#inMemory();
      if (!(content instanceof Uint8Array) || content.byteLength > MAX_AT_ONCE_BYTES || content.byteLength === 0)
        return undefined;
      return response.#statusText !== '' || isWithoutContent(response.#status) ? undefined : content;
    };

    takeContent = (response) => {
      const inMemory = response.#inMemory();
      return inMemory === undefined ? response.#open().take() : inMemory;
    };
  }

  get body(): ReadableStream | null {
    return this.#open().stream;
  }

  get bodyUsed(): boolean {
    return this.#open().used;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#open().arrayBuffer();
  }

  async bytes(): Promise<OwnBytes> {
    return new Uint8Array(await this.arrayBuffer());
  }

  async blob(): Promise<Blob> {
    return this.#open().ofType(this.headers.get('content-type')).blob();
  }

  async formData(): Promise<FormData> {
    const form: { formData(): Promise<FormData> } = this.#open().ofType(this.headers.get('content-type'));
    return form.formData();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  async text(): Promise<string> {
    return this.#open().text();
  }

  clone(): HttpResponse {
    const copy = new HttpResponse();
    copy.#body = this.#open().clone();
    copy.#fields = this.#fields;
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    const headers = this.#headers;
    if (headers !== undefined)
      copy.#headers = fieldsOf(headers) === undefined ? copy.#body.native?.headers : copyOf(headers as HttpHeaders);
    return copy;
  }

  get type(): Response['type'] {
    return this.#body?.native?.type ?? 'default';
  }

  get url(): string {
    return this.#body?.native?.url ?? '';
  }

  get redirected(): boolean {
    return this.#body?.native?.redirected ?? false;
  }

  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    const { status, statusText, headers, bodyUsed, ok, redirected, type, url } = this;
    const content = this.#content;
    const body = this.#body?.native === undefined && isSource(content) ? content : this.body;
    return `Response ${inspect({ status, statusText, headers, body, bodyUsed, ok, redirected, type, url }, options)}`;
  }

  #open(): HttpBody {
    return (this.#body ??= new HttpBody(this.#content));
  }

  /** Text, bytes or nothing that nobody has read; undefined for any other content. */
  #inMemory(): string | Uint8Array | null | undefined {
    return this.#body === undefined ? inMemory(this.#content) : this.#body.inMemory();
  }

  /** Undefined where the platform's own response is inside. */
  #currentFields(): FieldSet | undefined {
    const headers = this.#headers;
    if (headers === undefined) return this.#fields;
    return fieldsOf(headers);
  }
}

standFor(HttpResponse, 'Response');
