// What the arguments of a response mean: its content, the type that the content brings along, status and status text.

import { isSource, sourceOfBlob, type ResponseContent } from './content.ts';
import { isTouched, octetsOf } from './memory-stream.ts';
import { platform } from './platform.ts';

/** What a response may be made of: all that the platform takes, and a source. */
export type ResponseBody = ResponseContent | PlatformBody;
export type PlatformBody = ConstructorParameters<typeof Response>[0];

/** Text that is JSON, which says its type. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export const TEXT_TYPE = 'text/plain;charset=UTF-8';
const FORM_TYPE = 'application/x-www-form-urlencoded;charset=UTF-8';
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
// A reason-phrase of RFC 9112 §4.
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The content, copied where its maker could still change it; undefined for what only the platform takes, or refuses. */
export function contentOf(body: unknown): ResponseContent | undefined {
  if (typeof body === 'string') return body;
  if (body === undefined || body === null) return null;
  if (body instanceof JsonText) return body.text;
  if (body instanceof ReadableStream) return isTouched(body) ? undefined : body;
  if (body instanceof Uint8Array) return octetsOf(body);
  if (body instanceof ArrayBuffer) return new Uint8Array(body.slice(0));
  if (ArrayBuffer.isView(body)) return octetsOf(new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
  if (isSource(body)) return body;
  if (body instanceof URLSearchParams) return body.toString();
  return body instanceof Blob ? sourceOfBlob(body) : undefined;
}

/** The media type that content has by itself, or none. */
export function typeOf(body: unknown): string {
  if (typeof body === 'string') return TEXT_TYPE;
  if (body instanceof JsonText) return 'application/json';
  if (body instanceof URLSearchParams) return FORM_TYPE;
  return body instanceof Blob ? body.type : '';
}

/** RFC 9110 §15.3.5, §15.3.6, §15.4.5. */
export const isWithoutContent = (status: number): boolean => status === 204 || status === 205 || status === 304;

/** What is no final status the platform refuses, or reads in its way. */
export const finalStatus = (status: unknown): number =>
  typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599
    ? status
    : new (platform().Response)(null, { status: status as number }).status;

/** The same for the status of a redirect: the platform takes a text that is a number too. */
export const redirectStatus = (status: unknown): number =>
  typeof status === 'number' && REDIRECTS.has(status)
    ? status
    : platform().Response.redirect('http://localhost/', status as 302).status;

/** The same for the text of a status. */
export const reasonText = (text: unknown): string =>
  typeof text === 'string' && REASON.test(text)
    ? text
    : new (platform().Response)(null, { statusText: text as string }).statusText;
