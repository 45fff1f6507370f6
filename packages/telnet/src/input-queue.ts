// What has come from the user and has not been read: lines, or bytes where the handler reads those, and between them
// the timing marks that wait for their turn. Bounded by asking the connection to pause: what is beyond waits in the
// kernel, and there the peer's TCP stops sending.

import { WellknownError } from '@wellknown/core';

export interface InputQueueOptions {
  readonly maxQueuedBytes: number;
  /** Too much waits: stop reading. */
  readonly full: () => void;
  /** Half of it is gone: read again. */
  readonly hasRoom: () => void;
  /** All input before a timing mark has been read, and what was done with it is done. */
  readonly markReached: () => void;
}

export interface InputQueue {
  pushLine(line: string): void;
  /** Owns `bytes` from then on. */
  pushBytes(bytes: Uint8Array): void;
  /** Bytes that were read and not used, before all that waits. */
  unshiftBytes(bytes: Uint8Array): void;
  /** A timing mark (RFC 860): reached once the reader has taken what is before it and asks for more. */
  pushMark(): void;
  /** The next line; undefined when no more will come. Rejects with WRONG_STATE when a read is already waiting. */
  nextLine(): Promise<string | undefined>;
  /** The next bytes, of any number; the rest as for `nextLine`. */
  nextBytes(): Promise<Uint8Array | undefined>;
  /**
   * Throws away what was typed ahead (IP), and with it what the marks waited for. Reading goes on at the next
   * `noticeRoom`, not in the middle of a chunk.
   */
  discard(): void;
  /** Takes out all that waits, in order, for another way of reading. Marks in it are reached. */
  takeAll(): Content[];
  /** Whether `byte` is among the bytes that wait. */
  holdsByte(byte: number): boolean;
  /** A read that waits gets undefined, and no more is known of the end of input than before. */
  cancelRead(): void;
  /** Marks have waited long enough. */
  reachMarks(): void;
  /** Calls `hasRoom` if there is room again. */
  noticeRoom(): void;
  /** No more will come. What waits can still be read. */
  end(): void;
  /** True when a read waits. */
  readonly awaited: boolean;
}

type Content = string | Uint8Array;
interface Marks {
  count: number;
}
type Item = Content | Marks;

// An empty line takes memory too.
const ITEM_OVERHEAD_BYTES = 16;
const areMarks = (item: Item): item is Marks => typeof item === 'object' && 'count' in item;
const isContent = (item: Item): item is Content => !areMarks(item);
const costOf = (item: Item): number => (areMarks(item) ? item.count : item.length) + ITEM_OVERHEAD_BYTES;

export function createInputQueue({ maxQueuedBytes, full, hasRoom, markReached }: InputQueueOptions): InputQueue {
  let items: Item[] = [];
  let queuedBytes = 0;
  let paused = false;
  let ended = false;
  /** The reader has taken something and not come back: it is at work on it. */
  let atWork = false;
  let waiter: ((item: Content | undefined) => void) | undefined;

  const settle = (item: Content | undefined): void => {
    const resolve = waiter;
    waiter = undefined;
    atWork = item !== undefined;
    resolve?.(item);
  };
  const noticeRoom = (): void => {
    if (!paused || queuedBytes > maxQueuedBytes / 2) return;
    paused = false;
    hasRoom();
  };
  const reach = ({ count }: Marks): void => {
    for (let mark = 0; mark < count; mark += 1) markReached();
  };
  const add = (item: Item): void => {
    items.push(item);
    queuedBytes += costOf(item);
    if (queuedBytes <= maxQueuedBytes || paused) return;
    paused = true;
    full();
  };
  const push = (item: Content): void => {
    if (waiter === undefined) add(item);
    else settle(item);
  };
  const next = (): Promise<Content | undefined> => {
    if (waiter !== undefined) {
      return Promise.reject(
        new WellknownError('WRONG_STATE', 'a read is already waiting on this session', { fault: 'local' }),
      );
    }
    atWork = false;
    for (let item = items.shift(); item !== undefined; item = items.shift()) {
      queuedBytes -= costOf(item);
      if (areMarks(item)) {
        reach(item);
        continue;
      }
      atWork = true;
      noticeRoom();
      return Promise.resolve(item);
    }
    noticeRoom();
    if (ended) return Promise.resolve(undefined);
    return new Promise((resolve) => (waiter = resolve));
  };
  const takeAll = (): Content[] => {
    const taken = items;
    items = [];
    queuedBytes = 0;
    taken.filter(areMarks).forEach(reach);
    return taken.filter(isContent);
  };

  return {
    pushLine: push,
    pushBytes(bytes) {
      if (bytes.length > 0) push(bytes);
    },
    unshiftBytes(bytes) {
      if (bytes.length === 0) return;
      items.unshift(bytes);
      queuedBytes += costOf(bytes);
    },
    pushMark() {
      const last = items.at(-1);
      if (last === undefined && !atWork) markReached();
      // A mark on the heels of another costs a little, not an item.
      else if (last !== undefined && areMarks(last)) {
        last.count += 1;
        queuedBytes += 1;
      } else add({ count: 1 });
    },
    // The session reads either lines or bytes, and changes over by `takeAll`.
    nextLine: next as InputQueue['nextLine'],
    nextBytes: next as InputQueue['nextBytes'],
    discard() {
      atWork = false;
      takeAll();
    },
    takeAll,
    holdsByte: (byte) => items.some((item) => item instanceof Uint8Array && item.includes(byte)),
    cancelRead: () => settle(undefined),
    reachMarks() {
      const marks = items.filter(areMarks);
      items = items.filter(isContent);
      queuedBytes -= marks.reduce((sum, each) => sum + costOf(each), 0);
      marks.forEach(reach);
    },
    noticeRoom,
    end() {
      ended = true;
      if (items.every(areMarks)) settle(undefined);
    },
    get awaited() {
      return waiter !== undefined;
    },
  };
}
