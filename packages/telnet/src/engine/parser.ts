// Bytes in, events out. No sockets, no timers, no clock.
//
// A chunk may end anywhere, also between IAC and its command, so everything that must survive a chunk is in `state` and
// the fields beside it. Nothing is ever refused: what is odd becomes a warning, and the parser stays in step.
//
// Two things a real network does to TELNET are absorbed here. The urgent byte of a Synch is taken out of the stream by
// the kernel and Node cannot ask for it inline, so `IAC DM` arrives as a lone DM (inetutils) or as a lone IAC (netkit).
// And some clients send the window size with 255 not doubled.
//
// Most chunks hold no IAC at all: they are found by one search and passed on as they are.

import { commandOf, DM, IAC, LOWEST_COMMAND, OPTIONS, SB, SE, verbOf, type CommandName, type Verb } from './codes.ts';
import { undouble } from './doubled-iac.ts';
import type { TelnetEvent, Warning } from './telnet-event.ts';

export interface Parser {
  /** Feeds one chunk and returns every event it completes. Never throws. */
  push(chunk: Uint8Array): TelnetEvent[];
  /** Between the SB and the SE of a subnegotiation: which one it is, counted from 1. Undefined outside. */
  readonly openSubnegotiation: number | undefined;
  /**
   * Gives up a subnegotiation that does not end, so that what the user types is read again. What came behind its option
   * is taken for data, as far as it was kept: an SB by mistake must not cost the lines after it.
   */
  abandonSubnegotiation(): TelnetEvent[];
}

export interface ParserOptions {
  /** Longest payload of one subnegotiation, with doubled IACs counted once. */
  readonly maxSubnegotiationBytes?: number;
}

/**
 * No known client sends more than a few hundred bytes; 4096 is what Twisted settled on after memory was exhausted
 * through it.
 */
export const DEFAULT_MAX_SUBNEGOTIATION_BYTES = 4096;

// NAWS is two 16-bit numbers (RFC 1073). Up to here an IAC that is not doubled can only be a 255 of the size.
const NAWS_BYTES = 4;

type State = 'data' | 'mark' | 'iac' | 'iac-iac' | 'negotiation' | 'sb-option' | 'sb-option-iac' | 'sb' | 'sb-iac';

// What a Synch goes with (RFC 854): behind one of these, an IAC before a whole command is what is left of `IAC DM`.
const SYNCHING: ReadonlySet<CommandName> = new Set(['IP', 'AO', 'AYT', 'BRK', 'ABORT', 'SUSP']);

