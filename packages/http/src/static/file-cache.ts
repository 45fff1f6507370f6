// What is known of files that were asked for before: their facts, and the content of small ones. Bounded in bytes.
// Nothing is believed for longer than the revalidation interval; then a look at the disk decides.

import type { GeneratedCoding } from './compression.ts';
import type { Validators } from './conditions.ts';
import type { Coding } from './encoding.ts';
import type { OwnBytes } from '../fetch/content.ts';
import type { HttpResponse } from '../fetch/response.ts';

/** Which file, and in which state of it: two equal identities mean the same content. `identity` begins with `DEVICE:`. */
export interface FileFacts {
  readonly identity: string;
  readonly byteLength: number;
  readonly modifiedMs: number;
}

/** What tells one state of a representation from another. */
export interface FileValidators extends Validators {
  /** Undefined where no date says it. */
  readonly lastModified: string | undefined;
}

/** One way to send a file: as it is, or a sidecar. */
export interface Representation {
  readonly coding: Coding | undefined;
  /** The names from the root to the file that holds it. */
  readonly segments: readonly string[];
  readonly facts: FileFacts;
  /** The opaque part of its entity tag, once it has been asked for. */
  tag?: string;
  /** Once they have been asked for and change no more. */
  validators?: FileValidators;
  /** Compressed by the server: there is no such file, and `segments` and `facts` are the original's. */
  readonly generated?: GeneratedCoding;
  kept: KeptContent | undefined;
}

/** The content of a representation, and the whole of it as responses that are sent again and again. */
export interface KeptContent {
  readonly bytes: OwnBytes;
  readonly response: HttpResponse;
  /** The same, unless some fields are for connections with TLS. */
  readonly responseOverTls: HttpResponse;
}

export interface KnownFile {
  readonly mediaType: string;
  /** The request path that it is kept under. */
  readonly path: string;
  /** The same as patterns of paths see it. */
  readonly plainPath: string;
  readonly original: Representation;
  sidecars: readonly Representation[];
  /** Those that the server makes by itself where it is asked to. */
  generated: readonly Representation[];
  codings: readonly Coding[];
  checkedMs: number;
  /** Set on use, cleared when the search for room passes by. */
  used: boolean;
  keptBytes: number;
  /** When its content was last read from the disk; -Infinity before the first time. */
  readMs: number;
  /** Its content is being read in order to be kept. */
  isBeingKept: boolean;
  /** The look at the disk that is going on: one is enough for all who ask meanwhile. */
  look: Promise<KnownFile | undefined> | undefined;
}

export interface FileCacheLimits {
  /** Of contents and facts together; 0 keeps nothing. */
  readonly maxBytes: number;
  /** Larger files are read each time. */
  readonly maxFileBytes: number;
  /** How long facts are believed without a look at the disk. */
  readonly revalidateMs: number;
}

export const DEFAULT_FILE_CACHE: FileCacheLimits = {
  // A site's scripts, styles and pages fit; a worker stays small.
  maxBytes: 64 * 1024 * 1024,
  // Pictures, bundles and installers too: from memory they cost half of what they cost from the kernel's, where they are
  // copied twice. Four of the largest fit.
  maxFileBytes: 16_777_216,
  // A change is seen within a second, sooner than a person reloads a page.
  revalidateMs: 1_000,
};

// So many compressed contents find room at the least.
const MIN_GENERATED = 16;
// The scripts, styles and pages of a site: kept when they are first asked for.
const SMALL_BYTES = 65_536;
// Reading so much in order to keep it makes one client wait for some milliseconds, and pushes out a hundred small files:
// it has to be asked for often.
const LARGE_BYTES = 1_048_576;
const OFTEN_MS = 2_000;
// A path, its facts and the objects around them, about.
const ENTRY_BYTES = 1_024;

export class FileCache {
  readonly limits: FileCacheLimits;
  readonly #files = new Map<string, KnownFile>();
  #bytes = 0;
  /** Of larger contents, those that are kept no more but still being sent included: a slow reader holds on to its own. */
  #largerBytes = 0;
  readonly #collected = new FinalizationRegistry((byteLength: number) => {
    this.#largerBytes -= byteLength;
  });

  constructor(limits: FileCacheLimits) {
    this.limits = limits;
  }

  /** What is kept for a request path, which may be out of date: see `isFresh`. */
  get(path: string): KnownFile | undefined {
    const file = this.#files.get(path);
    if (file !== undefined) file.used = true;
    return file;
  }

  isFresh({ checkedMs }: { readonly checkedMs: number }, nowMs: number): boolean {
    const ageMs = nowMs - checkedMs;
    // A clock that was set back makes nothing fresh.
    return ageMs >= 0 && ageMs < this.limits.revalidateMs;
  }

  set(file: KnownFile): void {
    if (this.limits.maxBytes < ENTRY_BYTES) return;
    this.delete(file.path);
    file.keptBytes = ENTRY_BYTES + file.path.length;
    this.#bytes += file.keptBytes;
    this.#files.set(file.path, file);
    this.#makeRoom();
  }

  delete(path: string): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#files.delete(path);
    this.#bytes -= file.keptBytes;
  }

  /**
   * Whether a content that is about to be read should be kept. A larger one only when it is asked for again, the largest
   * within OFTEN_MS, so that a walk through all files pushes out nothing that is in use, and by one reader at a time. The
   * largest not for a request that needs less than all of it (`isWhole`).
   */
  mayKeep(file: KnownFile, byteLength: number, nowMs: number, isWhole: boolean): boolean {
    if (!isWhole && byteLength > LARGE_BYTES) return false;
    const sinceReadMs = nowMs - file.readMs;
    file.readMs = nowMs;
    if (byteLength > this.limits.maxFileBytes || byteLength + ENTRY_BYTES > this.limits.maxBytes) return false;
    return (
      byteLength <= SMALL_BYTES ||
      (sinceReadMs <= (byteLength > LARGE_BYTES ? OFTEN_MS : Number.MAX_VALUE) &&
        !file.isBeingKept &&
        this.#largerBytes + byteLength <= this.limits.maxBytes)
    );
  }

  /** What cost work to make is kept where it is not much of the whole. */
  mayKeepGenerated(byteLength: number): boolean {
    return byteLength + ENTRY_BYTES <= this.limits.maxBytes / MIN_GENERATED;
  }

  /** Keeps the content of one representation, if the file is still the one that is known. */
  keep(file: KnownFile, representation: Representation, content: KeptContent): void {
    if (this.#files.get(file.path) !== file || representation.kept !== undefined) return;
    representation.kept = content;
    const { byteLength } = content.bytes;
    // Small ones are kept as each text that was written, too.
    const texts = byteLength > SMALL_BYTES ? 0 : content.response === content.responseOverTls ? 1 : 2;
    const keptBytes = (1 + texts) * byteLength;
    if (byteLength > SMALL_BYTES) {
      this.#largerBytes += byteLength;
      this.#collected.register(content.bytes.buffer, byteLength);
    }
    file.keptBytes += keptBytes;
    this.#bytes += keptBytes;
    this.#makeRoom();
  }

  /** The oldest goes first, unless it was used since it was last considered. */
  #makeRoom(): void {
    for (const [path, file] of this.#files) {
      if (this.#bytes <= this.limits.maxBytes) return;
      if (file.used) {
        file.used = false;
        this.#files.delete(path);
        this.#files.set(path, file);
      } else this.delete(path);
    }
  }
}
