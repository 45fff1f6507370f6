// The octets of a request line and a header section: where its parts begin, or the rule that an octet breaks.
//
//     start ─▶ method ─▶ target ─▶ version ─▶ line end ─▶ ┌ field start ─▶ name ─▶ value ─▶ line end ┐─▶ end
//                                                         └───────────────────◀─────────────────────┘
//
// All positions are relative to the first byte of the section, and scanning goes on where it stopped: nothing is looked
// at twice however slowly it comes. A trailer section starts at the first field (RFC 9112 §7.1.2).

import type { HttpLimits } from '../limits.ts';
import { isVersionOctet, OCTET_CLASSES, TARGET, TOKEN, VALUE } from '../semantics/char-classes.ts';
import { HeaderSemantics } from '../semantics/header-semantics.ts';
import { MAX_METHOD_BYTES } from '../semantics/methods.ts';
import type { Refusal } from '../semantics/refusals.ts';
import { takeWholeLines } from './field-lines.ts';
import type { RequestHeadCache } from './request-head-cache.ts';

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

/** What scanning found. */
export const NEED_MORE = 0;
export const HEAD_COMPLETE = 1;
export const HEAD_REFUSED = 2;
export type HeadOutcome = typeof NEED_MORE | typeof HEAD_COMPLETE | typeof HEAD_REFUSED;

export class HeadScanner {
  readonly #limits: HttpLimits;
  readonly #cache: RequestHeadCache;
  readonly #maxBytes: number;
  readonly #firstState: number;
  #state: number;
  #emptyLines = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  /** What the fields so far say to the engine. */
  readonly facts = new HeaderSemantics();
  /** How many bytes of the section have been read. */
  readBytes = 0;
  methodStart = 0;
  targetStart = 0;
  versionStart = 0;
  fieldsStart = 0;
  minorVersion: 0 | 1 = 1;
  /** The request is HEAD, as far as it has come. */
  isHead = false;
  /** The fields are those that the cache keeps: none of them was read. */
  fieldsAreKnown = false;
  /** Why it was refused. Only after HEAD_REFUSED. */
  refusal: Refusal = 'request-line-invalid';

  /** No more than `maxBytes` are read. */
  constructor(limits: HttpLimits, cache: RequestHeadCache, section: 'head' | 'trailers', maxBytes: number) {
    this.#limits = limits;
    this.#cache = cache;
    this.#maxBytes = maxBytes;
    this.#firstState = section === 'head' ? START : FIELD_START;
    this.#state = this.#firstState;
  }

  /** It stands within the target: what is too long is that. */
  get isInTarget(): boolean {
    return this.#state === TARGET_TEXT;
  }

  /** Makes ready for the next section. */
  reset(): void {
    this.#state = this.#firstState;
    this.#emptyLines = 0;
    this.readBytes = 0;
    this.fieldsStart = 0;
    this.fieldsAreKnown = false;
    this.isHead = false;
    this.facts.reset();
  }

  /** Reads `bytes` from where the section stopped to `end`; the section starts at `base`. */
  scan(bytes: Buffer, base: number, end: number): HeadOutcome {
    const limit = Math.min(end, base + this.#maxBytes);
    let state = this.#state;
    let at = base + this.readBytes;
    let wholeLinesTaken = false;
    while (at < limit) {
      const octet = bytes[at] ?? 0;
      switch (state) {
        case START:
          if (octet === CR) state = START_LF;
          else {
            this.methodStart = at - base;
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
          const methodBytes = at - base - this.methodStart;
          if (methodBytes > MAX_METHOD_BYTES) return this.#refuse('method-unknown');
          if (at === limit) continue;
          if (methodBytes === 0 || bytes[at] !== SP) return this.#refuse(refusalAfterMethod(bytes[at], methodBytes));
          this.isHead =
            methodBytes === 4 && bytes[at - 4] === UPPER_H && bytes.toString('latin1', at - 4, at) === 'HEAD';
          this.targetStart = at + 1 - base;
          state = TARGET_TEXT;
          break;
        }
        case TARGET_TEXT: {
          const longest = Math.min(limit, base + this.targetStart + this.#limits.maxTargetBytes + 1);
          while (at < longest && ((OCTET_CLASSES[bytes[at] ?? 0] ?? 0) & TARGET) !== 0) at += 1;
          const targetBytes = at - base - this.targetStart;
          if (targetBytes > this.#limits.maxTargetBytes) return this.#refuse('target-too-long');
          if (at === limit) continue;
          if (targetBytes === 0 || bytes[at] !== SP) return this.#refuse(refusalAfterTarget(bytes[at], targetBytes));
          this.versionStart = at + 1 - base;
          state = VERSION;
          break;
        }
        case VERSION: {
          const index = at - base - this.versionStart;
          if (index === VERSION_BYTES) {
            if (octet !== CR) return this.#refuse(octet === LF ? 'bare-lf' : 'version-invalid');
            state = LINE_LF;
          } else if (!isVersionOctet(index, octet))
            return this.#refuse(octet === SP ? 'request-line-invalid' : 'version-invalid');
          break;
        }
        case LINE_LF: {
          if (octet !== LF) return this.#refuse('bare-cr');
          if (bytes[base + this.versionStart + 5] !== 0x31) return this.#refuse('version-unsupported');
          this.minorVersion = bytes[base + this.versionStart + 7] === 0x30 ? 0 : 1;
          this.fieldsStart = at + 1 - base;
          if (this.#cache.matchesFields(bytes, at + 1, limit, this.minorVersion)) {
            this.fieldsAreKnown = true;
            this.readBytes = this.fieldsStart + this.#cache.fieldsByteLength;
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
            at = takeWholeLines(bytes, at, limit, this.facts, this.#limits.maxFields);
            if (this.facts.refusal !== undefined) return this.#refuse(this.facts.refusal);
            continue;
          }
          if (this.facts.fieldCount === this.#limits.maxFields) return this.#refuse('too-many-fields');
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
          this.facts.fieldCount += 1;
          this.facts.note(bytes, base + this.#nameStart, base + this.#nameEnd, base + this.#valueStart, at - 1);
          if (this.facts.refusal !== undefined) return this.#refuse(this.facts.refusal);
          wholeLinesTaken = false;
          state = FIELD_START;
          break;
        default:
          // END_LF
          if (octet !== LF) return this.#refuse('bare-cr');
          this.readBytes = at + 1 - base;
          return HEAD_COMPLETE;
      }
      at += 1;
    }
    this.#state = state;
    this.readBytes = at - base;
    return NEED_MORE;
  }

  #refuse(refusal: Refusal): typeof HEAD_REFUSED {
    this.refusal = refusal;
    return HEAD_REFUSED;
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
