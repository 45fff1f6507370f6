// What the engine answers without asking a handler.

import { ALLOWED_BY_ENGINE, METHODS } from '../semantics/methods.ts';
import { REFUSALS, type Refusal } from '../semantics/refusals.ts';
import type { RequestHead } from '../semantics/request-head.ts';
import { responseOf, type HttpResponse } from '../fetch/response.ts';
import { statusLine } from '../semantics/statuses.ts';

/** The response to a request that is not a handler's business. */
export function engineResponse({ method }: RequestHead): HttpResponse {
  const spec = METHODS.get(method);
  if (spec === undefined || spec.answered === 'refused-501') {
    return responseOf('Not Implemented\n', { status: 501, headers: { Connection: 'close' } });
  }
  if (spec.answered === 'refused-405')
    return responseOf('Method Not Allowed\n', { status: 405, headers: { Allow: ALLOWED_BY_ENGINE } });
  // `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7).
  return responseOf(null, { status: 204, headers: { Allow: ALLOWED_BY_ENGINE } });
}

/** A whole response that refuses a request and announces the close. One to HEAD has no content (RFC 9110 §9.3.2). */
export function refusalText(refusal: Refusal, dateLine: string, isHead: boolean): string {
  const { status, text } = REFUSALS[refusal];
  return `${statusLine(status)}${dateLine}Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ${text.length + 1}\r\nConnection: close\r\n\r\n${isHead ? '' : `${text}\n`}`;
}
