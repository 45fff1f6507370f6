// The chunked transfer coding (RFC 9112 §7.1): bytes in, spans of data out. Trailers are left to the caller's field
// reader.
//
//     size ─▶ (extensions) ─▶ size LF ─▶ data ─▶ data CR ─▶ data LF ─▶ size …
//                                └─ size 0 ─▶ done, trailers follow

import type { HttpLimits } from '../limits.ts';
import { hexDigitValue, OCTET_CLASSES, TOKEN, VALUE } from '../semantics/char-classes.ts';
import type { Refusal } from '../semantics/refusals.ts';

const SP = 0x20;
const HTAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

// 2^52 - 1: exact as a number, and larger than any real chunk.
const MAX_SIZE_DIGITS = 13;

type State =
  | 'size'
  /** Whitespace after the size or after an extension: only `;` may follow. */
  | 'before-semicolon'
  | 'extension-start'
  | 'extension-name'
  | 'before-equals'
  | 'extension-value-start'
  | 'extension-token'
  | 'extension-quoted'
  | 'extension-escape'
  | 'extension-end'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'done';

/** `data` names a span of the chunk just given; `done` means that the trailer section starts at `position`. */
export type ChunkedOutcome = 'more' | 'data' | 'done' | 'refused';

export class ChunkedDecoder {
  readonly #maxExtensionBytes: number;
  readonly #maxContentBytes: number;
  #state: State = 'size';
  #sizeDigits = 0;
  #remainingBytes = 0;
  #extensionBytes = 0;
  /** Of all chunks that were announced so far. */
  #contentBytes = 0;
  /** Where reading goes on in the bytes given last. */
  position = 0;
  dataStart = 0;
  dataEnd = 0;
  refusal: Refusal = 'chunk-size-invalid';

  constructor(limits: HttpLimits) {
    this.#maxExtensionBytes = limits.maxChunkExtensionBytes;
    this.#maxContentBytes = limits.maxBodyBytes;
  }

  /** Reads from `start` to the next thing worth telling. Never throws. */
  read(bytes: Uint8Array, start: number, end: number): ChunkedOutcome {
    for (let at = start; at < end;) {
      if (this.#state === 'data') {
        this.dataStart = at;
        this.dataEnd = Math.min(end, at + this.#remainingBytes);
        this.#remainingBytes -= this.dataEnd - at;
        if (this.#remainingBytes === 0) this.#state = 'data-cr';
        this.position = this.dataEnd;
        return 'data';
      }
      const refusal = this.#take(bytes[at] ?? 0);
      if (refusal !== undefined) {
        this.refusal = refusal;
        return 'refused';
      }
      at += 1;
      if (this.#state === 'done') {
        this.position = at;
        return 'done';
      }
    }
    this.position = end;
    return 'more';
  }

  #take(octet: number): Refusal | undefined {
    switch (this.#state) {
      case 'size':
        return this.#takeSize(octet);
      case 'size-lf':
        if (octet !== LF) return 'bare-cr';
        this.#state = this.#remainingBytes === 0 ? 'done' : 'data';
        this.#sizeDigits = 0;
        // Known before a byte of the chunk has come.
        this.#contentBytes += this.#remainingBytes;
        return this.#contentBytes > this.#maxContentBytes ? 'body-too-large' : undefined;
      case 'data-cr':
        this.#state = 'data-lf';
        return octet === CR ? undefined : 'chunk-end-invalid';
      case 'data-lf':
        this.#state = 'size';
        return octet === LF ? undefined : 'chunk-end-invalid';
      case 'data':
      case 'done':
        return undefined;
      default:
        this.#extensionBytes += 1;
        if (this.#extensionBytes > this.#maxExtensionBytes) return 'chunk-extensions-too-large';
        return this.#takeExtension(octet);
    }
  }

  #takeSize(octet: number): Refusal | undefined {
    const digit = hexDigitValue(octet);
    if (digit >= 0) {
      this.#sizeDigits += 1;
      this.#remainingBytes = this.#remainingBytes * 16 + digit;
      return this.#sizeDigits > MAX_SIZE_DIGITS ? 'chunk-size-invalid' : undefined;
    }
    if (this.#sizeDigits === 0) return 'chunk-size-invalid';
    return this.#afterItem(octet, 'chunk-size-invalid');
  }

  /** After the size or a whole extension: the line ends, or another extension begins. */
  #afterItem(octet: number, otherwise: Refusal): Refusal | undefined {
    if (octet === CR) this.#state = 'size-lf';
    else if (octet === SEMICOLON) this.#state = 'extension-start';
    else if (octet === SP || octet === HTAB) this.#state = 'before-semicolon';
    else return octet === LF ? 'bare-lf' : otherwise;
    return undefined;
  }

  // chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
  #takeExtension(octet: number): Refusal | undefined {
    const classes = OCTET_CLASSES[octet] ?? 0;
    const blank = octet === SP || octet === HTAB;
    switch (this.#state) {
      case 'before-semicolon':
        if (blank) return undefined;
        if (octet !== SEMICOLON) return 'chunk-size-invalid';
        this.#state = 'extension-start';
        return undefined;
      case 'extension-start':
        if (blank) return undefined;
        this.#state = 'extension-name';
        return (classes & TOKEN) === 0 ? 'chunk-extension-invalid' : undefined;
      case 'extension-name':
        if ((classes & TOKEN) !== 0) return undefined;
        if (octet === EQUALS) this.#state = 'extension-value-start';
        else if (blank) this.#state = 'before-equals';
        else return this.#afterItem(octet, 'chunk-extension-invalid');
        return undefined;
      case 'before-equals':
        if (blank) return undefined;
        if (octet === EQUALS) this.#state = 'extension-value-start';
        else if (octet === SEMICOLON) this.#state = 'extension-start';
        else return 'chunk-extension-invalid';
        return undefined;
      case 'extension-value-start':
        if (blank) return undefined;
        if (octet === QUOTE) this.#state = 'extension-quoted';
        else if ((classes & TOKEN) !== 0) this.#state = 'extension-token';
        else return 'chunk-extension-invalid';
        return undefined;
      case 'extension-token':
        return (classes & TOKEN) !== 0 ? undefined : this.#afterItem(octet, 'chunk-extension-invalid');
      case 'extension-quoted':
        if (octet === QUOTE) this.#state = 'extension-end';
        else if (octet === BACKSLASH) this.#state = 'extension-escape';
        else if ((classes & VALUE) === 0) return 'chunk-extension-invalid';
        return undefined;
      case 'extension-escape':
        this.#state = 'extension-quoted';
        return (classes & VALUE) === 0 ? 'chunk-extension-invalid' : undefined;
      default:
        return this.#afterItem(octet, 'chunk-extension-invalid');
    }
  }
}
