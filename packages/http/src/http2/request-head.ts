// The header list of an HTTP/2 request as the head that the same request of HTTP/1.1 would have had, so that everything
// after it is one and the same, and what is refused there is refused here. node:http2 has checked names, the length of
// content against Content-Length, and values, whose field it leaves out.

import { isAuthority, parseTarget } from '../semantics/authority.ts';
import { parseContentLength } from '../semantics/framing.ts';
import type { HttpLimits } from '../limits.ts';
import { everyOctet, TARGET } from '../semantics/char-classes.ts';
import { isForHandler } from '../semantics/methods.ts';
import { FORBIDDEN_TRAILERS } from '../semantics/header-semantics.ts';
import type { Refusal } from '../semantics/refusals.ts';
import type { RequestHead } from '../semantics/request-head.ts';

// What each field counts beyond its octets (RFC 9113 §6.5.2).
const FIELD_OVERHEAD_BYTES = 32;

/** The header list as it came from node:http2, and what it does not say. */
interface Http2Fields {
  readonly rawHeaders: readonly string[];
  /** How many fields the client has sent, where that is known. */
  readonly sentCount: number | undefined;
  /** No content follows. */
  readonly isComplete: boolean;
}

/** The limits are those of HTTP/1.1; `malformed` is the fault that has no status (RFC 9113 §8.1.1). */
export function readHttp2Head(
  { rawHeaders, sentCount, isComplete }: Http2Fields,
  limits: HttpLimits,
): RequestHead | Refusal | 'malformed' {
  if (lostFields(rawHeaders, sentCount)) return 'field-invalid';
  let method = '';
  let target = '';
  let authority = '';
  let host: string | undefined;
  let scheme = '';
  let contentTypes = 0;
  let expectation: string | undefined;
  let contentLength: string | undefined;
  let isConditional = false;
  let fieldLines = '';
  let listBytes = 0;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    listBytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
    if (name === ':method') method = value;
    else if (name === ':path') target = value;
    else if (name === ':authority') authority = value;
    else if (name === ':scheme') scheme = value;
    else if (!name.startsWith(':')) {
      if (name === 'host') {
        if (host !== undefined) return 'malformed';
        host = value;
      } else if (name === 'expect')
        expectation = expectation === undefined ? value.toLowerCase() : bothOf(expectation, value.toLowerCase());
      else if (name === 'content-type') contentTypes += 1;
      else if (name === 'content-length') contentLength = value;
      isConditional ||= name === 'range' || name.startsWith('if-');
      fieldLines += `${name}: ${value}\r\n`;
    }
  }
  if (target.length > limits.maxTargetBytes) return 'target-too-long';
  // Announced as SETTINGS_MAX_HEADER_LIST_SIZE, which is advice only.
  if (listBytes > limits.maxHeadBytes) return 'head-too-large';
  if (authority === '') authority = host ?? '';
  // Two names for the server would be two readings of the request (RFC 9113 §8.3.1).
  else if (host === undefined) fieldLines = `host: ${authority}\r\n${fieldLines}`;
  else if (host.toLowerCase() !== authority.toLowerCase()) return 'malformed';
  const parsed = parseTarget(method, method === 'CONNECT' ? authority : target);
  if (parsed === undefined || !isAuthority(authority)) return 'malformed';
  if (parsed.form === 'absolute' || !everyOctet(target, TARGET)) return 'target-invalid';
  // A CONNECT has none (RFC 9113 §8.5). Which of the two it is, the connection says.
  if (method !== 'CONNECT' && !/^https?$/i.test(scheme)) return 'target-invalid';
  if (contentTypes > 1) return 'content-type-repeated';
  if (expectation !== undefined && expectation !== '100-continue') return 'expectation-unknown';
  if (!isComplete && contentLength !== undefined && (parseContentLength(contentLength) ?? 0) > limits.maxBodyBytes)
    return 'body-too-large';
  return {
    method,
    target,
    path: parsed.path,
    authority,
    minorVersion: 1,
    needsTls: false,
    fieldLines,
    persistent: true,
    isConditional,
    isForHandler: isForHandler(method, parsed.path),
    framing: isComplete ? { body: 'none' } : { body: 'chunked' },
    expectsContinue: expectation !== undefined && !isComplete,
    wantsUpgrade: false,
  };
}

/** Of two expectations that are not the same, one is unknown. */
const bothOf = (one: string, other: string): string => (one === other ? one : `${one}, ${other}`);

/** The field lines of a trailer section, or the refusal that HTTP/1.1 has for it. */
export function readHttp2Trailers(
  rawTrailers: readonly string[],
  sentCount: number | undefined,
  { maxTrailerBytes }: HttpLimits,
): { readonly fieldLines: string } | Refusal {
  if (lostFields(rawTrailers, sentCount)) return 'field-invalid';
  let fieldLines = '';
  let listBytes = 0;
  for (let index = 0; index + 1 < rawTrailers.length; index += 2) {
    const name = rawTrailers[index] ?? '';
    const value = rawTrailers[index + 1] ?? '';
    if (FORBIDDEN_TRAILERS.has(name)) return 'trailer-forbidden';
    listBytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
    fieldLines += `${name}: ${value}\r\n`;
  }
  return listBytes > maxTrailerBytes ? 'trailers-too-large' : { fieldLines };
}

/** RFC 9113 §8.2.1: such a message is malformed, whatever is left of it. */
const lostFields = (rawFields: readonly string[], sentCount: number | undefined): boolean =>
  sentCount !== undefined && rawFields.length < 2 * sentCount;
