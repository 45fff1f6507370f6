// Lines that have come and not been read. Bounded by asking the connection to pause: what is beyond waits in the
// kernel, and there the peer's TCP stops sending.

import { WellknownError } from '@wellknown/core';

export interface LineQueueOptions {
  readonly maxQueuedBytes: number;
  /** Too much waits: stop reading. */
  readonly full: () => void;
  /** Half of it is gone: read again. */
  readonly hasRoom: () => void;
}

export interface LineQueue {
  push(line: string): void;
  /** The next line; undefined when no more will come. Rejects with WRONG_STATE when a read is already waiting. */
  next(): Promise<string | undefined>;
  /** Throws away what was typed ahead (IP). Reading goes on at the next `noticeRoom`, not in the middle of a chunk. */
  discard(): void;
  /** Calls `hasRoom` if there is room again. */
  noticeRoom(): void;
  /** No more lines will come. Those that wait can still be read. */
  end(): void;
  /** True when a read waits for a line. */
  readonly awaited: boolean;
}

// An empty line takes memory too.
const LINE_OVERHEAD_BYTES = 16;
const costOf = (line: string): number => line.length + LINE_OVERHEAD_BYTES;

export function createLineQueue({ maxQueuedBytes, full, hasRoom }: LineQueueOptions): LineQueue {
  let lines: string[] = [];
  let queuedBytes = 0;
  let paused = false;
  let ended = false;
  let waiter: ((line: string | undefined) => void) | undefined;

  const settle = (line: string | undefined): void => {
    const resolve = waiter;
    waiter = undefined;
    resolve?.(line);
  };
  const noticeRoom = (): void => {
    if (!paused || queuedBytes > maxQueuedBytes / 2) return;
    paused = false;
    hasRoom();
  };

  return {
    push(line) {
      if (ended) return;
      if (waiter !== undefined) {
        settle(line);
        return;
      }
      lines.push(line);
      queuedBytes += costOf(line);
      if (queuedBytes <= maxQueuedBytes || paused) return;
      paused = true;
      full();
    },
    next() {
      if (waiter !== undefined) {
        return Promise.reject(
          new WellknownError('WRONG_STATE', 'a read is already waiting on this session', { fault: 'local' }),
        );
      }
      const line = lines.shift();
      if (line !== undefined) {
        queuedBytes -= costOf(line);
        noticeRoom();
        return Promise.resolve(line);
      }
      if (ended) return Promise.resolve(undefined);
      return new Promise((resolve) => (waiter = resolve));
    },
    discard() {
      lines = [];
      queuedBytes = 0;
    },
    noticeRoom,
    end() {
      ended = true;
      if (lines.length === 0) settle(undefined);
    },
    get awaited() {
      return waiter !== undefined;
    },
  };
}
