// Text in the character set of the client, in both directions. UTF-8 is the rule; an old terminal or a BBS client may
// have agreed to something smaller, and then what that lacks is written in the letters it has.

import type { Charset } from './engine/options/charset.ts';
import { textLibraries } from './text-libraries.ts';

export interface TextEncoding {
  readonly charset: Charset;
  /** Never fails: what the character set lacks is transliterated. */
  encode(text: string): Uint8Array;
  /** Never fails: what is no character is U+FFFD. For whole characters: keeps nothing from call to call. */
  decode(bytes: Uint8Array): string;
}

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const UTF_8: TextEncoding = {
  charset: 'UTF-8',
  encode: (text) => utf8Encoder.encode(text),
  decode: (bytes) => utf8Decoder.decode(bytes),
};

/** An encoding of one byte for each character. `size` of its codes are known. */
function singleByte(charset: Charset, size: number): TextEncoding {
  const { iconv } = textLibraries;
  const codes = new Map<string, number>();
  const every = Uint8Array.from({ length: size }, (_, code) => code);
  Array.from(iconv.decode(Buffer.from(every), charset)).forEach((character, code) => codes.set(character, code));
  return {
    charset,
    encode(text) {
      const bytes: number[] = [];
      // Composed first: an e and its accent are one letter there.
      for (const character of text.normalize('NFC')) {
        const code = codes.get(character);
        if (code !== undefined) bytes.push(code);
        // What nobody can spell, such as a private character, is shown to be missing.
        else bytes.push(...utf8Encoder.encode(textLibraries.anyAscii(character) || '?'));
      }
      return Uint8Array.from(bytes);
    },
    decode: (bytes) => iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), charset),
  };
}

const made = new Map<Charset, TextEncoding>([['UTF-8', UTF_8]]);

/** The encoding of a character set. Made when it is first asked for: most servers never need another than UTF-8. */
export function textEncoding(charset: Charset): TextEncoding {
  const known = made.get(charset);
  if (known !== undefined) return known;
  const encoding = singleByte(charset, charset === 'US-ASCII' ? 128 : 256);
  made.set(charset, encoding);
  return encoding;
}