/** Continuation bytes of UTF-8 are 10xxxxxx. */
const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** A parser for one direction of one connection. */
export function createParser({
  maxSubnegotiationBytes = DEFAULT_MAX_SUBNEGOTIATION_BYTES,
}: ParserOptions = {}): Parser {
  let state: State = 'data';
  let verb: Verb = 'WONT';
  let option = 0;
  let payload: number[] = [];
  let discarding = false;
  let begun = 0;
  /** The peer's WILL BINARY: from there on a lone DM is data like any other byte. */
  let binary = false;
  let events: TelnetEvent[] = [];
  /** A command that a Synch goes with has come, and no data since. */
  let synching = false;

  /** A copy of this chunk, made when it is the first time that doubled IACs are undone in it. */
  let undone: Uint8Array | undefined;
  /** Whether a DM can be left over in this chunk: most hold no such byte, and are not searched again for each run. */
  let maybeMarked = false;

  const warn = (warning: Warning): void => void events.push({ type: 'warning', warning });
  const data = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return;
    synching = false;
    events.push({ type: 'data', bytes });
  };

  /** Data in which a DM may be left over. True when the last byte is one, and what follows has to tell. */
  const unmarked = (bytes: Uint8Array): boolean => {
    let start = 0;
    for (let mark = binary || !maybeMarked ? -1 : bytes.indexOf(DM); mark >= 0; mark = bytes.indexOf(DM, mark + 1)) {
      const next = bytes[mark + 1];
      // 0xF2 also starts a UTF-8 character of four bytes; only then a continuation byte follows.
      if (next !== undefined && isContinuation(next)) continue;
      data(bytes.subarray(start, mark));
      if (next === undefined) return true;
      warn('stray-mark');
      start = mark + 1;
    }
    data(start === 0 ? bytes : bytes.subarray(start));
    return false;
  };

  const keep = (byte: number): void => {
    if (discarding) return;
    if (payload.length < maxSubnegotiationBytes) {
      payload.push(byte);
      return;
    }
    discarding = true;
    payload = [];
    warn('long-subnegotiation');
  };

  const isSize = (): boolean => option === OPTIONS.NAWS.code && !discarding;
  const isWholeSize = (): boolean => isSize() && payload.length === NAWS_BYTES;

  const startSubnegotiation = (code: number): void => {
    option = code;
    payload = [];
    discarding = false;
    state = 'sb';
  };

  const endSubnegotiation = (): void => {
    if (!discarding) events.push({ type: 'subnegotiation', option, payload: Uint8Array.from(payload) });
    payload = [];
    state = 'data';
  };

  /** The byte after an IAC, outside of subnegotiations. True when it is data. */
  const afterIac = (byte: number): boolean => {
    state = 'data';
    if (byte < LOWEST_COMMAND) {
      warn('unknown-command');
      return true;
    }
    const found = verbOf(byte);
    const command = commandOf(byte);
    if (found !== undefined) {
      verb = found;
      state = 'negotiation';
    } else if (command !== undefined) {
      synching ||= SYNCHING.has(command);
      events.push({ type: 'command', command });
    } else if (byte === SB) {
      state = 'sb-option';
      begun += 1;
    } else if (byte === SE) warn('stray-end');
    else if (synching && !binary) state = 'iac-iac';
    else data(Uint8Array.of(IAC));
    return false;
  };

  /**
   * The byte after an IAC inside a subnegotiation. True when the byte is to be read again as one of the data stream.
   */
  const insideIac = (byte: number): boolean => {
    state = 'sb';
    if (byte === SE) endSubnegotiation();
    else if (byte === IAC) keep(IAC);
    else if (byte < LOWEST_COMMAND || (isSize() && payload.length < NAWS_BYTES)) {
      keep(IAC);
      keep(byte);
    } else {
      payload = [];
      warn('interrupted-subnegotiation');
      return afterIac(byte);
    }
    return false;
  };

  const negotiated = (code: number): void => {
    if (code === OPTIONS.BINARY.code && (verb === 'WILL' || verb === 'WONT')) binary = verb === 'WILL';
    events.push({ type: 'negotiation', verb, option: code });
    state = 'data';
  };

  /** An IAC where the option number of a subnegotiation belongs. True when the byte is data. */
  const optionIac = (byte: number): boolean => {
    state = 'data';
    if (byte === IAC) startSubnegotiation(IAC);
    else if (byte === SE) warn('empty-subnegotiation');
    else {
      warn('interrupted-subnegotiation');
      return afterIac(byte);
    }
    return false;
  };

  /** Data from `start` on, with doubled IACs undone, up to an IAC that is not doubled or is the last byte. */
  const runDoubled = (chunk: Uint8Array, start: number): number => {
    // One for the whole chunk: it may hold many such runs, with a command behind each.
    undone ??= new Uint8Array(chunk);
    const { at, to } = undouble(chunk, start, undone);
    return endRun(unmarked(undone.subarray(start, to)), chunk, at);
  };

  /** Behind data comes an IAC, or nothing yet. */
  const endRun = (marked: boolean, chunk: Uint8Array, end: number): number => {
    if (end === chunk.length) {
      if (marked) state = 'mark';
      return end;
    }
    // Before an IAC a DM is no part of a character.
    if (marked) warn('stray-mark');
    state = 'iac';
    return end + 1;
  };

  /** Takes data from `start` up to the next command, and returns where to go on. */
  const run = (chunk: Uint8Array, start: number): number => {
    const found = chunk.indexOf(IAC, start);
    if (found >= 0 && chunk[found + 1] === IAC && !synching) return runDoubled(chunk, start);
    const end = found < 0 ? chunk.length : found;
    return endRun(unmarked(start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end)), chunk, end);
  };

  /** Everything but data goes one byte at a time: it is short. True when the byte is data, and not consumed. */
  const step = (byte: number): boolean => {
    switch (state) {
      case 'iac':
        return afterIac(byte);
      case 'iac-iac':
        state = 'data';
        if (byte >= LOWEST_COMMAND && byte < IAC) {
          warn('stray-mark');
          return afterIac(byte);
        }
        data(Uint8Array.of(IAC));
        return true;
      case 'negotiation':
        negotiated(byte);
        return false;
      case 'sb-option':
        if (byte === IAC) state = 'sb-option-iac';
        else startSubnegotiation(byte);
        return false;
      case 'sb-option-iac':
        return optionIac(byte);
      case 'sb':
        if (byte === IAC) state = 'sb-iac';
        // A size that ends in a 255 which is not doubled: `255 IAC SE` has been read as a doubled one and a fifth byte.
        else if (byte === SE && isWholeSize()) endSubnegotiation();
        else keep(byte);
        return false;
      case 'sb-iac':
        return insideIac(byte);
      case 'mark':
        // 0xF2 also starts a UTF-8 character of four bytes; only then a continuation byte follows.
        if (isContinuation(byte)) data(Uint8Array.of(DM));
        else warn('stray-mark');
        state = 'data';
        return true;
      case 'data':
        return true;
    }
  };

  const isOpen = (): boolean => state.startsWith('sb');
  const take = (): TelnetEvent[] => {
    const completed = events;
    events = [];
    return completed;
  };

  return {
    push(chunk) {
      let at = 0;
      maybeMarked = chunk.includes(DM);
      while (at < chunk.length) {
        if (state === 'data') at = run(chunk, at);
        // A byte that turns out to be data is not consumed: `run` takes it together with what follows.
        else if (!step(chunk[at] ?? 0)) at += 1;
      }
      undone = undefined;
      return take();
    },
    get openSubnegotiation() {
      return isOpen() ? begun : undefined;
    },
    abandonSubnegotiation() {
      if (!isOpen()) return [];
      const kept = state === 'sb' || state === 'sb-iac' ? Uint8Array.from(payload) : new Uint8Array(0);
      payload = [];
      state = 'data';
      warn('endless-subnegotiation');
      data(kept);
      return take();
    },
  };
}
