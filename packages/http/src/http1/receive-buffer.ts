// The bytes of a head that did not come in one chunk, put together again.

const EMPTY = Buffer.alloc(0);
const FIRST_BYTES = 1024;

export class ReceiveBuffer {
  readonly #maxBytes: number;
  /** What was kept, up to `byteLength`. */
  bytes = EMPTY;
  byteLength = 0;

  /** `maxBytes`: no more is ever added. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Buffer, start: number, end: number): void {
    const needed = this.byteLength + end - start;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_BYTES, needed, Math.min(this.bytes.length * 2, this.#maxBytes)));
      this.bytes.copy(larger, 0, 0, this.byteLength);
      this.bytes = larger;
    }
    chunk.copy(this.bytes, this.byteLength, start, end);
    this.byteLength = needed;
  }

  clear(): void {
    this.byteLength = 0;
    // A large head is rare; its buffer should not stay with an idle connection.
    if (this.bytes.length > FIRST_BYTES) this.bytes = EMPTY;
  }
}
