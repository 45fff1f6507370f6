// How long a request's content is, decided from its head alone. Every disagreement between two readers of the same
// bytes about this question is a smuggled request, so whatever is not plainly one of the three shapes is refused.

import { isToken } from './char-classes.ts';
import type { Refusal } from './refusals.ts';

export type Framing =
  { readonly body: 'none' } | { readonly body: 'length'; readonly byteLength: number } | { readonly body: 'chunked' };

/** What the header section says about framing. */
export interface FramingFacts {
  readonly minorVersion: number;
  /**
   * The values of Content-Length and Transfer-Encoding; undefined where the field is absent. Repeated fields never get
   * here.
   */
  readonly contentLength: string | undefined;
  readonly transferEncoding: string | undefined;
}

const NONE: Framing = { body: 'none' };
const CHUNKED: Framing = { body: 'chunked' };

/** The framing, or the refusal that RFC 9112 §6.3 calls for. A string is a refusal. */
export function decideFraming({ minorVersion, contentLength, transferEncoding }: FramingFacts): Framing | Refusal {
  if (transferEncoding !== undefined) {
    if (minorVersion === 0) return 'coding-in-1.0';
    if (contentLength !== undefined) return 'length-and-coding';
    return transferEncoding.toLowerCase() === 'chunked' ? CHUNKED : refusalOfCoding(transferEncoding);
  }
  if (contentLength === undefined) return NONE;
  const byteLength = parseContentLength(contentLength);
  if (byteLength === undefined) return 'content-length-invalid';
  return byteLength === 0 ? NONE : { body: 'length', byteLength };
}

/** 1*DIGIT up to 2^53 - 1 (RFC 9110 §8.6). A sign, a list or a space inside is no number. */
export function parseContentLength(text: string): number | undefined {
  // 2^53 has 16 digits; no sender writes leading zeros beyond this.
  if (text.length === 0 || text.length > 20) return undefined;
  let value = 0;
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/**
 * A list that ends in one plain `chunked` is well formed but not implemented; anything else has no end that both sides
 * agree on.
 */
function refusalOfCoding(value: string): Refusal {
  const codings = value.split(',').map((coding) => coding.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase());
  const last = codings.pop();
  const others = codings.every((coding) => isToken(coding.replace(/[ \t]*;.*$/, '')) && !coding.startsWith('chunked'));
  return last === 'chunked' && others ? 'coding-unknown' : 'coding-invalid';
}
