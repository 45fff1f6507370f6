// The request line and the header section: bytes in, a checked head or a refusal out. One pass, no sockets, no clock.
//
//     start ─▶ method ─▶ target ─▶ version ─▶ line end ─▶ ┌ field start ─▶ name ─▶ value ─▶ line end ┐─▶ end
//                                                         └───────────────────◀─────────────────────┘
//
// While a head lies within one chunk it is read in place. One that does not is kept, and reading resumes where it
// stopped: all positions are relative to the first byte of the head, so nothing is looked at twice however slowly it
// comes. The same machine reads trailer sections (RFC 9112 §7.1.2), starting at the first field.

import { HeaderSemantics } from '../semantics/header-semantics.ts';
import { takeWholeLines } from './field-lines.ts';
import { RequestHeadCache } from './request-head-cache.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import type { HttpLimits } from '../limits.ts';
import { MAX_METHOD_BYTES } from '../semantics/methods.ts';
import { isVersionOctet, OCTET_CLASSES, TARGET, TOKEN, VALUE } from '../semantics/char-classes.ts';
import type { Refusal } from '../semantics/refusals.ts';
import { decideHead, headWithFieldsOf, type RequestHead } from '../semantics/request-head.ts';

const SP = 0x20;
const HTAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const UPPER_H = 0x48;

// States. Plain numbers, because this loop is the hottest of the package.
const START = 0;
const START_LF = 1;
const METHOD = 2;
const TARGET_TEXT = 3;
const VERSION = 4;
const LINE_LF = 5;
const FIELD_START = 6;
const NAME = 7;
const VALUE_START = 8;
const VALUE_TEXT = 9;
const FIELD_LF = 10;
const END_LF = 11;

// Clients of old sent one after a POST body (RFC 9112 §2.2); two leave room for a careless one.
const MAX_LEADING_EMPTY_LINES = 2;
const VERSION_BYTES = 8;

/** What `read` found. */
export const NEED_MORE = 0;
export const HEAD_COMPLETE = 1;
export const HEAD_REFUSED = 2;
export type HeadOutcome = typeof NEED_MORE | typeof HEAD_COMPLETE | typeof HEAD_REFUSED;

export class HeadParser {
  readonly #limits: HttpLimits;
  readonly #firstState: number;
  readonly #maxBytes: number;
  readonly #facts = new HeaderSemantics();
  readonly #cache = new RequestHeadCache();
  #head: RequestHead | undefined;
  #fieldsAreKnown = false;
  #state: number;
  /** How many bytes of the head have been read, and those of them (and after) that were kept from earlier chunks. */
  #readBytes = 0;
  readonly #received: ReceiveBuffer;
  // Positions of what is being read, from the start of the head.
  #emptyLines = 0;
  #methodStart = 0;
  #targetStart = 0;
  #versionStart = 0;
  #fieldsStart = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #refusal: Refusal = 'request-line-invalid';
  #minorVersion: 0 | 1 = 1;
  #isHead = false;
  #fieldLines = '';

  constructor(limits: HttpLimits, section: 'head' | 'trailers' = 'head') {
    this.#limits = limits;
    this.#firstState = section === 'head' ? START : FIELD_START;
    this.#maxBytes = section === 'head' ? limits.maxHeadBytes : limits.maxTrailerBytes;
    // One byte beyond the limit is enough to see that it is passed.
    this.#received = new ReceiveBuffer(this.#maxBytes + 1);
    this.#state = this.#firstState;
  }

  /** Where the next byte after the section lies in the chunk given last. Only after HEAD_COMPLETE. */
  position = 0;

  /** Why it was refused. Only after HEAD_REFUSED. */
  get refusal(): Refusal {
    return this.#refusal;
  }

  /** The request that is being read is HEAD, as far as it has come: its refusal has no content. */
  get isHead(): boolean {
    return this.#isHead;
  }

  /** True between the first byte of a section and its last. */
  get started(): boolean {
    return this.#received.byteLength > 0;
  }

  /**
   * Reads on from `start`. After NEED_MORE all bytes are taken (copied); after a refusal the parser is of no more use.
   */
  read(chunk: Buffer, start: number, end: number): HeadOutcome {
    if (this.#received.byteLength === 0) {
      if (this.#cache.matches(chunk, start, end)) {
        this.#head = this.#cache.head;
        this.position = start + this.#cache.byteLength;
        return HEAD_COMPLETE;
      }
      const outcome = this.#scan(chunk, start, end);
      if (outcome === HEAD_COMPLETE) return this.#complete(chunk, start, start);
      if (outcome === NEED_MORE) this.#received.add(chunk, start, end);
      return this.#withinLimit(outcome);
    }
    const before = this.#received.byteLength;
    this.#received.add(chunk, start, Math.min(end, start + this.#maxBytes + 1 - before));
    const outcome = this.#scan(this.#received.bytes, 0, this.#received.byteLength);
    return outcome === HEAD_COMPLETE
      ? this.#complete(this.#received.bytes, 0, start - before)
      : this.#withinLimit(outcome);
  }

