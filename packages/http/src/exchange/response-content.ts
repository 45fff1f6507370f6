// Taking answers apart, whoever made them: ours by its parts, a platform Response by its stream.

import { sourceOf } from '../fetch/platform-response.ts';
import type { ResponseParts } from './response-head.ts';
import { HttpResponse, isSource, type ResponseContent } from '../fetch/response.ts';

/** The content of an answer, once; undefined when somebody has read it. */
export function contentOf(response: Response): ResponseContent | undefined {
  if (response instanceof HttpResponse) return HttpResponse.takeContent(response);
  if (response.bodyUsed) return undefined;
  return sourceOf(response) ?? (response.body as ReadableStream<Uint8Array> | null);
}

export function partsOf(response: Response, content: ResponseContent): ResponseParts {
  const isOurs = response instanceof HttpResponse;
  return {
    status: response.status,
    statusText: response.statusText,
    headers: isOurs ? HttpResponse.headersOf(response) : response.headers,
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

/** Lets go of content that will not be sent. */
export function discardContent(content: ResponseContent): void {
  if (content instanceof ReadableStream) content.cancel().catch(() => undefined);
  else if (content !== null && isSource(content)) content.close();
}

/** Lets go of an answer that came too late or can't be sent. */
export function discardResponse(response: unknown): void {
  if (response instanceof Response) discardContent(contentOf(response) ?? null);
}

export const isThenable = (result: unknown): result is Promise<unknown> =>
  typeof (result as { readonly then?: unknown } | null | undefined)?.then === 'function';
