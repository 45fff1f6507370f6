// The memory that slow readers may hold in one process, over all of its connections: what was written for them and the
// kernel has not taken, and what protocols keep to send it piece by piece. Counted are the connections that were slower
// than their writer, from then until they have caught up. When they hold more than the budget, the slowest are cut until
// an eighth of it is free. Pure.
//
// What leaves is not reported, so a count is an upper bound until it is looked at. All are looked at when the sum of the
// counts passes the budget, and then not again before another 64th of it was written: with many readers just below the
// budget each write would look at all of them. By so much it may be exceeded.
//
// The slowest are those that took least in the last seconds. What the kernel's buffers swallow at the beginning looks
// like reading, so the first second tells nothing: until the second one has passed a reader's rate is not known. Readers
// of unknown rate rank between those that take hardly anything and those that have shown that they read, the older ones
// first.

import type { Clock } from '../time/clock.ts';

/** A connection, as the budget sees it. */
export interface SlowReader {
  readonly unsentBytes: number;
  /** Bytes that the kernel has taken, ever. */
  readonly sentBytes: number;
  /** The budget is exceeded, and this is among the slowest. */
  cutForMemory(): void;
}

export interface UnsentBudgetOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** 0: there is no limit, and it only counts. */
  readonly maxBytes: number;
  /** So many were cut, when so many bytes waited. */
  readonly exceeded?: (cut: number, unsentBytes: number) => void;
}

interface Account {
  /** Unsent bytes at the last look, and those of texts that are kept. */
  bytes: number;
  keptTextBytes: number;
  /** What is kept for it. */
  readonly kept: Set<() => void>;
  /** At the last sample, if there was one. */
  sentBytes: number | undefined;
  bytesPerSecond: number | undefined;
}

const FREED_SHARE = 8;
const OVERSHOOT_SHARE = 64;
// A reader that has shown more ranks above one of which nothing is known.
const UNKNOWN_BYTES_PER_SECOND = 4_096;

export class UnsentBudget {
  readonly #exceeded: UnsentBudgetOptions['exceeded'];
  readonly #accounts = new Map<SlowReader, Account>();
  readonly #clock: UnsentBudgetOptions['clock'];
  #sampledAtMs: number;
  #maxBytes: number;
  /** How many readers each buffer is kept for: it is there once, however many they are. */
  readonly #keptBuffers = new Map<ArrayBufferLike, number>();
  #keptBufferBytes = 0;
  /** The sum over the accounts. */
  #accountBytes = 0;
  #lookAtBytes: number;

  constructor({ clock, maxBytes, exceeded }: UnsentBudgetOptions) {
    this.#maxBytes = maxBytes === 0 ? Number.POSITIVE_INFINITY : maxBytes;
    this.#lookAtBytes = this.#maxBytes;
    this.#clock = clock;
    this.#sampledAtMs = clock.nowMs();
    this.#exceeded = exceeded;
  }

  /** Bytes that wait for slow readers; looked up, for a status. */
  get unsentBytes(): number {
    this.#lookAtAll();
    return this.#bytes;
  }

  /** Another share of the whole. What is open is looked at with the next write. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes === 0 ? Number.POSITIVE_INFINITY : maxBytes;
    this.#lookAtBytes = this.#maxBytes;
  }

  /** Takes note of how much each has read since the last call. To be called once a second. */
  sample(): void {
    const nowMs = this.#clock.nowMs();
    const elapsedMs = nowMs - this.#sampledAtMs;
    if (elapsedMs <= 0) return;
    this.#sampledAtMs = nowMs;
    for (const [reader, account] of this.#accounts) {
      const { sentBytes } = reader;
      if (account.sentBytes !== undefined) {
        const rate = ((sentBytes - account.sentBytes) * 1000) / elapsedMs;
        // Half of it is the last second, a quarter the one before.
        account.bytesPerSecond = ((account.bytesPerSecond ?? rate) + rate) / 2;
      }
      account.sentBytes = sentBytes;
    }
  }

  /** Something was written that the kernel has not taken. */
  stalled(reader: SlowReader): void {
    this.#lookAt(reader, this.#accountOf(reader));
    this.#enforce();
  }

