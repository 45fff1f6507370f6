// Which octets may stand where: one lookup for each byte of a head.

/** RFC 9110 §5.6.2: tchar. */
export const TOKEN = 1;
/** Visible ASCII except `#`: what a request target may hold (RFC 9112 §3.2). */
export const TARGET = 2;
/** What a field value may hold: HTAB, SP, VCHAR and obs-text (RFC 9110 §5.5). */
export const VALUE = 4;
/** DIGIT and A-F in either case. */
export const HEX = 8;
/** What a registered name may hold, percent signs included (RFC 3986 §3.2.2). */
export const REG_NAME = 16;
/**
 * The first letter, in either case, of every field name that steers the engine: most names begin otherwise, and pass at
 * one look.
 */
export const STEERS = 32;

const OCTETS = new Uint8Array(256);

const mark = (characters: string, mask: number): void => {
  for (const character of characters) {
    const code = character.charCodeAt(0);
    OCTETS[code] = (OCTETS[code] ?? 0) | mask;
  }
};
const range = (first: number, last: number): string =>
  String.fromCharCode(...Array.from({ length: last - first + 1 }, (_, index) => first + index));

const DIGITS = '0123456789';
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
mark(`!#$%&'*+-.^_\`|~${DIGITS}${LETTERS}`, TOKEN);
mark(range(0x21, 0x7e).replace('#', ''), TARGET);
mark(`\t${range(0x20, 0x7e)}${range(0x80, 0xff)}`, VALUE);
mark(`${DIGITS}abcdefABCDEF`, HEX);
mark(`-._~!$&'()*+;=%${DIGITS}${LETTERS}`, REG_NAME);
mark('chirteuCHIRTEU', STEERS);

/** The classes of each octet, as a bit set. */
export const OCTET_CLASSES: Readonly<Uint8Array> = OCTETS;

export const isToken = (text: string): boolean => text.length > 0 && everyOctet(text, TOKEN);

/** True when each character of `text` is an octet of that class. Characters above 0xff are of none. */
export function everyOctet(text: string, mask: number): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0xff || ((OCTETS[code] ?? 0) & mask) === 0) return false;
  }
  return true;
}

/** `HTTP/` in upper case, DIGIT "." DIGIT (RFC 9112 §2.3). */
export function isVersionOctet(index: number, octet: number): boolean {
  if (index === 5 || index === 7) return octet >= 0x30 && octet <= 0x39;
  return octet === 'HTTP/ .'.charCodeAt(index);
}

/** 0 to 15, or -1. */
export function hexDigitValue(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
