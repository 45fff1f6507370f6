// Character set (RFC 2066). Either side may ask for one of a list; translation tables are not supported.

import { cleanClientBytes } from '../client-text.ts';

const REQUEST = 1;
const ACCEPTED = 2;
const REJECTED = 3;
const TTABLE_IS = 4;
const TTABLE_REJECTED = 5;

/** The character sets that text can be in, in the order we like them. */
export const CHARSETS = ['UTF-8', 'ISO-8859-1', 'CP437', 'US-ASCII'] as const;
export type Charset = (typeof CHARSETS)[number];

// Other names that IANA has registered for them, and what clients write.
const SPELLINGS: Readonly<Record<Charset, RegExp>> = {
  'UTF-8': /^(cs)?utf-?8$/i,
  'ISO-8859-1': /^(iso[-_]?8859[-_]?1(:1987)?|latin-?1|l1|cp819|iso-ir-100)$/i,
  CP437: /^(cp|ibm|cspc8codepage)-?437$/i,
  'US-ASCII': /^(us-?)?ascii$|^ansi_x3\.4-19(68|86)$/i,
};

/** The character set of a name, however it is spelled. */
export const charsetOf = (name: string): Charset | undefined =>
  CHARSETS.find((charset) => SPELLINGS[charset].test(name));

const encoder = new TextEncoder();
const withCode = (code: number, text = ''): Uint8Array => Uint8Array.of(code, ...encoder.encode(text));

// Names are registered by IANA with at most 40 characters; 64 of them is more than any client lists.
const MAX_NAME_CHARACTERS = 40;
const MAX_LIST_CHARACTERS = 64 * (MAX_NAME_CHARACTERS + 1);

/** Our request: the first byte after the code separates the names. */
export const CHARSET_REQUEST: Uint8Array = withCode(REQUEST, `;${CHARSETS.join(';')}`);
export const CHARSET_REJECTED: Uint8Array = withCode(REJECTED);
export const CHARSET_TABLE_REJECTED: Uint8Array = withCode(TTABLE_REJECTED);

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

/** Our answer to a request: the one we like best, as the peer spelled it, or a refusal. `charset` is what was agreed. */
export function answerCharsetRequest(charsets: readonly string[]): {
  readonly payload: Uint8Array;
  readonly charset: Charset | undefined;
} {
  const charset = CHARSETS.find((liked) => charsets.some((name) => charsetOf(name) === liked));
  const spelled = charsets.find((name) => charsetOf(name) === charset);
  return charset === undefined || spelled === undefined
    ? { payload: CHARSET_REJECTED, charset: undefined }
    : { payload: withCode(ACCEPTED, spelled), charset };
}
