// An access log in a file: lines gather in memory and are appended together. When the file has been moved away, as by a
// log rotation, the next write makes a new one without a signal, though `reopen` does the same at once. Who writes
// nothing, as a primary does, looks now and then: a moved file that somebody holds open keeps its place on the disk. A
// process that may not make a new file goes on with the old one until another, such as a primary that is root, has made
// it.

import fs from 'node:fs';
import { codeOf } from '../errors.ts';
import { forgetLastStat } from '../kernel/last-stat.ts';
import { accessLogPipe, type AccessLogFile } from './access-log-pipe.ts';

export type { AccessLogFile };

const FLUSH_MS = 1_000;
const LOOK_MS = 10_000;
// An append of this size costs one system call and far less than a disk's time.
const MAX_GATHERED_CHARACTERS = 65_536;
const STDERR = 2;

export interface AccessLogOptions {
  /** The owner of a file that root makes: the user that serving processes become. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Told how many lines could not be written, once one can be again. */
  readonly onLost?: (lines: number) => void;
}

/**
 * Opens `path` for appending; `-` is standard error. A pipe or a device, such as /dev/stdout, is never waited for: see
 * access-log-pipe.ts. Several processes may append to one file: each write is whole
 * lines. Throws when it can't be opened. A write that fails later is reported once until one succeeds, and its lines
 * are lost and counted.
 */
export function openAccessLog(
  path: string,
  onFailure: (error: unknown) => void,
  { owner, onLost }: AccessLogOptions = {},
): AccessLogFile {
  let descriptor = path === '-' ? STDERR : openForAppend(path, owner);
  if (path !== '-' && !fs.fstatSync(descriptor).isFile()) {
    forgetLastStat();
    return accessLogPipe(descriptor, () => openForAppend(path, owner), onFailure, onLost);
  }
  let gathered = '';
  let timer: NodeJS.Timeout | undefined;
  let isFailing = false;
  let lost = 0;
  /** A disk that was full has taken a part of a line. */
  let isTorn = false;
  /** The number of its descriptor may be somebody else's by then. */
  let isClosed = false;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const text = gathered;
    gathered = '';
    if (text === '') return;
    // What can't be reopened can still be written to: a moved file is better than none.
    const moved = attempt(reopenIfMoved);
    const before = isTorn ? '\n' : '';
    const { written, error } = writeAll(descriptor, before + text);
    if (written > 0) isTorn = (before + text)[written - 1] !== '\n';
    const failures = [moved, error].filter((failure) => failure !== undefined);
    if (failures.length > 0 && !isFailing) onFailure(failures[0]);
    isFailing = failures.length > 0;
    if (error !== undefined) lost += text.slice(Math.max(0, written - before.length)).split('\n').length - 1;
    if (error !== undefined || lost === 0) return;
    const lines = lost;
    lost = 0;
    onLost?.(lines);
  };
  const reopenIfMoved = (): void => {
    if (path === '-' || !wasMoved(path, descriptor)) return;
    reopen();
    isTorn = false;
  };
  const reopen = (): void => {
    if (path === '-' || isClosed) return;
    const opened = openForAppend(path, owner);
    fs.closeSync(descriptor);
    descriptor = opened;
  };
  // Not waited for: this may be a primary, and the log on a disk that hangs.
  const look = (): void =>
    fs.stat(path, (_, named) => {
      if (!isClosed && isOther(named, descriptor)) attempt(reopenIfMoved);
    });
  const lookout = path === '-' ? undefined : setInterval(look, LOOK_MS).unref();
  // The last second before an end would be lost otherwise.
  process.on('exit', flush);
  return {
    write(line) {
      if (isClosed) return;
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
      if (isClosed) return;
      flush();
      isClosed = true;
      clearInterval(lookout);
      process.off('exit', flush);
      if (path !== '-') fs.closeSync(descriptor);
    },
  };
}

/** What went wrong, if something did. */
function attempt(step: () => void): unknown {
  try {
    step();
    return undefined;
  } catch (error) {
    return error;
  }
}

const MODE = 0o640;
// A regular file takes no notice of O_NONBLOCK; opening a pipe without a reader, and writing to a full one, would wait.
const { O_APPEND, O_CREAT, O_EXCL, O_NONBLOCK, O_RDWR, O_WRONLY } = fs.constants;
const APPENDING = O_WRONLY | O_APPEND | O_NONBLOCK;

function openForAppend(path: string, owner: AccessLogOptions['owner']): number {
  if (owner === undefined || process.getuid?.() !== 0) return openNonBlocking(path, APPENDING | O_CREAT);
  let made: number;
  try {
    // Only what was made here is given away: where the owner may write to the folder, anything else may be a link to
    // what is not his.
    made = fs.openSync(path, APPENDING | O_CREAT | O_EXCL, MODE);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return openNonBlocking(path, APPENDING);
  }
  fs.fchownSync(made, owner.uid, owner.gid);
  return made;
}

/** A pipe of which we have both ends never lacks a reader: it holds what comes until there is another one. */
function openNonBlocking(path: string, flags: number): number {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isFIFO() === true) {
    try {
      return fs.openSync(path, O_RDWR | O_NONBLOCK);
    } catch {
      // It may be written to only.
    }
  }
  return fs.openSync(path, flags, MODE);
}

const wasMoved = (path: string, descriptor: number): boolean =>
  isOther(fs.statSync(path, { throwIfNoEntry: false }), descriptor);

function isOther(named: fs.Stats | undefined, descriptor: number): boolean {
  const open = fs.fstatSync(descriptor);
  return named?.ino !== open.ino || named.dev !== open.dev;
}

/**
 * Writes as much as goes, and says how many bytes that were, and why not all. A pipe that is full, such as standard error,
 * is not waited for.
 */
function writeAll(descriptor: number, text: string): { readonly written: number; readonly error?: unknown } {
  const bytes = Buffer.from(text, 'latin1');
  let written = 0;
  try {
    while (written < bytes.length) written += fs.writeSync(descriptor, bytes, written);
    return { written };
  } catch (error) {
    return { written, error };
  }
}
