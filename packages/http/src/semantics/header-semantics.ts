// The few fields that steer the engine, noticed while a section is read. All others pass unread.

import { isAuthority } from './authority.ts';
import { readFields } from './fields.ts';
import { decideFraming, type Framing } from './framing.ts';
import type { Refusal } from './refusals.ts';

/**
 * Fields that must not stand in a trailer section, because a recipient that merges it would frame or route anew
 * (RFC 9110 §6.5.1).
 */
export const FORBIDDEN_TRAILERS = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'max-forwards',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const SP = 0x20;
const HTAB = 0x09;

export class HeaderSemantics {
  /** Counted by the reader of the lines. */
  fieldCount = 0;
  /** What is wrong with a field that was noted. */
  refusal: Refusal | undefined = undefined;
  host = '';
  isConditional = false;
  #hosts = 0;
  #contentTypes = 0;
  #contentLength: string | undefined;
  #transferEncoding: string | undefined;
  #close = false;
  #keepAlive = false;
  #connectionUpgrade = false;
  #upgrades = false;
  expectation: 'none' | 'continue' | 'unknown' = 'none';

  reset(): void {
    this.fieldCount = 0;
    this.refusal = undefined;
    this.host = '';
    this.isConditional = false;
    this.#hosts = 0;
    this.#contentTypes = 0;
    this.#contentLength = undefined;
    this.#transferEncoding = undefined;
    this.#close = false;
    this.#keepAlive = false;
    this.#connectionUpgrade = false;
    this.#upgrades = false;
    this.expectation = 'none';
  }

  /**
   * Takes one complete field line, and sets `refusal` if there may be none such. The length of the name decides cheaply
   * that most don't matter.
   */
  note(bytes: Buffer, nameStart: number, nameEnd: number, valueStart: number, lineEnd: number): void {
    // `if-` in either case: all of the RFC's conditions are called so, and nothing common besides.
    if (
      ((bytes[nameStart] ?? 0) | 0x20) === 0x69 &&
      ((bytes[nameStart + 1] ?? 0) | 0x20) === 0x66 &&
      bytes[nameStart + 2] === 0x2d
    )
      this.isConditional = true;
    switch (nameEnd - nameStart) {
      case 4:
        if (!isName(bytes, nameStart, 'host')) return;
        this.#hosts += 1;
        if (this.#hosts > 1) this.refusal = 'host-repeated';
        this.host = value(bytes, valueStart, lineEnd);
        return;
      case 5:
        if (isName(bytes, nameStart, 'range')) this.isConditional = true;
        return;
      case 6:
        if (isName(bytes, nameStart, 'expect')) this.#noteExpectation(value(bytes, valueStart, lineEnd));
        return;
      case 7:
        if (isName(bytes, nameStart, 'upgrade')) this.#upgrades = true;
        return;
      case 10:
        if (isName(bytes, nameStart, 'connection')) this.#noteConnection(value(bytes, valueStart, lineEnd));
        return;
      case 12:
        if (!isName(bytes, nameStart, 'content-type')) return;
        this.#contentTypes += 1;
        if (this.#contentTypes > 1) this.refusal = 'content-type-repeated';
        return;
      case 14:
        if (!isName(bytes, nameStart, 'content-length')) return;
        if (this.#contentLength !== undefined) this.refusal = 'content-length-repeated';
        this.#contentLength = value(bytes, valueStart, lineEnd);
        return;
      case 17:
        if (!isName(bytes, nameStart, 'transfer-encoding')) return;
        if (this.#transferEncoding !== undefined) this.refusal = 'coding-invalid';
        this.#transferEncoding = value(bytes, valueStart, lineEnd);
        return;
      default:
    }
  }

  /** RFC 9112 §3.2: HTTP/1.1 needs exactly one valid Host; HTTP/1.0 may do without. */
  hostProblem(minorVersion: number): Refusal | undefined {
    if (this.#hosts === 0) return minorVersion === 0 ? undefined : 'host-missing';
    return isAuthority(this.host) ? undefined : 'host-invalid';
  }

  framing(minorVersion: number): Framing | Refusal {
    return decideFraming({
      minorVersion,
      contentLength: this.#contentLength,
      transferEncoding: this.#transferEncoding,
    });
  }

  /** RFC 9112 §9.3. */
  persistent(minorVersion: number): boolean {
    return !this.#close && (minorVersion === 1 || this.#keepAlive);
  }

  /** An Upgrade field counts only where Connection names it (RFC 9110 §7.8). */
  get wantsUpgrade(): boolean {
    return this.#upgrades && this.#connectionUpgrade;
  }

  /** True when a field of these checked lines may not stand in a trailer section. */
  steersMessage(fieldLines: string): boolean {
    return fieldLines !== '' && readFields(fieldLines).some(([name]) => FORBIDDEN_TRAILERS.has(name));
  }

  #noteConnection(list: string): void {
    for (const option of list.toLowerCase().split(',')) {
      const token = option.trim();
      if (token === 'close') this.#close = true;
      else if (token === 'keep-alive') this.#keepAlive = true;
      else if (token === 'upgrade') this.#connectionUpgrade = true;
    }
  }

  #noteExpectation(text: string): void {
    this.expectation = this.expectation !== 'unknown' && text.toLowerCase() === '100-continue' ? 'continue' : 'unknown';
  }
}

/**
 * Compares without regard to case; `name` is in lower case and as long as the name in question. Underscores are
 * themselves.
 */
function isName(bytes: Buffer, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    const octet = bytes[start + index] ?? 0;
    const lower = octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
    if (lower !== name.charCodeAt(index)) return false;
  }
  return true;
}

function value(bytes: Buffer, start: number, lineEnd: number): string {
  let end = lineEnd;
  while (end > start && (bytes[end - 1] === SP || bytes[end - 1] === HTAB)) end -= 1;
  return bytes.toString('latin1', start, end);
}
