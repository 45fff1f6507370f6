// From data bytes to what the handler reads: lines, or the bytes themselves while it reads those. Both pass through one
// queue, and changing from one to the other loses nothing that was typed ahead.

import { WellknownError, type Clock, type Timer } from '@wellknown/core';
import { createInputQueue, type InputQueue } from './input-queue.ts';
import { createLineDecoder, type LineEvent } from './line-decoder.ts';
import { createNvtBytes } from './nvt-bytes.ts';
import type { TextEncoding } from './text-encoding.ts';

/** The input as bytes. One at a time; while it is open no lines are read. */
export interface RawInput extends AsyncIterable<Uint8Array> {
  /** The next bytes, which are the caller's; undefined once no more will come, or after `close`. One reader at a time. */
  read(): Promise<Uint8Array | undefined>;
  /** Takes bytes back that were read and not used: they are the next. Not while a read waits. */
  unread(bytes: Uint8Array): void;
  /** Gives the input back to `readLine` and its kin, with what has come and was not read. */
  close(): void;
}

export interface InputOptions {
  readonly clock: Clock;
  readonly maxLineBytes: number;
  readonly maxQueuedBytes: number;
  readonly full: () => void;
  readonly hasRoom: () => void;
  readonly markReached: () => void;
  /** What the text is in. */
  readonly encoding: () => TextEncoding;
  /** The client sends BINARY (RFC 856): a CR is a byte like any other. */
  readonly isBinary: () => boolean;
  /** A line, before it is queued. True when it is none of the session's. */
  readonly refusesLine: (line: string) => boolean;
  /** What the line decoder found beside lines. */
  readonly edited: (event: Exclude<LineEvent, { type: 'line' | 'end-of-input' }>) => void;
}

/** Keys of a terminal that have a telnet command of their own (RFC 854, RFC 1184), as a terminal sends them. */
export const KEYS = { IP: 0x03, EOF: 0x04, EL: 0x15, SUSP: 0x1a, ABORT: 0x1c, EC: 0x7f } as const;

export interface Input {
  received(bytes: Uint8Array): void;
  /** A command that stands for a key: obeyed in a line, a byte among bytes. */
  key(name: 'EC' | 'EL' | 'EOF' | 'SUSP'): void;
  /** IP and its kin: what was typed ahead is thrown away; a reader of bytes gets the key. */
  interrupt(key: 'IP' | 'ABORT'): void;
  /** A timing mark, to be answered in its turn. `now` when nothing it could wait for lies before it. */
  mark(now: boolean): void;
  openRaw(): RawInput;
  readLine(): Promise<string | undefined>;
  /** Calls `hasRoom` where a discard made room. */
  noticeRoom(): void;
  /** Throws away what was typed ahead, and takes no more. */
  close(): void;
  /** The peer has sent its last byte: an unfinished line is the last. */
  end(): void;
  readonly awaited: boolean;
}

// An answer to DO TM is what inetutils telnet shows our output again for: a handler that never reads must not keep it.
const MAX_MARK_WAIT_MS = 10_000;

export function createInput(options: InputOptions): Input {
  const { clock, markReached, encoding, isBinary, refusesLine, edited } = options;
  const queue: InputQueue = createInputQueue({ ...options, markReached });
  const decoder = createLineDecoder({ maxLineBytes: options.maxLineBytes, encoding });
  const nvt = createNvtBytes();
  let raw: RawInput | undefined;
  /**
   * The reader of bytes has closed, and what waits is still bytes: an editor opens and closes for each line, and a
   * thousand lines that were typed ahead would be made lines, and bytes again, a thousand times.
   */
  let isDeferred = false;
  let markTimer: Timer | undefined;
  /** No more is taken in. */
  let over = false;

  const end = (): void => {
    over = true;
    queue.end();
  };
  const lineEvent = (event: LineEvent): void => {
    if (event.type === 'line') {
      if (!refusesLine(event.text)) queue.pushLine(event.text);
    } else if (event.type === 'end-of-input') end();
    else edited(event);
  };
  const decode = (bytes: Uint8Array): void => {
    for (const event of decoder.push(bytes)) if (!over) lineEvent(event);
  };
  const pushKey = (name: keyof typeof KEYS): void => queue.pushBytes(Uint8Array.of(KEYS[name]));

  const finish = (): void => {
    const rest = raw === undefined && !isDeferred ? decoder.finish() : undefined;
    if (rest !== undefined) queue.pushLine(rest);
    end();
  };

  /** What was typed ahead in lines, as the keys that made them. */
  const reopenAsBytes = (): void => {
    const lines = queue.takeAll();
    const unfinished = decoder.finish();
    for (const line of lines) queue.pushBytes(typeof line === 'string' ? encoding().encode(`${line}\r`) : line);
    if (unfinished !== undefined) queue.pushBytes(encoding().encode(unfinished));
  };
  const reopenAsLines = (): void => {
    if (!isDeferred) return;
    isDeferred = false;
    const ended = over;
    over = false;
    for (const bytes of queue.takeAll()) if (typeof bytes !== 'string') decode(bytes);
    if (ended) finish();
    queue.noticeRoom();
  };

  return {
    received(bytes) {
      if (over) return;
      // A handler that is at work is told of ^C at once.
      if (isDeferred && bytes.includes(KEYS.IP)) reopenAsLines();
      if (raw === undefined && !isDeferred) decode(bytes);
      else queue.pushBytes(nvt.push(bytes, isBinary()));
    },
    key(name) {
      if (raw !== undefined || isDeferred) pushKey(name);
      else if (name === 'EC') decoder.eraseCharacter();
      else if (name === 'EL') decoder.eraseLine();
      else if (name === 'EOF' && decoder.empty) end();
    },
    interrupt(key) {
      decoder.eraseLine();
      queue.discard();
      if (raw !== undefined) pushKey(key);
    },
    mark(now) {
      if (now) markReached();
      else queue.pushMark();
      markTimer ??= clock.after(MAX_MARK_WAIT_MS, () => {
        markTimer = undefined;
        queue.reachMarks();
      });
    },
    openRaw() {
      if (raw !== undefined || queue.awaited) {
        throw new WellknownError('WRONG_STATE', 'the input of this session is being read already', { fault: 'local' });
      }
      if (isDeferred) isDeferred = false;
      else reopenAsBytes();
      const opened: RawInput = {
        read: () => (raw === opened ? queue.nextBytes() : Promise.resolve(undefined)),
        unread(bytes) {
          if (raw === opened) queue.unshiftBytes(bytes);
        },
        close() {
          if (raw !== opened) return;
          raw = undefined;
          isDeferred = true;
          queue.cancelRead();
          if (queue.holdsByte(KEYS.IP)) reopenAsLines();
          queue.noticeRoom();
        },
        async *[Symbol.asyncIterator]() {
          for (let bytes = await opened.read(); bytes !== undefined; bytes = await opened.read()) yield bytes;
        },
      };
      raw = opened;
      return opened;
    },
    readLine() {
      reopenAsLines();
      if (raw === undefined) return queue.nextLine();
      return Promise.reject(
        new WellknownError('WRONG_STATE', 'the input of this session is read as bytes', { fault: 'local' }),
      );
    },
    noticeRoom: () => queue.noticeRoom(),
    close() {
      markTimer?.cancel();
      queue.discard();
      end();
    },
    end: finish,
    get awaited() {
      return queue.awaited;
    },
  };
}
