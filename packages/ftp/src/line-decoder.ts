// Bytes in, command lines out: the Telnet end of line and the Telnet commands of RFC 959 §5.3 and RFC 1123 §4.1.2.12, which
// wants options refused.
//
// A chunk may end anywhere. What has arrived but was not asked for yet stays as bytes: a peer that sends ten thousand
// tiny commands costs its chunk, not ten thousand objects. Once `pendingBytes` is above zero the caller should stop
// reading.

/**
 * One line without its CR LF or LF, or the news that a line was longer than the limit (said once for each such line).
 */
export type LineEvent = { readonly type: 'line'; readonly bytes: Uint8Array } | { readonly type: 'too-long' };

/** The peer wants an option of Telnet: `bytes` is the DONT or WONT to send. Its line goes on. */
export interface TelnetRefusal {
  readonly type: 'refusal';
  readonly bytes: Uint8Array;
}

// Room for a path of PATH_MAX (4096 on Linux) and the longest verb.
export const DEFAULT_MAX_LINE_BYTES = 4096 + 8;

const LF = 10;
const CR = 13;
const IAC = 255;
const SB = 250;
const SE = 240;
const WILL = 251;
const WONT = 252;
const DO = 253;
const DONT = 254;

const SPACE = 32;

/**
 * `iac`: after IAC. `will`, `do`: after that. `not`: after WONT or DONT. `sub`: in a subnegotiation. `sub-iac`: after an
 * IAC in one.
 */
type TelnetState = 'text' | 'iac' | 'will' | 'do' | 'not' | 'sub' | 'sub-iac';

const AFTER_IAC: Readonly<Record<number, TelnetState>> = {
  [WILL]: 'will',
  [DO]: 'do',
  [WONT]: 'not',
  [DONT]: 'not',
  [SB]: 'sub',
};

const EMPTY = new Uint8Array(0);

const ABOR = [0x41, 0x42, 0x4f, 0x52];

/**
 * A client that sends the whole of `ABOR CR LF` as urgent data loses the last byte: the system keeps it out of the
 * stream. So this one command ends at its CR.
 */
const isAbort = (line: Uint8Array, byteLength: number): boolean =>
  byteLength === ABOR.length && ABOR.every((byte, index) => ((line[index] ?? 0) & 0xdf) === byte);

/** Where a line is put together. Of all decoders: what has not ended when a chunk has is kept by its own. */
let line = EMPTY;

const never = (): boolean => false;

/**
 * Where the LF of a first line is that has nothing to do with Telnet, which is nearly all of them: bytes below 0x80 and no
 * ABOR, which may end at its CR. 0 where there is none.
 */
function plainLineEnd(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === LF) return at;
    if (byte >= 0x80 || (byte === CR && at === ABOR.length && isAbort(bytes, at))) return 0;
  }
  return 0;
}

export interface LineDecoderOptions {
  readonly maxLineBytes?: number;
  /** Whether the peer speaks no Telnet now: then 0xFF twice in an argument is two bytes of it. Default: never. */
  readonly isPlain?: () => boolean;
}

export class LineDecoder {
  readonly #maxLineBytes: number;
  readonly #isPlain: () => boolean;
  #pending: Uint8Array = EMPTY;
  /** The beginning of a line whose end has not come. */
  #begun: Uint8Array = EMPTY;
  #lineBytes = 0;
  #overflowed = false;
  /** The verb is over. What follows is a name, mostly, in which 0xFF may be a letter. */
  #inArgument = false;
  #telnet: TelnetState = 'text';
  /** The line that has just ended was an ABOR that ended at its CR. */
  #wasAbort = false;

  constructor({ maxLineBytes = DEFAULT_MAX_LINE_BYTES, isPlain = never }: LineDecoderOptions = {}) {
    this.#maxLineBytes = maxLineBytes;
    this.#isPlain = isPlain;
    // One more than the limit, for the CR of a line that is exactly as long as it may be.
    if (line.length < maxLineBytes + 1) line = new Uint8Array(maxLineBytes + 1);
  }

