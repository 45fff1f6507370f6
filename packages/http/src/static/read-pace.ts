// Which reads may be made at once, in the main thread. The kernel has what was read a moment ago in memory, and copying
// it takes less than the way to a thread and back. That it has is a guess: those that were wrong cost the reading of
// two pieces from the disk, and then nothing is guessed for a while. What may hang is never waited for.

import fs from 'node:fs';

// As long as this the kernel keeps what was read, unless memory is short.
const WARM_MS = 60_000;
const MAX_WARM_FILES = 1_024;
// Copying a piece takes a tenth of it.
const SLOW_MS = 2;
const MAX_SLOW_IN_A_ROW = 2;
const REST_MS = 10_000;

/** ext4 and its ancestors, XFS, Btrfs, F2FS, ZFS, tmpfs, ramfs, overlayfs, SquashFS, EROFS: none of them is a network's. */
const LOCAL_FILE_SYSTEMS = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994, 0x858458f6, 0x794c7630, 0x73717368, 0xe0f5e1e2,
]);

export class ReadPace {
  /** The device of the root, where it is local; files of another that is mounted below are read by threads. */
  readonly #device: number | undefined;
  readonly #readAtMs = new Map<string, number>();
  #restsUntilMs = 0;
  #slowInARow = 0;

  constructor(root: string) {
    this.#device = LOCAL_FILE_SYSTEMS.has(fs.statfsSync(root).type) ? fs.statSync(root).dev : undefined;
  }

  /** All of that file was read a moment ago. */
  isWarm(device: number, identity: string): boolean {
    const atMs = device === this.#device ? this.#readAtMs.get(identity) : undefined;
    return atMs !== undefined && performance.now() - atMs < WARM_MS;
  }

  /** A file was read to its end. */
  wasRead(identity: string): void {
    this.#readAtMs.delete(identity);
    this.#readAtMs.set(identity, performance.now());
    if (this.#readAtMs.size <= MAX_WARM_FILES) return;
    for (const oldest of this.#readAtMs.keys()) {
      this.#readAtMs.delete(oldest);
      return;
    }
  }

  /** No guess was wrong lately. */
  mayBlock(): boolean {
    return this.#restsUntilMs === 0 || performance.now() >= this.#restsUntilMs;
  }

  /** Makes a read, and learns from how long it took. */
  timed(read: () => number): number {
    const startMs = performance.now();
    const bytesRead = read();
    const nowMs = performance.now();
    // One may have been slow because another process had the processor.
    this.#slowInARow = nowMs - startMs > SLOW_MS ? this.#slowInARow + 1 : 0;
    this.#restsUntilMs = this.#slowInARow >= MAX_SLOW_IN_A_ROW ? nowMs + REST_MS : 0;
    return bytesRead;
  }
}