  /** The head that was completed last. */
  get head(): RequestHead | undefined {
    return this.#head;
  }

  /** The field lines of the trailer section that was completed last, or its refusal. */
  takeTrailers(): { readonly fieldLines: string } | Refusal {
    return this.#facts.steersMessage(this.#fieldLines) ? 'trailer-forbidden' : { fieldLines: this.#fieldLines };
  }

  /** Makes ready for the next section. */
  reset(): void {
    this.#state = this.#firstState;
    this.#readBytes = 0;
    this.#emptyLines = 0;
    this.#fieldsStart = 0;
    this.#fieldsAreKnown = false;
    this.#isHead = false;
    this.#received.clear();
    this.#facts.reset();
  }

  #withinLimit(outcome: HeadOutcome): HeadOutcome {
    if (outcome !== NEED_MORE || this.#readBytes < this.#maxBytes) return outcome;
    return this.#refuse(
      this.#state === TARGET_TEXT
        ? 'target-too-long'
        : this.#firstState === START
          ? 'head-too-large'
          : 'trailers-too-large',
    );
  }

  #refuse(refusal: Refusal): typeof HEAD_REFUSED {
    this.#refusal = refusal;
    return HEAD_REFUSED;
  }

  /** Cuts the texts out of the whole section, which starts at `start` of `bytes`, and decides what they mean. */
  #complete(bytes: Buffer, start: number, startInChunk: number): HeadOutcome {
    this.position = startInChunk + this.#readBytes;
    if (this.#firstState !== START) {
      this.#fieldLines = bytes.toString('latin1', start, start + this.#readBytes - 2);
      return HEAD_COMPLETE;
    }
    const known = this.#fieldsAreKnown ? this.#cache.head : undefined;
    const textBytes = known === undefined ? this.#readBytes - 2 : this.#versionStart;
    const text = bytes.toString('latin1', start, start + textBytes);
    const line = {
      method: text.slice(this.#methodStart, this.#targetStart - 1),
      target: text.slice(this.#targetStart, this.#versionStart - 1),
      minorVersion: this.#minorVersion,
    };
    const head =
      known === undefined
        ? decideHead(line, this.#facts, text.slice(this.#fieldsStart))
        : headWithFieldsOf(known, this.#cache.host, line);
    if (typeof head === 'string') return this.#refuse(head);
    this.#head = head;
    const host = known === undefined ? this.#facts.host : this.#cache.host;
    // Empty lines before a head are rare; one that came with them is not worth keeping.
    if (this.#methodStart === 0) this.#cache.keep(head, host, bytes, start, this.#readBytes, this.#fieldsStart);
    return HEAD_COMPLETE;
  }

  // Reads `bytes` from where the head stopped to `end`; the head starts at `base`.
  #scan(bytes: Buffer, base: number, end: number): HeadOutcome {
    const limit = Math.min(end, base + this.#maxBytes);
    let state = this.#state;
    let at = base + this.#readBytes;
    let wholeLinesTaken = false;
    while (at < limit) {
      const octet = bytes[at] ?? 0;
      switch (state) {
        case START:
          if (octet === CR) state = START_LF;
          else {
            this.#methodStart = at - base;
            state = METHOD;
            continue;
          }
          break;
        case START_LF:
          if (octet !== LF) return this.#refuse('bare-cr');
          this.#emptyLines += 1;
          if (this.#emptyLines > MAX_LEADING_EMPTY_LINES) return this.#refuse('leading-junk');
          state = START;
          break;
        case METHOD: {
          while (at < limit && ((OCTET_CLASSES[bytes[at] ?? 0] ?? 0) & TOKEN) !== 0) at += 1;
          const methodBytes = at - base - this.#methodStart;
          if (methodBytes > MAX_METHOD_BYTES) return this.#refuse('method-unknown');
          if (at === limit) continue;
          if (methodBytes === 0 || bytes[at] !== SP) return this.#refuse(refusalAfterMethod(bytes[at], methodBytes));
          this.#isHead =
            methodBytes === 4 && bytes[at - 4] === UPPER_H && bytes.toString('latin1', at - 4, at) === 'HEAD';
          this.#targetStart = at + 1 - base;
          state = TARGET_TEXT;
          break;
        }
        case TARGET_TEXT: {
          const longest = Math.min(limit, base + this.#targetStart + this.#limits.maxTargetBytes + 1);
          while (at < longest && ((OCTET_CLASSES[bytes[at] ?? 0] ?? 0) & TARGET) !== 0) at += 1;
          const targetBytes = at - base - this.#targetStart;
          if (targetBytes > this.#limits.maxTargetBytes) return this.#refuse('target-too-long');
          if (at === limit) continue;
          if (targetBytes === 0 || bytes[at] !== SP) return this.#refuse(refusalAfterTarget(bytes[at], targetBytes));
          this.#versionStart = at + 1 - base;
          state = VERSION;
          break;
        }
        case VERSION: {
          const index = at - base - this.#versionStart;
          if (index === VERSION_BYTES) {
            if (octet !== CR) return this.#refuse(octet === LF ? 'bare-lf' : 'version-invalid');
            state = LINE_LF;
          } else if (!isVersionOctet(index, octet))
            return this.#refuse(octet === SP ? 'request-line-invalid' : 'version-invalid');
          break;
        }
        case LINE_LF: {
          if (octet !== LF) return this.#refuse('bare-cr');
          if (bytes[base + this.#versionStart + 5] !== 0x31) return this.#refuse('version-unsupported');
          this.#minorVersion = bytes[base + this.#versionStart + 7] === 0x30 ? 0 : 1;
          this.#fieldsStart = at + 1 - base;
          if (this.#cache.matchesFields(bytes, at + 1, limit, this.#minorVersion)) {
            this.#fieldsAreKnown = true;
            this.#readBytes = this.#fieldsStart + this.#cache.fieldsByteLength;
            return HEAD_COMPLETE;
          }
          state = FIELD_START;
          break;
        }
        case FIELD_START:
          if (octet === CR) {
            state = END_LF;
            break;
          }
          if (octet === SP || octet === HTAB) return this.#refuse('field-folded');
          if (!wholeLinesTaken) {
            wholeLinesTaken = true;
            at = takeWholeLines(bytes, at, limit, this.#facts, this.#limits.maxFields);
            if (this.#facts.refusal !== undefined) return this.#refuse(this.#facts.refusal);
            continue;
          }
          if (this.#facts.fieldCount === this.#limits.maxFields) return this.#refuse('too-many-fields');
          this.#nameStart = at - base;
          state = NAME;
          continue;
        case NAME: {
          while (at < limit && ((OCTET_CLASSES[bytes[at] ?? 0] ?? 0) & TOKEN) !== 0) at += 1;
          if (at === limit) continue;
          this.#nameEnd = at - base;
          if (bytes[at] !== COLON || this.#nameEnd === this.#nameStart)
            return this.#refuse(refusalInName(bytes[at], this.#nameEnd - this.#nameStart));
          state = VALUE_START;
          break;
        }
        case VALUE_START:
          if (octet === SP || octet === HTAB) break;
          this.#valueStart = at - base;
          state = VALUE_TEXT;
          continue;
        case VALUE_TEXT:
          while (at < limit && ((OCTET_CLASSES[bytes[at] ?? 0] ?? 0) & VALUE) !== 0) at += 1;
          if (at === limit) continue;
          if (bytes[at] !== CR) return this.#refuse(bytes[at] === LF ? 'bare-lf' : 'field-value-invalid');
          state = FIELD_LF;
          break;
        case FIELD_LF:
          if (octet !== LF) return this.#refuse('bare-cr');
          this.#facts.fieldCount += 1;
          this.#facts.note(bytes, base + this.#nameStart, base + this.#nameEnd, base + this.#valueStart, at - 1);
          if (this.#facts.refusal !== undefined) return this.#refuse(this.#facts.refusal);
          wholeLinesTaken = false;
          state = FIELD_START;
          break;
        default:
          // END_LF
          if (octet !== LF) return this.#refuse('bare-cr');
          this.#readBytes = at + 1 - base;
          return HEAD_COMPLETE;
      }
      at += 1;
    }
    this.#state = state;
    this.#readBytes = at - base;
    return NEED_MORE;
  }
}

// Which rule an octet breaks where a part of the head has to end.

/** A method that ended in something else than a space. */
function refusalAfterMethod(octet: number | undefined, methodBytes: number): Refusal {
  if (octet === LF) return 'bare-lf';
  if (methodBytes > 0 && (octet === CR || octet === HTAB)) return 'request-line-invalid';
  return methodBytes === 0 && octet === SP ? 'request-line-invalid' : 'method-invalid';
}

/** A target that ended in something else than a space. */
function refusalAfterTarget(octet: number | undefined, targetBytes: number): Refusal {
  if (octet === LF) return 'bare-lf';
  return octet === CR || octet === HTAB || (targetBytes === 0 && octet === SP)
    ? 'request-line-invalid'
    : 'target-invalid';
}

/** A field name that ended in something else than a colon. */
function refusalInName(octet: number | undefined, nameBytes: number): Refusal {
  if (octet === LF) return 'bare-lf';
  return nameBytes > 0 && (octet === SP || octet === HTAB) ? 'space-before-colon' : 'field-name-invalid';
}
