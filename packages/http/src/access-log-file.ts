// An access log in a file: lines gather in memory and are appended together. When the file has been moved away, as by a log
// rotation, the next write makes a new one; nobody has to send a signal, though `reopen` does the same at once.

import fs from 'node:fs';

const FLUSH_MS = 1_000;
// An append of this size costs one system call and far less than a disk's time.
const MAX_GATHERED_CHARACTERS = 65_536;
const STDERR = 2;

export interface AccessLogFile {
  /** Adds a line, which ends in a line feed. */
  write(line: string): void;
  /** Writes what has gathered, and opens the file by its name again. For USR1. */
  reopen(): void;
  /** Writes what has gathered, and closes. */
  close(): void;
}

/**
 * Opens `path` for appending; `-` is standard error. Several processes may append to one file: each write is whole lines.
 * Throws when it can't be opened. A write that fails later is reported once until one succeeds, and its lines are lost.
 */
export function openAccessLog(path: string, onFailure: (error: unknown) => void): AccessLogFile {
  let descriptor = path === '-' ? STDERR : openForAppend(path);
  let gathered = '';
  let timer: NodeJS.Timeout | undefined;
  let isFailing = false;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const text = gathered;
    gathered = '';
    if (text === '') return;
    try {
      if (path !== '-' && wasMoved(path, descriptor)) reopen();
      writeAll(descriptor, text);
      isFailing = false;
    } catch (error) {
      if (!isFailing) onFailure(error);
      isFailing = true;
    }
  };
  const reopen = (): void => {
    if (path === '-') return;
    const opened = openForAppend(path);
    fs.closeSync(descriptor);
    descriptor = opened;
  };
  // The last second before an end would be lost otherwise.
  process.on('exit', flush);
  return {
    write(line) {
      gathered += line;
      if (gathered.length >= MAX_GATHERED_CHARACTERS) flush();
      else timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    reopen() {
      flush();
      try {
        reopen();
      } catch (error) {
        onFailure(error);
      }
    },
    close() {
      flush();
      process.off('exit', flush);
      if (path !== '-') fs.closeSync(descriptor);
    },
  };
}

const openForAppend = (path: string): number => fs.openSync(path, 'a', 0o640);

function wasMoved(path: string, descriptor: number): boolean {
  const open = fs.fstatSync(descriptor);
  const named = fs.statSync(path, { throwIfNoEntry: false });
  return named?.ino !== open.ino || named.dev !== open.dev;
}

/** A pipe that is full, such as standard error, is not waited for: what does not fit is lost. */
function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  for (let offset = 0; offset < bytes.length; ) offset += fs.writeSync(descriptor, bytes, offset);
}
