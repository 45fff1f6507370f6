// Which calls to a disk may be made at once, in the main thread. What the kernel has in memory it answers in
// microseconds, which is less than the way to a thread of the pool and back. That it has is a guess: those that were wrong
// cost two calls that wait for the disk, and then nothing is guessed for a while. What may hang, such as the disk of another
// machine, is never waited for.

/** As long as this the kernel keeps what was read, unless memory is short, and a directory is taken to be where it was. */
const KNOWN_MS = 60_000;
const MAX_KNOWN = 1_024;
// Copying a piece takes a tenth of it, a question about a file a thousandth.
const SLOW_MS = 2;
const MAX_SLOW_IN_A_ROW = 2;
const REST_MS = 10_000;

/** ext4 and its ancestors, XFS, Btrfs, F2FS, ZFS, tmpfs, ramfs, overlayfs, SquashFS, EROFS: none of them is a network's. */
const LOCAL_FILE_SYSTEMS = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994, 0x858458f6, 0x794c7630, 0x73717368, 0xe0f5e1e2,
]);

/** One for each root that files are served from. */
export class DiskPace {
  /** The device of the root, where it is local; files of another that is mounted below are asked for by threads. */
  readonly #device: number | undefined;
  readonly #filesRead = new Lately();
  readonly #directories = new Lately();
  #restsUntilMs = 0;
  #slowInARow = 0;

  /** `fileSystemType` is what statfs tells of the root, `device` what stat does. */
  constructor(fileSystemType: number, device: number) {
    this.#device = LOCAL_FILE_SYSTEMS.has(fileSystemType) ? device : undefined;
  }

  /** The root is on no other machine's disk: some calls may be made at once. */
  get isLocal(): boolean {
    return this.#device !== undefined;
  }

  /** All of that file was read a moment ago. */
  isWarm(device: number, identity: string): boolean {
    return device === this.#device && this.#filesRead.has(identity);
  }

  /** A file was read to its end, or written. */
  wasRead(identity: string): void {
    this.#filesRead.note(identity);
  }

  /** That directory was seen on the device of the root a moment ago. */
  isNear(directory: string): boolean {
    return this.#directories.has(directory);
  }

  /** A directory was found on that device, and nothing of another is mounted in it. */
  wasSeen(directory: string, device: number): void {
    if (device === this.#device) this.#directories.note(directory);
  }

  /** No guess was wrong lately. */
  mayBlock(): boolean {
    return this.#restsUntilMs === 0 || performance.now() >= this.#restsUntilMs;
  }

  /** Makes a call, and learns from how long it took. */
  timed<Value>(call: () => Value): Value {
    const startMs = performance.now();
    try {
      return call();
    } finally {
      const nowMs = performance.now();
      // One may have been slow because another process had the processor.
      this.#slowInARow = nowMs - startMs > SLOW_MS ? this.#slowInARow + 1 : 0;
      this.#restsUntilMs = this.#slowInARow >= MAX_SLOW_IN_A_ROW ? nowMs + REST_MS : 0;
    }
  }
}

/** A bounded number of names, each for a minute. */
class Lately {
  readonly #atMs = new Map<string, number>();

  has(name: string): boolean {
    const atMs = this.#atMs.get(name);
    return atMs !== undefined && performance.now() - atMs < KNOWN_MS;
  }

  note(name: string): void {
    this.#atMs.delete(name);
    this.#atMs.set(name, performance.now());
    if (this.#atMs.size <= MAX_KNOWN) return;
    for (const oldest of this.#atMs.keys()) {
      this.#atMs.delete(oldest);
      return;
    }
  }
}
