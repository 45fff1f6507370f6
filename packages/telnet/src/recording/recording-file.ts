// The file of one recording. Lines gather in memory and are appended together, so a busy session costs a system call now
// and then; a file that can't take more ends with its last whole line.

import fs from 'node:fs';
import type { Clock, Timer } from '@wellknown/core';
import type { RecordingSink } from './recorder.ts';

const FLUSH_MS = 1_000;
// An append of this size costs one system call and far less than a disk's time.
const MAX_GATHERED_CHARACTERS = 65_536;
// What people type and see is theirs: the owner alone may read it.
const MODE = 0o600;

export interface RecordingFile extends RecordingSink {
  /** Writes what has gathered, and closes. Safe at any time. */
  close(): void;
}

/**
 * Makes the file, which must not be there: what someone has put in its place is not followed. Throws when it can't be
 * made. `failed` is called once, when something can't be written, and nothing is written from then on.
 */
export function openRecordingFile(file: string, clock: Clock, failed: (error: unknown) => void): RecordingFile {
  const descriptor = fs.openSync(file, 'wx', MODE);
  let gathered: string[] = [];
  let characters = 0;
  let length = 0;
  let isOpen = true;
  let timer: Timer | undefined;

  const close = (): void => {
    isOpen = false;
    timer?.cancel();
    fs.closeSync(descriptor);
  };
  /** True unless it has failed, and closed. */
  const flush = (): boolean => {
    timer = undefined;
    const bytes = Buffer.from(gathered.join(''));
    gathered = [];
    characters = 0;
    try {
      for (let at = 0; at < bytes.length;) at += fs.writeSync(descriptor, bytes, at, bytes.length - at, length + at);
      length += bytes.length;
      return true;
    } catch (error) {
      try {
        fs.ftruncateSync(descriptor, length);
      } catch {
        // Its last line stays torn.
      }
      close();
      failed(error);
      return false;
    }
  };

  return {
    write(text) {
      if (!isOpen) return;
      gathered.push(text);
      characters += text.length;
      if (characters >= MAX_GATHERED_CHARACTERS) {
        timer?.cancel();
        flush();
      } else timer ??= clock.after(FLUSH_MS, () => void flush());
    },
    close() {
      if (!isOpen) return;
      timer?.cancel();
      // It closes by itself when it fails.
      if (flush()) close();
    },
  };
}
