// The request line and the header section: bytes in, a checked head or a refusal out. One pass, no sockets, no clock.
//
// While a head lies within one chunk it is read in place. One that does not is kept, and reading resumes where it
// stopped. The same machine reads trailer sections (RFC 9112 §7.1.2).

import type { HttpLimits } from '../limits.ts';
import type { Refusal } from '../semantics/refusals.ts';
import { decideHead, headWithFieldsOf, type RequestHead } from '../semantics/request-head.ts';
import { HEAD_COMPLETE, HEAD_REFUSED, HeadScanner, NEED_MORE, type HeadOutcome } from './head-scanner.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { RequestHeadCache } from './request-head-cache.ts';

export class HeadParser {
  readonly #section: 'head' | 'trailers';
  readonly #maxBytes: number;
  readonly #cache = new RequestHeadCache();
  readonly #scanner: HeadScanner;
  /** Bytes of the section that were kept from earlier chunks. */
  readonly #received: ReceiveBuffer;
  #head: RequestHead | undefined;
  #fieldLines = '';
  #refusal: Refusal = 'request-line-invalid';

  constructor(limits: HttpLimits, section: 'head' | 'trailers' = 'head') {
    this.#section = section;
    this.#maxBytes = section === 'head' ? limits.maxHeadBytes : limits.maxTrailerBytes;
    this.#scanner = new HeadScanner(limits, this.#cache, section, this.#maxBytes);
    // One byte beyond the limit is enough to see that it is passed.
    this.#received = new ReceiveBuffer(this.#maxBytes + 1);
  }

  /** Where the next byte after the section lies in the chunk given last. Only after HEAD_COMPLETE. */
  position = 0;

  /** Why it was refused. Only after HEAD_REFUSED. */
  get refusal(): Refusal {
    return this.#refusal;
  }

  /** The request that is being read is HEAD, as far as it has come: its refusal has no content. */
  get isHead(): boolean {
    return this.#scanner.isHead;
  }

  /** True between the first byte of a section and its last. */
  get started(): boolean {
    return this.#received.byteLength > 0;
  }

  /**
   * Reads on from `start`. After NEED_MORE all bytes are taken (copied); after a refusal the parser is of no more use.
   */
  read(chunk: Buffer, start: number, end: number): HeadOutcome {
    const received = this.#received;
    if (received.byteLength === 0) {
      if (this.#cache.matches(chunk, start, end)) {
        this.#head = this.#cache.head;
        this.position = start + this.#cache.byteLength;
        return HEAD_COMPLETE;
      }
      const outcome = this.#scanner.scan(chunk, start, end);
      if (outcome === HEAD_COMPLETE) return this.#complete(chunk, start, start);
      if (outcome === NEED_MORE) received.add(chunk, start, end);
      return this.#checked(outcome);
    }
    const before = received.byteLength;
    received.add(chunk, start, Math.min(end, start + this.#maxBytes + 1 - before));
    const outcome = this.#scanner.scan(received.bytes, 0, received.byteLength);
    return outcome === HEAD_COMPLETE ? this.#complete(received.bytes, 0, start - before) : this.#checked(outcome);
  }

  /** The head that was completed last. */
  get head(): RequestHead | undefined {
    return this.#head;
  }

  /** The field lines of the trailer section that was completed last, or its refusal. */
  takeTrailers(): { readonly fieldLines: string } | Refusal {
    const fieldLines = this.#fieldLines;
    return this.#scanner.facts.steersMessage(fieldLines) ? 'trailer-forbidden' : { fieldLines };
  }

  /** Makes ready for the next section. */
  reset(): void {
    this.#scanner.reset();
    this.#received.clear();
  }

  #checked(outcome: typeof NEED_MORE | typeof HEAD_REFUSED): HeadOutcome {
    if (outcome === HEAD_REFUSED) return this.#refuse(this.#scanner.refusal);
    if (this.#scanner.readBytes < this.#maxBytes) return outcome;
    if (this.#scanner.isInTarget) return this.#refuse('target-too-long');
    return this.#refuse(this.#section === 'head' ? 'head-too-large' : 'trailers-too-large');
  }

  #refuse(refusal: Refusal): typeof HEAD_REFUSED {
    this.#refusal = refusal;
    return HEAD_REFUSED;
  }

  /** Cuts the texts out of the whole section, which starts at `start` of `bytes`, and decides what they mean. */
  #complete(bytes: Buffer, start: number, startInChunk: number): HeadOutcome {
    const { readBytes, methodStart, targetStart, versionStart, fieldsStart, minorVersion, facts } = this.#scanner;
    const cache = this.#cache;
    this.position = startInChunk + readBytes;
    if (this.#section === 'trailers') {
      this.#fieldLines = bytes.toString('latin1', start, start + readBytes - 2);
      return HEAD_COMPLETE;
    }
    const known = this.#scanner.fieldsAreKnown ? cache.head : undefined;
    const textBytes = known === undefined ? readBytes - 2 : versionStart;
    const text = bytes.toString('latin1', start, start + textBytes);
    const line = {
      method: text.slice(methodStart, targetStart - 1),
      target: text.slice(targetStart, versionStart - 1),
      minorVersion,
    };
    const head =
      known === undefined
        ? decideHead(line, facts, text.slice(fieldsStart))
        : headWithFieldsOf(known, cache.host, line);
    if (typeof head === 'string') return this.#refuse(head);
    this.#head = head;
    // Empty lines before a head are rare; one that came with them is not worth keeping.
    if (methodStart === 0)
      cache.keep(head, known === undefined ? facts.host : cache.host, bytes, start, readBytes, fieldsStart);
    return HEAD_COMPLETE;
  }
}