  /** Takes one chunk; the caller may reuse its buffer. */
  push(chunk: Uint8Array): void {
    if (this.#pending.length === 0) {
      this.#pending = chunk.slice();
      return;
    }
    const joined = new Uint8Array(this.#pending.length + chunk.length);
    joined.set(this.#pending);
    joined.set(chunk, this.#pending.length);
    this.#pending = joined;
  }

  /** The next complete line, or undefined when more bytes are needed. Never throws. */
  next(): LineEvent | TelnetRefusal | undefined {
    const pending = this.#pending;
    if (pending.length === 0) return undefined;
    if (this.#isBetweenLines) {
      const end = plainLineEnd(pending);
      if (end > 0 && end <= this.#maxLineBytes) {
        this.#pending = end + 1 < pending.length ? pending.subarray(end + 1) : EMPTY;
        return { type: 'line', bytes: pending.subarray(0, pending[end - 1] === CR ? end - 1 : end) };
      }
    }
    line.set(this.#begun);
    for (let index = 0; index < pending.length; index += 1) {
      const event = this.#step(pending[index] ?? 0);
      if (event === undefined) continue;
      this.#pending = index + 1 < pending.length ? pending.subarray(index + 1) : EMPTY;
      this.#keepLine();
      return event;
    }
    this.#pending = EMPTY;
    this.#keepLine();
    return undefined;
  }

  /** Bytes that `next` has not looked at. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  /** These, and those of a line that has not ended yet. */
  get heldBytes(): number {
    // What has begun as a command of Telnet is held too: it would take what follows for its rest.
    return this.#pending.length + this.#lineBytes + (this.#telnet === 'text' ? 0 : 1);
  }

  get #isBetweenLines(): boolean {
    return this.#lineBytes === 0 && this.#telnet === 'text' && !this.#wasAbort && !this.#overflowed;
  }

  #keepLine(): void {
    this.#begun = this.#lineBytes === 0 ? EMPTY : line.slice(0, this.#lineBytes);
  }

  #step(byte: number): LineEvent | TelnetRefusal | undefined {
    switch (this.#telnet) {
      case 'text':
        if (byte !== IAC) return this.#text(byte);
        this.#telnet = 'iac';
        return undefined;
      case 'iac':
        if (this.#inArgument) return this.#afterIacInArgument(byte);
        this.#telnet = AFTER_IAC[byte] ?? 'text';
        // IAC IAC is a data byte. Below SE it is no command: the Data Mark travelled as urgent data and this is what
        // follows it.
        return byte === IAC || byte < SE ? this.#text(byte) : undefined;
      case 'will':
        this.#telnet = 'text';
        return { type: 'refusal', bytes: Uint8Array.of(IAC, DONT, byte) };
      case 'do':
        this.#telnet = 'text';
        return { type: 'refusal', bytes: Uint8Array.of(IAC, WONT, byte) };
      case 'not':
        this.#telnet = 'text';
        return undefined;
      case 'sub':
        if (byte === IAC) this.#telnet = 'sub-iac';
        return undefined;
      case 'sub-iac':
        this.#telnet = byte === SE ? 'text' : 'sub';
        return undefined;
    }
  }

  #text(byte: number): LineEvent | undefined {
    const endedAtCr = this.#wasAbort;
    this.#wasAbort = false;
    if (endedAtCr && (byte === LF || byte === 0)) return undefined;
    if (byte === LF) return this.#endLine();
    if (byte === CR && isAbort(line, this.#lineBytes)) {
      this.#wasAbort = true;
      return this.#endLine();
    }
    // The IAC before a Data Mark may travel as urgent data and get lost, which leaves a bare command byte where the
    // verb begins.
    if (this.#lineBytes === 0 && byte >= SE) return undefined;
    if (this.#lineBytes > this.#maxLineBytes) this.#overflowed = true;
    else {
      line[this.#lineBytes] = byte;
      this.#lineBytes += 1;
      this.#inArgument ||= byte === SPACE;
    }
    return undefined;
  }

  /** Behind 0xFF in an argument. Nobody sends commands of Telnet there, and many clients send their names as they are. */
  #afterIacInArgument(byte: number): LineEvent | undefined {
    this.#telnet = 'text';
    this.#text(IAC);
    return byte === IAC && !this.#isPlain() ? undefined : this.#text(byte);
  }

  #endLine(): LineEvent {
    const lineBytes = this.#lineBytes;
    const length = lineBytes > 0 && line[lineBytes - 1] === CR ? lineBytes - 1 : lineBytes;
    const tooLong = this.#overflowed || length > this.#maxLineBytes;
    this.#lineBytes = 0;
    this.#overflowed = false;
    this.#inArgument = false;
    return tooLong ? { type: 'too-long' } : { type: 'line', bytes: line.slice(0, length) };
  }
}
