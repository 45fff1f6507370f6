// What is written after `startTls` while the last words in clear are still leaving: it goes out encrypted, in order.

// What a socket's own buffer holds before it asks its writer to wait.
const MAX_HELD_BYTES = 16_384;

/** Called once the bytes are the kernel's, or with the reason why they never will be. */
export type Taken = (error: Error | undefined) => void;

export interface HeldWrite {
  readonly data: string | Uint8Array;
  readonly encoding: 'latin1' | 'utf8';
  readonly taken?: Taken;
}

export class HeldWrites {
  readonly writes: HeldWrite[] = [];
  bytes = 0;
  /** The writing direction ends behind them. */
  ends = false;
  /** A writer was told to wait for room. */
  isFull = false;

  /** Whether there is room for more. */
  hold(write: HeldWrite): boolean {
    this.writes.push(write);
    this.bytes += write.data.length;
    this.isFull ||= this.bytes > MAX_HELD_BYTES;
    return !this.isFull;
  }
}
