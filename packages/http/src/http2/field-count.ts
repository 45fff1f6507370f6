// How many fields a client has sent in each header section. node:http2 leaves out, without a word, those that can't be:
// names with spaces, values with CR, LF or NUL. A request that lost fields on the way is not the one that was sent (RFC
// 9113 §8.2.1), and that it lost some is told by their number.
//
// To count the fields of a section nothing has to be decoded (RFC 7541 §6): of each its form, the lengths of its
// strings, and what to skip. Bytes in, numbers out; whatever is wrong with the bytes, node:http2 says so.

const HEADERS = 1;
const CONTINUATION = 9;
const PADDED = 0x08;
const PRIORITY = 0x20;
const END_HEADERS = 0x04;
const PRIORITY_BYTES = 5;
// More streams in one session than are being answered were refused, and nobody asks.
const MAX_KEPT_COUNTS = 1_000;
// The header section and the trailer section, which may both have come before anybody asks.
const MAX_SECTIONS = 2;

/** What the next byte is. `first`: the first of a field. A string is its length, then so many bytes to skip. */
type Awaited = 'first' | 'index' | 'length' | 'length-more' | 'string' | 'size-update';

export class FieldCounter {
  /** By stream, the sections that nobody has asked about. */
  readonly #counts = new Map<number, readonly number[]>();
  #streamId = 0;
  #count = 0;
  // Of the frame: what comes before its fragment of the section, and that.
  #isPadded = false;
  #prefixBytes = 0;
  #fragmentBytes = 0;
  #endsSection = false;
  #awaited: Awaited = 'first';
  /** Strings of the field that are still to come. */
  #strings = 0;
  /** An integer in several bytes, and the weight of its next one (RFC 7541 §5.1). */
  #number = 0;
  #weight = 1;
  /** Bytes of the string that are still to come. */
  #stringBytes = 0;

  /** The fields of the next section of a stream; undefined where none has come. Each is told once. */
  take(streamId: number): number | undefined {
    const [count, ...later] = this.#counts.get(streamId) ?? [];
    if (later.length > 0) this.#counts.set(streamId, later);
    else this.#counts.delete(streamId);
    return count;
  }

  /** The head of a frame of any type; its payload follows. */
  frame(type: number, flags: number, length: number, streamId: number): void {
    this.#prefixBytes = 0;
    this.#fragmentBytes = 0;
    this.#endsSection = false;
    if (type === HEADERS) {
      this.#streamId = streamId;
      this.#count = 0;
      this.#awaited = 'first';
      this.#isPadded = (flags & PADDED) !== 0;
      this.#prefixBytes = (this.#isPadded ? 1 : 0) + ((flags & PRIORITY) === 0 ? 0 : PRIORITY_BYTES);
      this.#fragmentBytes = length - this.#prefixBytes;
    } else if (type === CONTINUATION) {
      this.#isPadded = false;
      this.#fragmentBytes = length;
    } else return;
    this.#endsSection = (flags & END_HEADERS) !== 0;
    this.#endSection();
  }

  /** A piece of the payload of that frame. */
  payload(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      if (this.#prefixBytes > 0) {
        if (this.#isPadded) this.#fragmentBytes -= piece[at] ?? 0;
        this.#isPadded = false;
        this.#prefixBytes -= 1;
        at += 1;
      } else if (this.#fragmentBytes <= 0) return;
      else if (this.#awaited === 'string') {
        const skipped = Math.min(this.#stringBytes, this.#fragmentBytes, piece.length - at);
        this.#stringBytes -= skipped;
        this.#fragmentBytes -= skipped;
        at += skipped;
        if (this.#stringBytes === 0) this.#stringEnded();
      } else {
        this.#byte(piece[at] ?? 0);
        this.#fragmentBytes -= 1;
        at += 1;
      }
      this.#endSection();
    }
  }

  #endSection(): void {
    if (!this.#endsSection || this.#prefixBytes > 0 || this.#fragmentBytes > 0) return;
    this.#endsSection = false;
    const before = this.#counts.get(this.#streamId) ?? [];
    if (before.length < MAX_SECTIONS) this.#counts.set(this.#streamId, [...before, this.#count]);
    if (this.#counts.size <= MAX_KEPT_COUNTS) return;
    for (const oldest of this.#counts.keys()) {
      this.#counts.delete(oldest);
      return;
    }
  }

  #byte(byte: number): void {
    switch (this.#awaited) {
      case 'first':
        this.#firstByte(byte);
        return;
      case 'index':
      case 'size-update':
        if (byte < 0x80) this.#numberEnded();
        return;
      case 'length':
        this.#number = byte & 0x7f;
        this.#weight = 1;
        if (this.#number === 0x7f) this.#awaited = 'length-more';
        else this.#lengthEnded();
        return;
      case 'length-more':
        this.#number += (byte & 0x7f) * this.#weight;
        this.#weight *= 0x80;
        if (byte < 0x80) this.#lengthEnded();
        return;
      case 'string':
    }
  }

  /** RFC 7541 §6: an indexed field, a literal one of three kinds, or a change of the table's size, which is no field. */
  #firstByte(byte: number): void {
    if ((byte & 0xe0) === 0x20) {
      this.#strings = 0;
      this.#awaited = (byte & 0x1f) === 0x1f ? 'size-update' : 'first';
      return;
    }
    this.#count += 1;
    const prefix = byte >= 0x80 ? 0x7f : byte >= 0x40 ? 0x3f : 0x0f;
    const index = byte & prefix;
    this.#strings = byte >= 0x80 ? 0 : index === 0 ? 2 : 1;
    if (index === prefix) this.#awaited = 'index';
    else this.#numberEnded();
  }

  #numberEnded(): void {
    this.#awaited = this.#strings === 0 ? 'first' : 'length';
  }

  #lengthEnded(): void {
    this.#stringBytes = this.#number;
    if (this.#stringBytes === 0) this.#stringEnded();
    else this.#awaited = 'string';
  }

  #stringEnded(): void {
    this.#strings -= 1;
    this.#numberEnded();
  }
}
