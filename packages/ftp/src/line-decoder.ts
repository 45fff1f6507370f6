// Bytes in, command lines out: the Telnet end of line and the Telnet commands of RFC 959 §5.3 and RFC 1123 §4.1.2.12.
//
// A chunk may end anywhere. What has arrived but was not asked for yet stays as bytes: a peer that sends ten thousand
// tiny commands costs its chunk, not ten thousand objects. Once `pendingBytes` is above zero the caller should stop
// reading.

/**
 * One line without its CR LF or LF, or the news that a line was longer than the limit (said once for each such line).
 */
export type LineEvent = { readonly type: 'line'; readonly bytes: Uint8Array } | { readonly type: 'too-long' };

export interface LineDecoder {
  /** Takes one chunk; the caller may reuse its buffer. */
  push(chunk: Uint8Array): void;
  /** The next complete line, or undefined when more bytes are needed. Never throws. */
  next(): LineEvent | undefined;
  /** Bytes that `next` has not looked at. */
  readonly pendingBytes: number;
  /** These, and those of a line that has not ended yet. */
  readonly heldBytes: number;
}

// Room for a path of PATH_MAX (4096 on Linux) and the longest verb.
export const DEFAULT_MAX_LINE_BYTES = 4096 + 8;

const LF = 10;
const CR = 13;
const IAC = 255;
const SB = 250;
const SE = 240;
const WILL = 251;

const SPACE = 32;

/**
 * `iac`: after IAC. `option`: after IAC WILL, WONT, DO or DONT. `sub`: in a subnegotiation. `sub-iac`: after an IAC in
 * one.
 */
type TelnetState = 'text' | 'iac' | 'option' | 'sub' | 'sub-iac';

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

export interface LineDecoderOptions {
  readonly maxLineBytes?: number;
  /** Whether the peer speaks no Telnet now: then 0xFF twice in an argument is two bytes of it. Default: never. */
  readonly isPlain?: () => boolean;
}

export function createLineDecoder(options: LineDecoderOptions = {}): LineDecoder {
  const { maxLineBytes = DEFAULT_MAX_LINE_BYTES, isPlain = (): boolean => false } = options;
  // One more than the limit, for the CR of a line that is exactly as long as it may be.
  const roomBytes = maxLineBytes + 1;
  if (line.length < roomBytes) line = new Uint8Array(roomBytes);
  let pending = EMPTY;
  /** The beginning of a line whose end has not come. */
  let begun = EMPTY;
  let lineBytes = 0;
  let overflowed = false;
  /** The verb is over. What follows is a name, mostly, in which 0xFF may be a letter. */
  let inArgument = false;
  let telnet: TelnetState = 'text';
  /** The line that has just ended was an ABOR that ended at its CR. */
  let wasAbort = false;

  const endLine = (): LineEvent => {
    const length = lineBytes > 0 && line[lineBytes - 1] === CR ? lineBytes - 1 : lineBytes;
    const tooLong = overflowed || length > maxLineBytes;
    lineBytes = 0;
    overflowed = false;
    inArgument = false;
    return tooLong ? { type: 'too-long' } : { type: 'line', bytes: line.slice(0, length) };
  };

  const text = (byte: number): LineEvent | undefined => {
    const endedAtCr = wasAbort;
    wasAbort = false;
    if (endedAtCr && (byte === LF || byte === 0)) return undefined;
    if (byte === LF) return endLine();
    if (byte === CR && isAbort(line, lineBytes)) {
      wasAbort = true;
      return endLine();
    }
    // The IAC before a Data Mark may travel as urgent data and get lost, which leaves a bare command byte where the
    // verb begins.
    if (lineBytes === 0 && byte >= SE) return undefined;
    if (lineBytes === roomBytes) overflowed = true;
    else {
      line[lineBytes] = byte;
      lineBytes += 1;
      inArgument ||= byte === SPACE;
    }
    return undefined;
  };

  /** Behind 0xFF in an argument. Nobody sends commands of Telnet there, and many clients send their names as they are. */
  const afterIacInArgument = (byte: number): LineEvent | undefined => {
    telnet = 'text';
    text(IAC);
    return byte === IAC && !isPlain() ? undefined : text(byte);
  };

  const step = (byte: number): LineEvent | undefined => {
    switch (telnet) {
      case 'text':
        if (byte !== IAC) return text(byte);
        telnet = 'iac';
        return undefined;
      case 'iac':
        if (inArgument) return afterIacInArgument(byte);
        telnet = byte === SB ? 'sub' : byte >= WILL && byte < IAC ? 'option' : 'text';
        // IAC IAC is a data byte. Below SE it is no command: the Data Mark travelled as urgent data and this is what
        // follows it.
        return byte === IAC || byte < SE ? text(byte) : undefined;
      case 'option':
        telnet = 'text';
        return undefined;
      case 'sub':
        if (byte === IAC) telnet = 'sub-iac';
        return undefined;
      case 'sub-iac':
        telnet = byte === SE ? 'text' : 'sub';
        return undefined;
    }
  };

  return {
    push(chunk) {
      if (pending.length === 0) {
        pending = chunk.slice();
        return;
      }
      const joined = new Uint8Array(pending.length + chunk.length);
      joined.set(pending);
      joined.set(chunk, pending.length);
      pending = joined;
    },
    next() {
      if (pending.length === 0) return undefined;
      line.set(begun);
      for (let index = 0; index < pending.length; index += 1) {
        const event = step(pending[index] ?? 0);
        if (event === undefined) continue;
        pending = index + 1 < pending.length ? pending.subarray(index + 1) : EMPTY;
        begun = EMPTY;
        return event;
      }
      pending = EMPTY;
      begun = lineBytes === 0 ? EMPTY : line.slice(0, lineBytes);
      return undefined;
    },
    get pendingBytes() {
      return pending.length;
    },
    get heldBytes() {
      // What has begun as a command of Telnet is held too: it would take what follows for its rest.
      return pending.length + lineBytes + (telnet === 'text' ? 0 : 1);
    },
  };
}
