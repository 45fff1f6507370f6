// An access log in what is no regular file: a pipe, a terminal. Its reader may be slow, or not there at all: lines wait in
// memory for it, are given up and counted when too many wait, and nothing here blocks the process.

import fs from 'node:fs';
import { codeOf } from '../errors.ts';
import { WaitingLines } from './waiting-lines.ts';

// As a file's: a pipe is written a page at a time anyway.
const FLUSH_MS = 1_000;
const MAX_GATHERED_BYTES = 65_536;
const RETRY_MS = 20;

/** What lines of an access log are written to, whatever it is. */
export interface AccessLogFile {
  /** Adds a line, which ends in a line feed. */
  write(line: string): void;
  /** Writes what has gathered, and opens the file by its name again. For USR1. */
  reopen(): void;
  /** Writes what has gathered, and closes. Whatever is asked of it afterwards does nothing. */
  close(): void;
}

/**
 * Writes to `opened`, which does not block and is ours from now on. `open` opens it again by its name. A failure is told once
 * until a write succeeds, and so is a reader that takes nothing, once lines are lost to it.
 */
export function accessLogPipe(
  opened: number,
  open: () => number,
  onFailure: (error: unknown) => void,
  onLost: ((lines: number) => void) | undefined,
): AccessLogFile {
  let descriptor = opened;
  const waiting = new WaitingLines();
  /** Taken out, and not written yet. */
  let next: Buffer | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isFull = false;
  let isFailing = false;
  let isClosed = false;
  let lost = 0;

  const failed = (error: unknown): void => {
    if (!isFailing) onFailure(error);
    isFailing = true;
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    isFull = false;
    let error: unknown;
    for (let bytes = next ?? taken(); bytes !== undefined; bytes = next ?? taken()) {
      next = bytes;
      try {
        const written = fs.writeSync(descriptor, bytes);
        next = written < bytes.length ? bytes.subarray(written) : undefined;
        error = undefined;
      } catch (failure) {
        if (codeOf(failure) === 'EAGAIN') {
          isFull = true;
          timer = setTimeout(flush, RETRY_MS).unref();
          return;
        }
        error = failure;
        lost += bytes.toString('latin1').split('\n').length - 1;
        next = undefined;
      }
    }
    if (error !== undefined) {
      failed(error);
      return;
    }
    isFailing = false;
    if (lost === 0) return;
    const lines = lost;
    lost = 0;
    onLost?.(lines);
  };
  const taken = (): Buffer | undefined => {
    const text = waiting.take();
    return text === undefined ? undefined : Buffer.from(text, 'latin1');
  };
  process.on('exit', flush);
  return {
    write(line) {
      if (isClosed) return;
      if (!waiting.add(line)) {
        lost += 1;
        failed(new Error('its reader takes nothing'));
      } else if (waiting.bytes >= MAX_GATHERED_BYTES && !isFull) flush();
      else timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    reopen() {
      flush();
      try {
        if (isClosed) return;
        const another = open();
        fs.closeSync(descriptor);
        descriptor = another;
      } catch (error) {
        onFailure(error);
      }
    },
    close() {
      if (isClosed) return;
      flush();
      isClosed = true;
      clearTimeout(timer);
      process.off('exit', flush);
      fs.closeSync(descriptor);
    },
  };
}