  /** Everything that was written has been taken. */
  caughtUp(reader: SlowReader): void {
    const account = this.#accounts.get(reader);
    if (account === undefined) return;
    if (account.kept.size === 0) this.#close(reader, account);
    else this.#lookAt(reader, account);
  }

  /** The connection is no more. */
  closed(reader: SlowReader): void {
    const account = this.#accounts.get(reader);
    if (account !== undefined) this.#close(reader, account);
  }

  /** Something is kept, to be written when the reader has room for it, until the function is called that this returns. */
  keep(reader: SlowReader, content: string | Uint8Array): () => void {
    const account = this.#accountOf(reader);
    const forget = typeof content === 'string' ? this.#keepText(account, content) : this.#keepBuffer(content.buffer);
    const release = (): void => {
      if (!account.kept.delete(release)) return;
      forget();
      // Empty, and caught up meanwhile.
      if (account.kept.size === 0 && account.bytes === 0) this.closed(reader);
    };
    account.kept.add(release);
    this.#enforce();
    return release;
  }

  get #bytes(): number {
    return this.#accountBytes + this.#keptBufferBytes;
  }

  #accountOf(reader: SlowReader): Account {
    const known = this.#accounts.get(reader);
    if (known !== undefined) return known;
    const account: Account = {
      bytes: 0,
      keptTextBytes: 0,
      kept: new Set(),
      sentBytes: undefined,
      bytesPerSecond: undefined,
    };
    this.#accounts.set(reader, account);
    return account;
  }

  #lookAt(reader: SlowReader, account: Account): void {
    const bytes = reader.unsentBytes + account.keptTextBytes;
    this.#accountBytes += bytes - account.bytes;
    account.bytes = bytes;
  }

  #lookAtAll(): void {
    for (const [reader, account] of this.#accounts) this.#lookAt(reader, account);
  }

  #close(reader: SlowReader, account: Account): void {
    this.#accounts.delete(reader);
    for (const release of account.kept) release();
    this.#accountBytes -= account.bytes;
    account.bytes = 0;
  }

  #keepText(account: Account, text: string): () => void {
    const add = (byteLength: number): void => {
      account.keptTextBytes += byteLength;
      account.bytes += byteLength;
      this.#accountBytes += byteLength;
    };
    add(text.length);
    return () => add(-text.length);
  }

  #keepBuffer(buffer: ArrayBufferLike): () => void {
    const keepers = this.#keptBuffers.get(buffer) ?? 0;
    this.#keptBuffers.set(buffer, keepers + 1);
    if (keepers === 0) this.#keptBufferBytes += buffer.byteLength;
    return () => {
      const left = (this.#keptBuffers.get(buffer) ?? 1) - 1;
      if (left > 0) this.#keptBuffers.set(buffer, left);
      else {
        this.#keptBuffers.delete(buffer);
        this.#keptBufferBytes -= buffer.byteLength;
      }
    };
  }

  #enforce(): void {
    if (this.#bytes <= this.#lookAtBytes) return;
    this.#lookAtAll();
    const unsentBytes = this.#bytes;
    if (unsentBytes <= this.#maxBytes) {
      this.#lookAtBytes = Math.max(this.#maxBytes, unsentBytes + this.#maxBytes / OVERSHOOT_SHARE);
      return;
    }
    this.#lookAtBytes = this.#maxBytes;
    const slowest = [...this.#accounts]
      // Sorting is stable, and a map is in the order of its insertions.
      .sort(([, a], [, b]) => rankOf(a) - rankOf(b));
    let cut = 0;
    for (const [reader, account] of slowest) {
      if (this.#bytes <= this.#maxBytes - this.#maxBytes / FREED_SHARE) break;
      this.#close(reader, account);
      reader.cutForMemory();
      cut += 1;
    }
    this.#exceeded?.(cut, unsentBytes);
  }
}

const rankOf = ({ bytesPerSecond }: Account): number => bytesPerSecond ?? UNKNOWN_BYTES_PER_SECOND;
