// What waits for a slow peer. Core's connection cannot take back what it was given, so the session keeps what does not
// fit: then AO can throw it away, whole pieces at a time and never inside an IAC sequence.

import { WellknownError } from '@wellknown/core';
import { IAC } from './engine/codes.ts';

export interface OutputQueueOptions {
  /** Hands bytes to the connection; false when it wants no more for now. */
  readonly send: (bytes: Uint8Array) => boolean;
  /** More waiting bytes than this (each piece counts 64 more): the program writes without looking back. */
  readonly maxQueuedBytes: number;
  readonly overflowed: () => void;
}

export interface OutputQueue {
  /** Sends, or queues. `keep` marks what AO must not throw away: everything that is not text. */
  push(bytes: Uint8Array, options?: { readonly keep?: boolean }): void;
  /**
   * Resolves when everything pushed so far has gone to the connection. Rejects with CONNECTION_CLOSED when it never
   * will.
   */
  room(): Promise<void>;
  /** Throws away the text that waits. True when there was some. */
  discardText(): boolean;
  /** The connection has room again. */
  drained(): void;
  /** Nothing can be sent any more. */
  close(): void;
}

// A waiting piece takes memory beside its bytes; without this, a million answers of three bytes would count as little.
const PIECE_OVERHEAD_BYTES = 64;

// What the connection has been given cannot be taken back, so it gets large writes in pieces.
const MAX_PIECE_BYTES = 65_536;

/** Where to cut: never between the two bytes of a doubled IAC. */
function pieceLength(bytes: Uint8Array): number {
  if (bytes.length <= MAX_PIECE_BYTES) return bytes.length;
  let marks = 0;
  while (marks < MAX_PIECE_BYTES && bytes[MAX_PIECE_BYTES - 1 - marks] === IAC) marks += 1;
  return MAX_PIECE_BYTES - (marks % 2);
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly keep: boolean;
}

const costOf = ({ bytes }: Piece): number => bytes.length + PIECE_OVERHEAD_BYTES;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function createOutputQueue({ send, maxQueuedBytes, overflowed }: OutputQueueOptions): OutputQueue {
  let queue: Piece[] = [];
  let queuedBytes = 0;
  let blocked = false;
  let closed = false;
  let waiters: Waiter[] = [];

  const add = (piece: Piece): void => {
    queue.push(piece);
    queuedBytes += costOf(piece);
    if (queuedBytes > maxQueuedBytes) overflowed();
  };
  const release = (): void => {
    const released = waiters;
    waiters = [];
    for (const { resolve } of released) resolve();
  };
  const closedError = (): WellknownError =>
    new WellknownError('CONNECTION_CLOSED', 'the session is over: nothing more can be written', { fault: 'local' });

  return {
    push(bytes, { keep = false } = {}) {
      for (let rest = bytes; rest.length > 0 && !closed;) {
        const piece = keep ? rest : rest.subarray(0, pieceLength(rest));
        rest = rest.subarray(piece.length);
        if (blocked) add({ bytes: piece, keep });
        else blocked = !send(piece);
      }
    },
    room() {
      if (closed) return Promise.reject(closedError());
      if (!blocked) return Promise.resolve();
      return new Promise((resolve, reject) => waiters.push({ resolve, reject }));
    },
    discardText() {
      const before = queue.length;
      queue = queue.filter(({ keep }) => keep);
      queuedBytes = queue.reduce((sum, piece) => sum + costOf(piece), 0);
      if (queue.length === 0) release();
      return queue.length < before;
    },
    drained() {
      blocked = false;
      const waiting = queue;
      queue = [];
      queuedBytes = 0;
      for (const piece of waiting) {
        if (blocked) {
          queue.push(piece);
          queuedBytes += costOf(piece);
        } else blocked = !send(piece.bytes);
      }
      if (!blocked) release();
    },
    close() {
      closed = true;
      queue = [];
      queuedBytes = 0;
      const rejected = waiters;
      waiters = [];
      for (const { reject } of rejected) reject(closedError());
    },
  };
}
