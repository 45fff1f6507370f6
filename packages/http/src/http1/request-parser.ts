// Requests one after another: bytes in, one event at a time out. The caller asks for the next event when it can take
// it, which is how pipelined requests wait without being parsed. No sockets, no clock.

import { ChunkedDecoder } from './chunked-decoder.ts';
import { HeadParser } from './head-parser.ts';
import { HEAD_COMPLETE, HEAD_REFUSED, NEED_MORE } from './head-scanner.ts';
import type { HttpLimits } from '../limits.ts';
import type { Refusal } from '../semantics/refusals.ts';
import type { RequestHead } from '../semantics/request-head.ts';

/** `more`: all bytes are used up. A head whose framing has no body is the whole request: no `end` follows it. */
export type ParserOutcome = 'more' | 'head' | 'data' | 'end' | 'refused';

type Mode = 'head' | 'length' | 'chunked' | 'trailers';

export class RequestParser {
  readonly #limits: HttpLimits;
  readonly #heads: HeadParser;
  #mode: Mode = 'head';
  #remainingBytes = 0;
  #chunks: ChunkedDecoder | undefined;
  #trailers: HeadParser | undefined;
  #head: RequestHead | undefined;
  #refusal: Refusal = 'request-line-invalid';
  #trailerLines = '';
  #isHead = false;
  /** Where reading goes on in the bytes given last. */
  position = 0;
  /** The span of content after `data`, in the bytes given last. */
  dataStart = 0;
  dataEnd = 0;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
    this.#heads = new HeadParser(limits);
  }

  /** True while the first bytes of a head have come and its last have not. */
  get headStarted(): boolean {
    return this.#heads.started;
  }

  /** The head after `head`. */
  get head(): RequestHead | undefined {
    return this.#head;
  }

  /** The request whose head is being read, or was read last, is HEAD. */
  get isHead(): boolean {
    return this.#isHead;
  }

  get refusal(): Refusal {
    return this.#refusal;
  }

  /** The trailer field lines after `end`, each ending in CR LF. */
  get trailerLines(): string {
    return this.#trailerLines;
  }

  /**
   * After `head`: takes the whole content as one span, without events, if its length is known and it lies before `end`.
   * False changes nothing.
   */
  takeWholeContent(end: number): boolean {
    if (this.#mode !== 'length' || this.#remainingBytes > end - this.position) return false;
    this.dataStart = this.position;
    this.dataEnd = this.position + this.#remainingBytes;
    this.position = this.dataEnd;
    this.#mode = 'head';
    return true;
  }

  /** Reads `bytes` from `start` to the next event. Never throws. After `refused` the parser is of no more use. */
  read(bytes: Buffer, start: number, end: number): ParserOutcome {
    switch (this.#mode) {
      case 'head':
        return this.#readHead(bytes, start, end);
      case 'length':
        return this.#readLength(start, end);
      case 'chunked':
        return this.#readChunked(bytes, start, end);
      case 'trailers':
        return this.#readTrailers(bytes, start, end);
    }
  }

  #refuse(refusal: Refusal): 'refused' {
    this.#refusal = refusal;
    return 'refused';
  }

  #readHead(bytes: Buffer, start: number, end: number): ParserOutcome {
    const heads = this.#heads;
    const outcome = heads.read(bytes, start, end);
    this.#isHead = outcome === HEAD_COMPLETE ? heads.head?.method === 'HEAD' : heads.isHead;
    if (outcome === NEED_MORE) {
      this.position = end;
      return 'more';
    }
    if (outcome === HEAD_REFUSED) return this.#refuse(heads.refusal);
    const { head } = heads;
    if (head === undefined) return this.#refuse('request-line-invalid');
    this.position = heads.position;
    heads.reset();
    this.#head = head;
    const { framing } = head;
    if (framing.body === 'none') return 'head';
    this.#trailerLines = '';
    if (framing.body === 'length') {
      // Known before a byte of it is asked for (RFC 9110 §15.5.14).
      if (framing.byteLength > this.#limits.maxBodyBytes) return this.#refuse('body-too-large');
      this.#remainingBytes = framing.byteLength;
      this.#mode = 'length';
    } else {
      this.#chunks = new ChunkedDecoder(this.#limits);
      this.#mode = 'chunked';
    }
    return 'head';
  }

  #readLength(start: number, end: number): ParserOutcome {
    if (this.#remainingBytes === 0) {
      this.position = start;
      this.#mode = 'head';
      return 'end';
    }
    if (start === end) {
      this.position = end;
      return 'more';
    }
    this.dataStart = start;
    this.dataEnd = Math.min(end, start + this.#remainingBytes);
    this.#remainingBytes -= this.dataEnd - start;
    this.position = this.dataEnd;
    return 'data';
  }

  #readChunked(bytes: Buffer, start: number, end: number): ParserOutcome {
    const chunks = this.#chunks;
    if (chunks === undefined) return this.#refuse('chunk-size-invalid');
    const outcome = chunks.read(bytes, start, end);
    this.position = chunks.position;
    switch (outcome) {
      case 'more':
        return 'more';
      case 'refused':
        return this.#refuse(chunks.refusal);
      case 'data':
        this.dataStart = chunks.dataStart;
        this.dataEnd = chunks.dataEnd;
        return 'data';
      case 'done':
        this.#chunks = undefined;
        this.#trailers = new HeadParser(this.#limits, 'trailers');
        this.#mode = 'trailers';
        return this.#readTrailers(bytes, this.position, end);
    }
  }

  #readTrailers(bytes: Buffer, start: number, end: number): ParserOutcome {
    const trailers = this.#trailers;
    if (trailers === undefined) return this.#refuse('chunk-size-invalid');
    const outcome = trailers.read(bytes, start, end);
    if (outcome === HEAD_REFUSED) return this.#refuse(trailers.refusal);
    if (outcome !== HEAD_COMPLETE) {
      this.position = end;
      return 'more';
    }
    const taken = trailers.takeTrailers();
    if (typeof taken === 'string') return this.#refuse(taken);
    this.position = trailers.position;
    this.#trailerLines = taken.fieldLines;
    this.#trailers = undefined;
    this.#mode = 'head';
    return 'end';
  }
}
