// One open file: its parts as sources of content, and whether it is still what was announced.

import fs from 'node:fs';
import type { DiskPace } from '@wellknown/core/files';
import type { ContentSource, OwnBytes } from '../fetch/content.ts';
import type { FileFacts } from './file-cache.ts';
import { changeOf, type Growth } from './file-change.ts';

export interface OpenFile {
  readonly kind: 'file';
  readonly facts: FileFacts;
  /**
   * A part of the file. Its `close` closes the file. If the file changes meanwhile, the last bytes of the part are not
   * read: that fails.
   */
  part(start: number, byteLength: number, growth: Growth): ContentSource;
  /** The same at once, or undefined when the file changed meanwhile. Closes the file. */
  readPart(start: number, byteLength: number, growth: Growth): Promise<OwnBytes | undefined>;
  /** Closes the file where no source was taken. Safe to call twice. */
  close(): void;
}

// Read without a turn of the event loop in between: some tenth of a millisecond.
const MAX_BYTES_AT_ONCE = 1_048_576;
const RECENT_MS = 2_000;

export class DiskFile implements OpenFile {
  readonly kind = 'file';
  readonly facts: FileFacts;
  readonly #path: string;
  readonly #opened: fs.Stats;
  readonly #pace: DiskPace;
  /** Of nothing once it is closed: the system gives numbers again, and a late read must not find another file. */
  #descriptor: number;

  constructor(path: string, descriptor: number, opened: fs.Stats, pace: DiskPace) {
    this.#pace = pace;
    this.#path = path;
    this.#descriptor = descriptor;
    this.#opened = opened;
    this.facts = factsOf(opened);
  }

  part(start: number, byteLength: number, growth: Growth): ContentSource {
    const pace = this.#pace;
    const isWarm = pace.isWarm(this.#opened.dev, this.facts.identity);
    let position = start;
    let bytesAtOnce = 0;
    const end = start + byteLength;
    // Before the last piece goes out: without it no client takes the response for complete. Nothing read means that the
    // file ends earlier.
    const advance = (bytesRead: number): void => {
      position += bytesRead;
      const problem = position === end || bytesRead === 0 ? this.#problem(growth) : undefined;
      if (problem !== undefined) throw problem;
    };
    const readAtOnce = (into: Uint8Array): number => {
      const wanted = Math.min(into.length, end - position);
      const bytesRead = pace.timed(() => fs.readSync(this.#descriptor, into, 0, wanted, position));
      bytesAtOnce += bytesRead;
      advance(bytesRead);
      return bytesRead;
    };
    const readLater = (into: Uint8Array): Promise<number> =>
      new Promise((resolve, reject) => {
        const wanted = Math.min(into.length, end - position);
        fs.read(this.#descriptor, into, 0, wanted, position, (error, bytesRead) => {
          try {
            if (error !== null) throw error;
            advance(bytesRead);
            if (start === 0 && position === this.#opened.size && !this.#isRecent()) pace.wasRead(this.facts.identity);
            resolve(bytesRead);
          } catch (problem) {
            reject(problem instanceof Error ? problem : new Error(String(problem)));
          }
        });
      });
    return {
      byteLength,
      read: (into) => {
        if (position === end) return 0;
        // A fast peer must not have the process to itself: now and then the others have their turn.
        if (isWarm && bytesAtOnce < MAX_BYTES_AT_ONCE && pace.mayBlock()) return readAtOnce(into);
        bytesAtOnce = 0;
        return readLater(into);
      },
      close: () => this.close(),
    };
  }

  async readPart(start: number, byteLength: number, growth: Growth): Promise<OwnBytes | undefined> {
    // Each byte of it is read, or nobody sees it.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(byteLength).buffer);
    const source = this.part(start, byteLength, growth);
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const readBytes = await source.read(bytes.subarray(filled, filled + MAX_BYTES_AT_ONCE));
        if (readBytes === 0) return undefined;
        filled += readBytes;
      }
      return bytes;
    } catch {
      return undefined;
    } finally {
      this.close();
    }
  }

  /** Why the content is not the one that was announced. It may be closed by now: then there is nothing to say of it. */
  #problem(growth: Growth): Error | undefined {
    try {
      const change = changeOf(this.#opened, fs.fstatSync(this.#descriptor), growth, () => this.#isStillThere());
      // As JSON: names may hold what a terminal obeys.
      return change === undefined
        ? undefined
        : new Error(`${JSON.stringify(this.#path)} changed while it was sent: ${change}`);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** It may be in the middle of being written. */
  #isRecent(): boolean {
    return Math.abs(Date.now() - this.#opened.mtimeMs) < RECENT_MS;
  }

  #isStillThere(): boolean {
    const named = fs.statSync(this.#path, { throwIfNoEntry: false });
    return named?.ino === this.#opened.ino && named.dev === this.#opened.dev;
  }

  close(): void {
    if (this.#descriptor < 0) return;
    fs.closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

/** The change time tells of writes that set the modification time back. */
export const factsOf = ({ dev, ino, size, mtimeMs, ctimeMs }: fs.Stats): FileFacts => ({
  identity: `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`,
  byteLength: size,
  modifiedMs: mtimeMs,
});
