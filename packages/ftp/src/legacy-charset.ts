// Charsets of clients that never learned UTF-8: old Windows programs that send names in the code page of their country.

import type { Charset } from './charset.ts';

// A character that the charset does not have is written as its UTF-16 code, and the same sign in a name as its own code,
// so that every name can be listed and comes back as it is.
const ESCAPED = /%u([0-9A-Fa-f]{4})/g;
const escape = (letter: string): string => `%u${letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;

/** A code for each half of a character beyond U+FFFF. */
const escapeAll = (letter: string): string => letter.replace(/[^]/g, escape);

/**
 * A charset by its IANA name or an alias, such as `gbk`, `shift_jis`, `windows-1251`; undefined when it is not known, or no
 * superset of ASCII. Names are stored as UTF-8 whatever the client speaks.
 */
export async function legacyCharset(name: string): Promise<Charset | undefined> {
  // Its tables are large, and most servers never need them.
  const { default: iconv } = await import('iconv-lite');
  if (!iconv.encodingExists(name)) return undefined;
  const encoded = (text: string): Buffer => iconv.encode(text, name);
  const decoded = (bytes: Uint8Array): string => iconv.decode(Buffer.from(bytes), name, { stripBOM: false });
  // Commands are ASCII: in UTF-16 or EBCDIC they would not be.
  if (decoded(Buffer.from('USER a/b%u')) !== 'USER a/b%u' || encoded('USER a/b%u').toString('latin1') !== 'USER a/b%u')
    return undefined;
  const survives = (text: string): boolean => decoded(encoded(text)) === text;

  return {
    name: name.toLowerCase(),
    decode: (bytes) =>
      decoded(bytes).replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    encode(text) {
      const safe = text.replace(/%(?=u[0-9A-Fa-f]{4})/g, escape('%'));
      if (survives(safe)) return encoded(safe);
      return encoded(safe.replace(/[^\0-\x7f]/gu, (letter) => (survives(letter) ? letter : escapeAll(letter))));
    },
  };
}
