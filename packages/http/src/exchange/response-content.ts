// Taking responses apart: ours by its parts, a platform Response by its source where Node lets it be seen or its stream,
// and what only looks like a Response by what it says of itself.

import { fail, ok, type Result } from '@wellknown/core';
import { asError, cancelStream } from './foreign-values.ts';
import { encodeHead, type EncodedHead, type ExchangeFacts, type ResponseParts } from './response-head.ts';
import { isSource, type ResponseContent } from '../fetch/content.ts';
import { fieldsToRelay } from '../fetch/decoded-coding.ts';
import { isInstance, platform } from '../fetch/platform.ts';
import { headersOf, isHttpResponse, takeContent, type HttpResponse } from '../fetch/response.ts';
import { unwrapped } from './srvx-response.ts';

interface TakenResponse {
  readonly parts: ResponseParts;
  readonly content: ResponseContent;
}

/**
 * The parts of a response, the head made of them, and its content, which can be taken once; or a sentence for the log
 * about why it can't be sent. Never throws, whatever a handler gave.
 */
export function encodeResponse(
  given: unknown,
  facts: ExchangeFacts,
): Result<TakenResponse & { readonly head: EncodedHead }, string> {
  const taken = takeResponse(given);
  if (!taken.ok) return taken;
  const { parts, content } = taken.value;
  let head: Result<EncodedHead, string>;
  try {
    head = encodeHead(parts, facts);
  } catch (error) {
    head = fail(`the response can't be read: ${asError(error).message}`);
  }
  if (head.ok) return ok({ parts, content, head: head.value });
  discardContent(content);
  return head;
}

function takeResponse(given: unknown): Result<TakenResponse, string> {
  try {
    const response = unwrapped(given);
    if (isHttpResponse(response)) return taken(response, takeContent(response), headersOf(response));
    if (!isResponse(response)) return fail('a handler has to answer with a Response');
    return taken(response, contentOf(response), [...fieldsToRelay(response)]);
  } catch (error) {
    return fail(`the response can't be read: ${asError(error).message}`);
  }
}

function taken(
  { status, statusText }: HttpResponse | Response,
  content: ResponseContent | undefined,
  headers: ResponseParts['headers'],
): Result<TakenResponse, string> {
  if (content === undefined) return fail('the content of the response has been read already');
  return ok({
    content,
    parts: { status, statusText, headers, content: kindOf(content), byteLength: lengthOf(content) },
  });
}

/** A Response of the platform's or of another library's: GraphQL Yoga answers with one of its own. */
function isResponse(value: unknown): value is Response {
  if (typeof value !== 'object' || value === null) return false;
  if (isInstance(platform().Response, value)) return true;
  const { status, headers, arrayBuffer } = value as Partial<Record<keyof Response, unknown>>;
  return (
    'body' in value &&
    typeof status === 'number' &&
    typeof arrayBuffer === 'function' &&
    typeof headers === 'object' &&
    headers !== null &&
    Symbol.iterator in headers
  );
}

/** The content of a response that is none of ours, once; undefined when it has been read already. */
function contentOf(response: Response): ResponseContent | undefined {
  if (response.bodyUsed) return undefined;
  const source = sourceOf(response);
  if (source !== undefined) return source;
  const body: unknown = response.body;
  if (body === null || body === undefined) return null;
  return body instanceof ReadableStream ? body : streamOf(response);
}

/** Of a response whose `body` is no stream that the platform knows. */
const streamOf = (response: Response): ReadableStream<Uint8Array> =>
  new ReadableStream({
    async pull(controller) {
      controller.enqueue(new Uint8Array(await response.arrayBuffer()));
      controller.close();
    },
  });

function kindOf(content: ResponseContent): ResponseParts['content'] {
  if (content === null) return 'empty';
  return content instanceof ReadableStream ? 'unknown' : 'bytes';
}

function lengthOf(content: ResponseContent): number {
  if (content === null) return 0;
  if (typeof content === 'string') return Buffer.byteLength(content);
  return content instanceof Uint8Array || isSource(content) ? content.byteLength : 0;
}

/** Releases content that will not be sent. */
export function discardContent(content: ResponseContent): void {
  try {
    if (content instanceof ReadableStream) cancelStream(content);
    else if (isSource(content)) content.close();
  } catch {
    // It is the handler's, and nobody waits for it.
  }
}

/** Releases a response that came too late or can't be sent. */
export function discardResponse(response: unknown): void {
  const taken = takeResponse(response);
  if (taken.ok) discardContent(taken.value.content);
}

export const isThenable = (result: unknown): result is Promise<unknown> =>
  typeof (result as { readonly then?: unknown } | null | undefined)?.then === 'function';

// What a platform Response was made of, where the running Node lets it be seen. Reading its stream costs several times
// what the rest of a small response costs. Node keeps text and bytes beside the stream, under a symbol up to version
// 22; where they are not to be found, the stream is read. All undocumented access of this package is in this file.

interface ResponseState {
  readonly body?: { readonly source?: unknown; readonly length?: unknown } | null;
}

/** The symbol under which this Node's responses keep their state; null where there is none. */
let stateSymbol: symbol | null | undefined;

const findStateSymbol = (response: Response): symbol | null =>
  Object.getOwnPropertySymbols(response).find(({ description }) => description === 'state') ?? null;

/**
 * The text or bytes that a Response, of which nothing has been read, was made of; undefined when that can't be told.
 */
function sourceOf(response: Response): string | Uint8Array | undefined {
  stateSymbol ??= findStateSymbol(new (platform().Response)('x'));
  if (stateSymbol === null) return undefined;
  const state = (response as unknown as Readonly<Record<symbol, ResponseState | undefined>>)[stateSymbol];
  const { source, length } = state?.body ?? {};
  if (typeof source === 'string') return source;
  // Whoever reads a clone takes the memory along. What has been taken is in the stream; a copy can't be taken any more.
  return source instanceof Uint8Array && source.byteLength === length ? source.slice() : undefined;
}
