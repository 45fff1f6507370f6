// Bytes of data in, lines of text out: the cooked mode of a terminal, for peers that send lines and for peers that send
// every key.
//
// All five line ends occur: CR LF, CR NUL, CR alone, LF alone, and a CR under BINARY. So a CR ends the line at once
// (some clients send nothing after it until the next key), and one LF or NUL that follows is swallowed, also from the
// next chunk. LF CR, which some programs write, is one end in the same way. What comes out has no control characters
// but tab; the escape sequences of arrow keys are left out whole.

import { textEncoding, type TextEncoding } from './text-encoding.ts';

export type LineEvent =
  | { readonly type: 'line'; readonly text: string }
  /** ^C. */
  | { readonly type: 'interrupt' }
  /** ^D on an empty line. */
  | { readonly type: 'end-of-input' }
  /** The line has become longer than the limit; once for each line. */
  | { readonly type: 'overflow' }
  /** The end of a line that was too long: it is thrown away, since half a command is worse than none. */
  | { readonly type: 'overlong-line' };

export interface LineDecoder {
  /** Feeds data and returns what it completes. Keeps no reference to `bytes`. */
  push(bytes: Uint8Array): LineEvent[];
  /** Takes the last character off the unfinished line (EC, backspace). */
  eraseCharacter(): void;
  /** Throws the unfinished line away (EL, ^U). */
  eraseLine(): void;
  /** The unfinished line, at the end of input; undefined when it is empty or too long. */
  finish(): string | undefined;
  /** True when nothing of a line has come yet. */
  readonly empty: boolean;
}

/** What a terminal of POSIX takes too (MAX_CANON is 4096 with the line end on Linux). */
export const DEFAULT_MAX_LINE_BYTES = 4096;

const LF = 10;
const CR = 13;
const NUL = 0;
const ETX = 3;
const EOT = 4;
const BS = 8;
const TAB = 9;
const NAK = 21;
const ETB = 23;
const ESC = 27;
const SPACE = 32;
const DEL = 127;
const BRACKET = 0x5b;
const SS3 = 0x4f;

export interface LineDecoderOptions {
  readonly maxLineBytes?: number;
  /** What the bytes of a line are in; UTF-8 by default. Asked for each line. */
  readonly encoding?: () => Pick<TextEncoding, 'charset' | 'decode'>;
}

const withoutC1 = (text: string): string => text.replace(/[\u0080-\u009f]/g, '');

export function createLineDecoder({
  maxLineBytes = DEFAULT_MAX_LINE_BYTES,
  encoding = () => textEncoding('UTF-8'),
}: LineDecoderOptions = {}): LineDecoder {
  // Grown by doubling: most sessions never type a long line.
  let line = new Uint8Array(Math.min(128, maxLineBytes));
  let length = 0;
  let overlong = false;
  /** What ended the last line, as long as nothing has followed it: its other half is no line of its own. */
  let lastEnd: 'nothing' | 'CR' | 'LF' = 'nothing';
  /** Inside an escape sequence of a key: after ESC, after ESC [ or after ESC O. */
  let escape: 'none' | 'start' | 'csi' | 'ss3' = 'none';
  let events: LineEvent[] = [];

  const eraseLine = (): void => {
    length = 0;
    overlong = false;
  };

  const textOf = (bytes: Uint8Array): string => withoutC1(encoding().decode(bytes));

  const eraseCharacter = (): void => {
    if (encoding().charset !== 'UTF-8') {
      length = Math.max(0, length - 1);
      return;
    }
    // Continuation bytes of UTF-8 (10xxxxxx) go with the byte that leads them.
    while (length > 0) {
      length -= 1;
      if (((line[length] ?? 0) & 0xc0) !== 0x80) return;
    }
  };

  const eraseWord = (): void => {
    while (length > 0 && line[length - 1] === SPACE) length -= 1;
    while (length > 0 && line[length - 1] !== SPACE) length -= 1;
  };

  const keep = (byte: number): void => {
    if (overlong) return;
    if (length === maxLineBytes) {
      overlong = true;
      length = 0;
      events.push({ type: 'overflow' });
      return;
    }
    if (length === line.length) {
      const larger = new Uint8Array(Math.min(maxLineBytes, 2 * length));
      larger.set(line);
      line = larger;
    }
    line[length] = byte;
    length += 1;
  };

  const endLine = (): void => {
    events.push(overlong ? { type: 'overlong-line' } : { type: 'line', text: textOf(line.subarray(0, length)) });
    escape = 'none';
    eraseLine();
  };

  const control = (byte: number): void => {
    switch (byte) {
      case CR:
        lastEnd = 'CR';
        endLine();
        return;
      case LF:
        lastEnd = 'LF';
        endLine();
        return;
      case TAB:
        keep(TAB);
        return;
      case BS:
      case DEL:
        eraseCharacter();
        return;
      case NAK:
        eraseLine();
        return;
      case ETB:
        eraseWord();
        return;
      case ETX:
        eraseLine();
        events.push({ type: 'interrupt' });
        return;
      case EOT:
        if (length === 0 && !overlong) events.push({ type: 'end-of-input' });
        return;
      case ESC:
        escape = 'start';
        return;
    }
  };

  /**
   * True when the byte belongs to a key's escape sequence. Parameters are 0x20 to 0x3F, the final byte follows (ECMA-48
   * §5.4).
   */
  const escaped = (byte: number): boolean => {
    const was = escape;
    escape = 'none';
    if (was === 'start') {
      if (byte === BRACKET) escape = 'csi';
      else if (byte === SS3) escape = 'ss3';
      return byte >= SPACE && byte < DEL;
    }
    if (was === 'csi' && byte >= 0x20 && byte <= 0x3f) escape = 'csi';
    return byte >= SPACE && byte < DEL;
  };

  const step = (byte: number): void => {
    if (lastEnd !== 'nothing') {
      const belongs = lastEnd === 'CR' ? byte === LF || byte === NUL : byte === CR;
      lastEnd = 'nothing';
      if (belongs) return;
    }
    if (escape !== 'none' && escaped(byte)) return;
    if (byte < SPACE || byte === DEL) control(byte);
    else keep(byte);
  };

  return {
    push(bytes) {
      events = [];
      for (const byte of bytes) step(byte);
      const completed = events;
      events = [];
      return completed;
    },
    eraseCharacter,
    eraseLine,
    finish() {
      const text = length === 0 ? undefined : textOf(line.subarray(0, length));
      eraseLine();
      return text;
    },
    get empty() {
      return length === 0 && !overlong;
    },
  };
}
