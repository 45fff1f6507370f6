// What we say, as bytes.

import { COMMANDS, IAC, SB, SE, type CommandName, type Verb } from './codes.ts';

/** Doubles every 255 (RFC 854). Returns `bytes` itself when there is none. */
export function escapeIac(bytes: Uint8Array): Uint8Array {
  let count = 0;
  for (let at = bytes.indexOf(IAC); at >= 0; at = bytes.indexOf(IAC, at + 1)) count += 1;
  if (count === 0) return bytes;
  const escaped = new Uint8Array(bytes.length + count);
  let to = 0;
  for (const byte of bytes) {
    escaped[to++] = byte;
    if (byte === IAC) escaped[to++] = IAC;
  }
  return escaped;
}

const encoder = new TextEncoder();

/** Text with the line ends of the network: CR LF, and CR NUL for a CR that ends no line (RFC 854; RFC 856 if `binary`). */
export const withNetworkEnds = (text: string, binary: boolean): string =>
  text.replace(/\r\n|\r|\n/g, (end) => (end !== '\r' ? '\r\n' : binary ? '\r' : '\r\0'));

/**
 * Text as the network wants it: every line end is CR LF, a CR that ends no line is CR NUL (RFC 854), the rest is UTF-8,
 * in which 255 does not occur. With BINARY agreed a CR stands for itself (RFC 856).
 */
export const encodeText = (text: string, { binary = false }: { readonly binary?: boolean } = {}): Uint8Array =>
  encoder.encode(withNetworkEnds(text, binary));

export const encodeCommand = (command: CommandName): Uint8Array => Uint8Array.of(IAC, COMMANDS[command].code);

export const encodeNegotiation = (verb: Verb, option: number): Uint8Array =>
  Uint8Array.of(IAC, COMMANDS[verb].code, option);

/** `payload` without any escaping. */
export function encodeSubnegotiation(option: number, payload: Uint8Array): Uint8Array {
  const body = escapeIac(payload);
  // The option number is doubled too when it is 255 (RFC 855 treats the whole content alike).
  const head = option === IAC ? [IAC, SB, IAC, IAC] : [IAC, SB, option];
  const whole = new Uint8Array(head.length + body.length + 2);
  whole.set(head);
  whole.set(body, head.length);
  whole.set([IAC, SE], head.length + body.length);
  return whole;
}
