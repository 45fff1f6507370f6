// Character set (RFC 2066). We only ever speak UTF-8, so there is one thing to ask for and one to accept.

import { cleanClientBytes } from '../client-text.ts';

const REQUEST = 1;
const ACCEPTED = 2;
const REJECTED = 3;
const TTABLE_IS = 4;
const TTABLE_REJECTED = 5;

const encoder = new TextEncoder();
const withCode = (code: number, text = ''): Uint8Array => Uint8Array.of(code, ...encoder.encode(text));

// Names are registered by IANA with at most 40 characters; 64 of them is more than any client lists.
const MAX_NAME_CHARACTERS = 40;
const MAX_LIST_CHARACTERS = 64 * (MAX_NAME_CHARACTERS + 1);

/** Our request: the first byte after the code separates the names. */
export const CHARSET_REQUEST = withCode(REQUEST, ';UTF-8');

export type CharsetMessage =
  | { readonly type: 'request'; readonly charsets: readonly string[] }
  | { readonly type: 'accepted'; readonly charset: string }
  | { readonly type: 'rejected' }
  /** A translation table, which is not supported. */
  | { readonly type: 'table' };

/** Reads the peer's message; undefined when it makes no sense. */
export function parseCharset(payload: Uint8Array): CharsetMessage | undefined {
  const rest = payload.subarray(1);
  switch (payload[0]) {
    case REQUEST:
      return { type: 'request', charsets: parseList(rest) };
    case ACCEPTED:
      return { type: 'accepted', charset: cleanClientBytes(rest, MAX_NAME_CHARACTERS) };
    case REJECTED:
      return { type: 'rejected' };
    case TTABLE_IS:
      return { type: 'table' };
    default:
      return undefined;
  }
}

const TTABLE_MARK = '[TTABLE]';

function parseList(bytes: Uint8Array): readonly string[] {
  const text = cleanClientBytes(bytes, MAX_LIST_CHARACTERS);
  // A request may begin by offering a translation table: the mark, and one byte of version (which the cleaning took
  // out).
  const list = text.startsWith(TTABLE_MARK) ? text.slice(TTABLE_MARK.length) : text;
  const separator = list.charAt(0);
  return separator === '' ? [] : list.slice(1).split(separator);
}

/** Our answer to a request: UTF-8 as the peer spelled it, or a refusal. `charset` is what was agreed. */
export function answerCharsetRequest(charsets: readonly string[]): {
  readonly payload: Uint8Array;
  readonly charset: string | undefined;
} {
  const charset = charsets.find((name) => /^utf-?8$/i.test(name));
  return charset === undefined
    ? { payload: withCode(REJECTED), charset }
    : { payload: withCode(ACCEPTED, charset), charset };
}

export const CHARSET_TABLE_REJECTED = withCode(TTABLE_REJECTED);
