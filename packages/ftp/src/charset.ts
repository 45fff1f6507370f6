// Names on the wire and in a file system are bytes; here they are strings. The way there and back loses nothing.
//
// UTF-8 is the charset of RFC 2640. Bytes that are no UTF-8 become lone surrogates, U+DC80 to U+DCFF for the bytes 0x80
// to 0xFF, which no valid UTF-8 decodes to (the idea of PEP 383): so a name that some old system left behind can be listed,
// fetched, renamed and deleted like any other.

import { isUtf8 } from 'node:buffer';

/** How names, and with them command lines and listings, are written in bytes. */
export interface Charset {
  /** As in the IANA registry, lower case. */
  readonly name: string;
  /** Never throws. */
  decode(bytes: Uint8Array): string;
  encode(text: string): Uint8Array;
}

const ESCAPE = 0xdc00;
const LONE_ESCAPE = /[\udc80-\udcff]/u;
const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/** The text of bytes that should be UTF-8; each byte that is not becomes a lone surrogate. */
export function decodeName(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return textOf(bytes);
  let text = '';
  let validFrom = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += textOf(bytes.subarray(validFrom, at)) + String.fromCharCode(ESCAPE + (bytes[at] ?? 0));
    at += 1;
    validFrom = at;
  }
  return text + textOf(bytes.subarray(validFrom));
}

/** The bytes that `decodeName` was given. */
export function encodeName(text: string): Uint8Array {
  if (!LONE_ESCAPE.test(text)) return Buffer.from(text, 'utf8');
  const pieces: Uint8Array[] = [];
  for (const piece of text.split(/([\udc80-\udcff])/u)) {
    const code = piece.length === 1 ? piece.charCodeAt(0) : 0;
    pieces.push(
      code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff ? Uint8Array.of(code - ESCAPE) : Buffer.from(piece, 'utf8'),
    );
  }
  return Buffer.concat(pieces);
}

/** A name as an operating system takes it: a string where that says it all, otherwise bytes. */
export const nameForSystem = (text: string): string | Buffer =>
  LONE_ESCAPE.test(text) ? Buffer.from(encodeName(text)) : text;

/** How long the well-formed sequence at `at` is (Unicode, table 3-7); 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] ?? 0;
  if (second < lowest || second > highest) return 0;
  for (let next = at + 2; next < at + length; next += 1) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** UTF-8 in which nothing gets lost. */
export const UTF8: Charset = { name: 'utf-8', decode: decodeName, encode: encodeName };
