// Bytes in, events out. No sockets, no timers, no clock.
//
// A chunk may end anywhere, also between IAC and its command, so everything that must survive a chunk is in `state` and
// the fields beside it. Nothing is ever refused: what is odd becomes a warning, and the parser stays in step.
//
// Two things a real network does to TELNET are absorbed here. The urgent byte of a Synch is taken out of the stream by
// the kernel and Node cannot ask for it inline, so `IAC DM` arrives as a lone DM (inetutils) or as a lone IAC (netkit).
// And some clients send the window size with 255 not doubled.

import { commandOf, DM, IAC, LOWEST_COMMAND, OPTIONS, SB, SE, verbOf, type CommandName, type Verb } from './codes.ts';

export type Warning =
  /** IAC before a byte that is no command: the IAC was dropped, the byte is data. */
  | 'unknown-command'
  /** IAC SE without a subnegotiation. */
  | 'stray-end'
  /** A DM without its IAC, left over from a Synch: dropped. */
  | 'stray-mark'
  /** A subnegotiation without even an option number. */
  | 'empty-subnegotiation'
  /** A command inside a subnegotiation: the subnegotiation was dropped, the command was obeyed. */
  | 'interrupted-subnegotiation'
  /** More than `maxSubnegotiationBytes`: dropped up to its end. Reported once, when the limit is passed. */
  | 'long-subnegotiation';

export type TelnetEvent =
  /** `bytes` is a view of the chunk wherever possible: it is valid as long as the chunk is. Never empty. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'command'; readonly command: CommandName }
  | { readonly type: 'negotiation'; readonly verb: Verb; readonly option: number }
  /** `payload` has its doubled IACs undone and belongs to the receiver. */
  | { readonly type: 'subnegotiation'; readonly option: number; readonly payload: Uint8Array }
  | { readonly type: 'warning'; readonly warning: Warning };

export interface Parser {
  /** Feeds one chunk and returns every event it completes. Never throws. */
  push(chunk: Uint8Array): TelnetEvent[];
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

type State = 'data' | 'mark' | 'iac' | 'negotiation' | 'sb-option' | 'sb-option-iac' | 'sb' | 'sb-iac';

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
  /** The peer's WILL BINARY: from there on a lone DM is data like any other byte. */
  let binary = false;
  let events: TelnetEvent[] = [];
  /** Where the next IAC of this chunk is, or the chunk's length. Stale when it lies before the place of reading. */
  let nextIac = -1;

  const warn = (warning: Warning): void => void events.push({ type: 'warning', warning });
  const data = (bytes: Uint8Array): void => {
    if (bytes.length > 0) events.push({ type: 'data', bytes });
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
    } else if (command !== undefined) events.push({ type: 'command', command });
    else if (byte === SB) state = 'sb-option';
    else if (byte === SE) warn('stray-end');
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
    else if (byte < LOWEST_COMMAND || (option === OPTIONS.NAWS.code && !discarding && payload.length < NAWS_BYTES)) {
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

  /** Takes data from `start` up to the next byte with a meaning, and returns where to go on. */
  const run = (chunk: Uint8Array, start: number): number => {
    // Looked up once for many marks, or a chunk full of them would be searched to its end for each.
    if (nextIac < start) {
      const found = chunk.indexOf(IAC, start);
      nextIac = found < 0 ? chunk.length : found;
    }
    const clean = chunk.subarray(start, nextIac);
    const mark = binary ? -1 : clean.indexOf(DM);
    if (mark >= 0) {
      data(clean.subarray(0, mark));
      state = 'mark';
      return start + mark + 1;
    }
    data(clean);
    if (nextIac === chunk.length) return nextIac;
    state = 'iac';
    return nextIac + 1;
  };

  /** Everything but data goes one byte at a time: it is short. True when the byte is data, and not consumed. */
  const step = (byte: number): boolean => {
    switch (state) {
      case 'iac':
        return afterIac(byte);
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

  return {
    push(chunk) {
      nextIac = -1;
      let at = 0;
      while (at < chunk.length) {
        if (state === 'data') at = run(chunk, at);
        // A byte that turns out to be data is not consumed: `run` takes it together with what follows.
        else if (!step(chunk[at] ?? 0)) at += 1;
      }
      const completed = events;
      events = [];
      return completed;
    },
  };
}
