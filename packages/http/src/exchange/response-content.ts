// Taking responses apart: ours by its parts, a platform Response by its source where Node lets it be seen, or its
// stream.

import type { ResponseParts } from './response-head.ts';
import { headersOf, HttpResponse, isSource, takeContent, type ResponseContent } from '../fetch/response.ts';

/** The content of a response, once; undefined when it has been read already. */
export function contentOf(response: Response): ResponseContent | undefined {
  if (response instanceof HttpResponse) return takeContent(response);
  if (response.bodyUsed) return undefined;
  return sourceOf(response) ?? (response.body as ReadableStream<Uint8Array> | null);
}

export function partsOf(response: Response, content: ResponseContent): ResponseParts {
  const isOurs = response instanceof HttpResponse;
  return {
    status: response.status,
    statusText: response.statusText,
    headers: isOurs ? headersOf(response) : response.headers,
    // The type of a platform Response's text stands in its headers, or was taken out of them on purpose.
    content: isOurs || typeof content !== 'string' ? kindOf(content) : 'bytes',
    byteLength: lengthOf(content),
  };
}

function kindOf(content: ResponseContent): ResponseParts['content'] {
  if (content === null) return 'empty';
  if (typeof content === 'string') return 'text';
  return content instanceof Uint8Array || isSource(content) ? 'bytes' : 'unknown';
}

function lengthOf(content: ResponseContent): number {
  if (content === null) return 0;
  if (typeof content === 'string') return Buffer.byteLength(content);
  return content instanceof Uint8Array || isSource(content) ? content.byteLength : 0;
}

/** Releases content that will not be sent. */
export function discardContent(content: ResponseContent): void {
  if (content instanceof ReadableStream) content.cancel().catch(() => undefined);
  else if (content !== null && isSource(content)) content.close();
}

/** Releases a response that came too late or can't be sent. */
export function discardResponse(response: unknown): void {
  if (response instanceof Response) discardContent(contentOf(response) ?? null);
}

export const isThenable = (result: unknown): result is Promise<unknown> =>
  typeof (result as { readonly then?: unknown } | null | undefined)?.then === 'function';

// What a platform Response was made of, where the running Node lets it be seen. Reading its stream costs several times
// what the rest of a small response costs. Node keeps text and bytes beside the stream, under a symbol up to version
// 22; where they are not to be found, the stream is read. All undocumented access of this package is in this file.

interface ResponseState {
  readonly body?: { readonly source?: unknown } | null;
}

/** The symbol under which this Node's responses keep their state. */
const STATE = Object.getOwnPropertySymbols(new Response('x')).find((symbol) => symbol.description === 'state');

/**
 * The text or bytes that a Response, of which nothing has been read, was made of; undefined when that can't be told.
 */
function sourceOf(response: Response): string | Uint8Array | undefined {
  if (STATE === undefined) return undefined;
  const state = (response as unknown as Readonly<Record<symbol, ResponseState | undefined>>)[STATE];
  const source = state?.body?.source;
  return typeof source === 'string' || source instanceof Uint8Array ? source : undefined;
}
