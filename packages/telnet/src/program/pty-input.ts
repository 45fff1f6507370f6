// Writing to the master's end of a PTY. Node's own stream must not do it: libuv writes there as if the descriptor could
// wait, so that one program which reads nothing would stop the whole process in a loop. And the kernel does not say when
// there is room again, so that is tried from time to time.

import { writeSync } from 'node:fs';
import type { Clock, Timer } from '@wellknown/core';

export interface PtyInput {
  /** False when the program has not taken all of it. `drained` is called when it has. */
  write(bytes: Uint8Array): boolean;
  close(): void;
}

/** A person who waits for an editor does not notice this. */
const RETRY_MS = 20;

/** `fd` does not block. It is closed by others, after `close`. */
export function createPtyInput(fd: number, clock: Clock, drained: () => void): PtyInput {
  let waiting: Uint8Array[] = [];
  let retry: Timer | undefined;
  let closed = false;

  /** What was not taken of it. */
  const offer = (bytes: Uint8Array): Uint8Array => {
    let rest = bytes;
    while (rest.length > 0) {
      const taken = writtenTo(fd, rest);
      if (taken === 'no more') return new Uint8Array(0);
      if (taken === 0) return rest;
      rest = rest.subarray(taken);
    }
    return rest;
  };

  const retryLater = (): void => {
    retry = clock.after(RETRY_MS, () => {
      while (waiting[0] !== undefined) {
        const rest = offer(waiting[0]);
        if (rest.length > 0) {
          waiting[0] = rest;
          retryLater();
          return;
        }
        waiting.shift();
      }
      drained();
    });
  };

  return {
    write(bytes) {
      if (closed) return true;
      const rest = waiting.length === 0 ? offer(bytes) : bytes;
      if (rest.length === 0) return true;
      if (waiting.length === 0) retryLater();
      waiting.push(rest);
      return false;
    },
    close() {
      closed = true;
      waiting = [];
      retry?.cancel();
    },
  };
}

function writtenTo(fd: number, bytes: Uint8Array): number | 'no more' {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    // The other end may have been closed.
    return error instanceof Error && 'code' in error && error.code === 'EAGAIN' ? 0 : 'no more';
  }
}
