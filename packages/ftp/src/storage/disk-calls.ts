// Calls to the system about files, at once or by way of the thread pool.
//
// The kernel answers most of them from memory in two to ten microseconds, and the way to a thread of the pool and back takes
// twenty to fifty; to store a small file takes a dozen. So where core's `DiskPace` says that a call may be made at once, it is: on
// a local disk, in a directory that was seen there a moment ago, unless calls have been slow. All others, and all that
// may take long in any case (many bytes, fsync), go to the pool.

import fs, { type Stats } from 'node:fs';
import { promisify } from 'node:util';
import type { DiskPace } from '@wellknown/core/files';
import { expectedProblem } from './errno-map.ts';

/** A value now or later. */
export type Soon<Value> = Value | Promise<Value>;

/** Undefined when it is done, otherwise it will be. */
export type Done = Promise<void> | undefined;

type Path = string | Buffer;

// To copy so much takes as long as to ask a thread.
export const MAX_BYTES_AT_ONCE = 65_536;

/** A time as Node's calls take it: a number below 0 would mean now. */
export const timeForSystem = (ms: number): number | Date => (ms < 0 ? new Date(ms) : ms / 1000);

/** What always goes there: what may wait for the disk itself. */
export const pool = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  lstat: promisify(fs.lstat),
  fstat: promisify(fs.fstat),
  readlink: promisify(fs.readlink),
  access: promisify(fs.access),
  rename: promisify(fs.rename),
  unlink: promisify(fs.unlink),
  ftruncate: promisify(fs.ftruncate),
  fchmod: promisify(fs.fchmod),
  fchown: promisify(fs.fchown),
  fsync: promisify(fs.fsync),
};

export class DiskCalls {
  readonly #pace: DiskPace | undefined;

  /** Without a pace all calls go to the pool. */
  constructor(pace?: DiskPace) {
    this.#pace = pace;
  }

  get mayBeAtOnce(): boolean {
    return this.#atOnce !== undefined;
  }

  /** What a call can be made with at once, now. */
  get #atOnce(): DiskPace | undefined {
    return this.#pace?.mayBlock() === true ? this.#pace : undefined;
  }

  /** Makes a call that answers nothing. */
  #tell(now: () => void, later: () => Promise<void>): Done {
    const pace = this.#atOnce;
    if (pace === undefined) return later();
    pace.timed(now);
    return undefined;
  }

  open(file: Path, flags: number, mode?: number): Soon<number> {
    return this.#atOnce?.timed(() => fs.openSync(file, flags, mode)) ?? pool.open(file, flags, mode);
  }

  /** Undefined where nothing is. */
  lstat(file: Path): Soon<Stats | undefined> {
    const pace = this.#atOnce;
    return pace === undefined ? pool.lstat(file).catch(undefinedIfMissing) : pace.timed(() => lstatNow(file));
  }

  fstat(descriptor: number): Soon<Stats> {
    return this.#atOnce?.timed(() => fs.fstatSync(descriptor)) ?? pool.fstat(descriptor);
  }

  readlink(file: Path): Soon<Buffer> {
    return (
      this.#atOnce?.timed(() => fs.readlinkSync(file, { encoding: 'buffer' })) ??
      pool.readlink(file, { encoding: 'buffer' })
    );
  }

  access(file: Path, mode: number): Done {
    return this.#tell(
      () => fs.accessSync(file, mode),
      () => pool.access(file, mode),
    );
  }

  rename(from: Path, to: Path): Done {
    return this.#tell(
      () => fs.renameSync(from, to),
      () => pool.rename(from, to),
    );
  }

  unlink(file: Path): Done {
    return this.#tell(
      () => fs.unlinkSync(file),
      () => pool.unlink(file),
    );
  }

  /** How many bytes were read. `isWarm`: the kernel has them. */
  read(descriptor: number, into: Uint8Array, position: number, isWarm: boolean): Soon<number> {
    const pace = isWarm || into.length <= MAX_BYTES_AT_ONCE ? this.#atOnce : undefined;
    if (pace !== undefined) return pace.timed(() => fs.readSync(descriptor, into, 0, into.length, position));
    return new Promise((resolve, reject) => {
      fs.read(descriptor, into, 0, into.length, position, (error, bytesRead) => {
        if (error === null) resolve(bytesRead);
        else reject(error);
      });
    });
  }

  /** How many bytes were written. */
  write(descriptor: number, chunks: readonly Uint8Array[], position: number): Soon<number> {
    let byteLength = 0;
    for (const chunk of chunks) byteLength += chunk.length;
    const pace = byteLength <= MAX_BYTES_AT_ONCE ? this.#atOnce : undefined;
    if (pace !== undefined) return pace.timed(() => fs.writevSync(descriptor, chunks, position));
    return new Promise((resolve, reject) => {
      fs.writev(descriptor, chunks, position, (error, bytesWritten) => {
        if (error === null) resolve(bytesWritten);
        else reject(error);
      });
    });
  }

  /** The kernel has all of that file. */
  isWarm(file: Stats): boolean {
    return this.#pace?.isWarm(file.dev, identityOf(file)) === true;
  }

  /** All of that file was read, or written. */
  wasMoved(file: Stats): void {
    this.#pace?.wasRead(identityOf(file));
  }

  close(descriptor: number): Done {
    return this.#tell(
      () => fs.closeSync(descriptor),
      () => pool.close(descriptor),
    );
  }
}

function lstatNow(file: Path): Stats | undefined {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    undefinedIfMissing(error);
    return undefined;
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (expectedProblem(error) !== 'not-found') throw error;
  return undefined;
}

const identityOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;

/** Calls that are never made at once. */
export const BY_POOL = new DiskCalls();

/** An open file or directory. Closing it again does nothing: the system gives its number to another. */
export class Descriptor {
  readonly #calls: DiskCalls;
  #number: number;

  constructor(number: number, calls: DiskCalls) {
    this.#number = number;
    this.#calls = calls;
  }

  get number(): number {
    return this.#number;
  }

  close(calls: DiskCalls = this.#calls): Done {
    const number = this.#number;
    if (number < 0) return undefined;
    this.#number = -1;
    return calls.close(number);
  }
}
