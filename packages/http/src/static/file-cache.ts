// What is known of files that were asked for before: their facts, and the content of small ones. Bounded in bytes.
// Nothing is believed for longer than the revalidation interval; then a look at the disk decides.

import type { Coding } from './encoding.ts';
import type { OwnBytes } from '../fetch/request-body.ts';
import type { HttpResponse } from '../fetch/response.ts';

/** Which file, and in which state of it: two equal identities mean the same content. */
export interface FileFacts {
  readonly identity: string;
  readonly byteLength: number;
  readonly modifiedMs: number;
}

/** One way to send a file: as it is, or a sidecar. */
export interface Representation {
  readonly coding: Coding | undefined;
  /** The names from the root to the file that holds it. */
  readonly segments: readonly string[];
  readonly facts: FileFacts;
  /** The content, where it is kept, and the whole of it as a response that is sent again and again. */
  kept: { readonly bytes: OwnBytes; readonly response: HttpResponse } | undefined;
}

export interface KnownFile {
  readonly mediaType: string;
  /** The request path that it is kept under. */
  readonly path: string;
  readonly original: Representation;
  sidecars: readonly Representation[];
  codings: readonly Coding[];
  checkedMs: number;
  /** Set on use, cleared when the search for room passes by. */
  used: boolean;
  keptBytes: number;
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
  maxBytes: 32 * 1024 * 1024,
  // The scripts, styles and pages of a site are smaller, and what is larger costs more to send than to open.
  maxFileBytes: 65_536,
  // A change is seen within a second, sooner than a person reloads a page.
  revalidateMs: 1_000,
};

// A path, its facts and the objects around them, about.
const ENTRY_BYTES = 1_024;

export class FileCache {
  readonly limits: FileCacheLimits;
  readonly #files = new Map<string, KnownFile>();
  #bytes = 0;

  constructor(limits: FileCacheLimits) {
    this.limits = limits;
  }

  /** What is kept for a request path, which may be out of date: see `isFresh`. */
  get(path: string): KnownFile | undefined {
    const file = this.#files.get(path);
    if (file !== undefined) file.used = true;
    return file;
  }

  isFresh(file: KnownFile, nowMs: number): boolean {
    const ageMs = nowMs - file.checkedMs;
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

  mayKeep(byteLength: number): boolean {
    return byteLength <= this.limits.maxFileBytes && byteLength + ENTRY_BYTES <= this.limits.maxBytes;
  }

  /** Keeps the content of one representation, if the file is still the one that is known. */
  keep(file: KnownFile, representation: Representation, bytes: OwnBytes, response: HttpResponse): void {
    if (this.#files.get(file.path) !== file || representation.kept !== undefined) return;
    representation.kept = { bytes, response };
    // Once as bytes, once as the text that was written.
    const keptBytes = 2 * bytes.byteLength;
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
