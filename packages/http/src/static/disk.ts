// Files of one root on the disk. The checks are made on what was opened, not on what a path meant a moment before.
//
// Opening may wait for a disk and happens off the main thread; what the kernel answers from memory about an open file
// (its kind, its real path) is asked directly, since the way to a thread and back costs more than the answer.

import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { fail, ok, type Result } from '@wellknown/core';
import { DiskPace } from '@wellknown/core/files';
import type { FileFacts } from './file-cache.ts';
import { DiskFile, factsOf, type OpenFile } from './disk-file.ts';
import type { ListedEntry, NamedEntry } from './listing-order.ts';
import { MissingPaths } from './missing-paths.ts';

/** `inside`: links are followed as long as they end below the root. */
export type SymlinkPolicy = 'deny' | 'inside' | 'follow';

/** Why there is nothing to serve. */
export type DiskProblem = 'not-found' | 'forbidden' | 'busy';

export interface DirectoryContent {
  readonly entries: NamedEntry[];
  /** Those beyond the most that were asked for. */
  readonly omitted: number;
  /** Those whose names are no UTF-8. */
  readonly unnameable: number;
}

export type Found = OpenFile | { readonly kind: 'directory' };

const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
// A FIFO without a writer would block the open, and a terminal would become ours.
const OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY;
// Linux has the same number on all of Node's platforms, and Node no name for it.
const O_PATH = 0o10000000;

// Entries of a directory that are read, and asked about, together: enough to keep the threads busy, few enough to be
// bounded.
const LISTING_BATCH = 512;

const PROBLEMS: Readonly<Record<string, DiskProblem>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  ELOOP: 'not-found',
  ENAMETOOLONG: 'not-found',
  ENXIO: 'not-found',
  EINVAL: 'not-found',
  EISDIR: 'not-found',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  EMFILE: 'busy',
  ENFILE: 'busy',
};

/** A directory and what may be seen of it. */
export class DiskRoot {
  readonly #root: string;
  readonly #symlinks: SymlinkPolicy;
  readonly #pace: DiskPace;
  readonly #missing: MissingPaths;
  /** Where the kernel tells the paths of open files; undefined where it does not. */
  readonly #descriptors: string | undefined;

  /**
   * `root` is resolved once: a link that is later moved does not change what is served. Throws when it is no directory.
   * `descriptors`: the folder of links to what this process has open.
   */
  constructor(root: string, symlinks: SymlinkPolicy, descriptors = '/proc/self/fd') {
    this.#root = fs.realpathSync(root);
    this.#pace = new DiskPace(fs.statfsSync(this.#root).type, fs.statSync(this.#root).dev);
    this.#missing = new MissingPaths(this.#root, this.#pace);
    this.#symlinks = symlinks;
    if (!fs.statSync(this.#root).isDirectory()) throw new Error(`${root} is not a directory`);
    this.#descriptors = tellsPaths(descriptors, this.#root) ? descriptors : undefined;
  }

  /** True where nothing lies at `segments`, if that can be told at once. Otherwise it has to be opened to be known. */
  isMissing(segments: readonly string[]): boolean {
    return this.#missing.has(segments);
  }

  #pathOf(segments: readonly string[]): string {
    return path.join(this.#root, ...segments);
  }

  /** Opens what lies at `segments`. Only regular files and directories are ever found. */
  async open(segments: readonly string[]): Promise<Result<Found, DiskProblem>> {
    const wanted = this.#pathOf(segments);
    let descriptor: number;
    try {
      descriptor = await openDescriptor(wanted);
    } catch (error) {
      const problem = problemOf(error);
      if (problem === 'not-found') this.#missing.note(segments);
      return problem === 'forbidden' ? this.#unreadable(wanted) : fail(problem);
    }
    try {
      const stats = fs.fstatSync(descriptor);
      const isDirectory = stats.isDirectory();
      if ((!isDirectory && !stats.isFile()) || !this.#mayServe(wanted, this.#realPathOf(descriptor, wanted))) {
        fs.closeSync(descriptor);
        return fail('not-found');
      }
      if (!isDirectory) return ok(new DiskFile(wanted, descriptor, stats, this.#pace));
      fs.closeSync(descriptor);
      return ok({ kind: 'directory' });
    } catch (error) {
      fs.closeSync(descriptor);
      return fail(problemOf(error));
    }
  }

  /**
   * What may not be opened. A directory that may only be entered is found all the same: what lies in it may be served.
   */
  async #unreadable(wanted: string): Promise<Result<Found, DiskProblem>> {
    try {
      const [stats, real] = await Promise.all([fs.promises.stat(wanted), fs.promises.realpath(wanted)]);
      if (!this.#mayServe(wanted, real)) return fail('not-found');
      return stats.isDirectory() ? ok({ kind: 'directory' }) : fail('forbidden');
    } catch (error) {
      return fail(problemOf(error));
    }
  }

  /**
   * The facts about a regular file, without opening it; undefined where there is none. What may be seen is not asked.
   */
  look(segments: readonly string[]): Promise<FileFacts | undefined> {
    return new Promise((resolve) => {
      if (this.isMissing(segments)) {
        resolve(undefined);
        return;
      }
      fs.stat(this.#pathOf(segments), (error, stats) => {
        if (error !== null) this.#missing.note(segments);
        resolve(error === null && stats.isFile() ? factsOf(stats) : undefined);
      });
    });
  }

  /**
   * Up to `maxEntries` entries of a directory that may be served, in no order; names that `isVisible` refuses are left
   * out.
   */
  async list(
    segments: readonly string[],
    maxEntries: number,
    isVisible: (name: string) => boolean,
  ): Promise<Result<DirectoryContent, DiskProblem>> {
    const directory = this.#pathOf(segments);
    try {
      if (!this.#mayServe(directory, await fs.promises.realpath(directory))) return fail('not-found');
      const entries: NamedEntry[] = [];
      let omitted = 0;
      let unnameable = 0;
      // In pieces, so that a directory of a million files does not fill the memory.
      for await (const entry of await openDirectory(directory)) {
        const name = isUtf8(entry.name) ? entry.name.toString() : undefined;
        if (!isVisible(name ?? entry.name.toString('latin1'))) continue;
        const kind =
          kindOf(entry) ??
          (name !== undefined && entries.length < maxEntries ? await this.#kindBehind(directory, name) : 'file');
        if (kind === 'neither') continue;
        if (name === undefined) unnameable += 1;
        else if (entries.length < maxEntries) entries.push({ name, kind });
        else omitted += 1;
      }
      return ok({ entries, omitted, unnameable });
    } catch (error) {
      return fail(problemOf(error));
    }
  }

  /** Size and time of entries of a directory, in the same order; those that are gone by now are left out. */
  async measure(segments: readonly string[], entries: readonly NamedEntry[]): Promise<ListedEntry[]> {
    const directory = this.#pathOf(segments);
    const measured: ListedEntry[] = [];
    for (let start = 0; start < entries.length; start += LISTING_BATCH) {
      const batch = entries.slice(start, start + LISTING_BATCH).map(async (entry): Promise<ListedEntry | undefined> => {
        const stats = await fs.promises.stat(path.join(directory, entry.name)).catch(() => undefined);
        return stats === undefined ? undefined : { ...entry, byteLength: stats.size, modifiedMs: stats.mtimeMs };
      });
      for (const entry of await Promise.all(batch)) if (entry !== undefined) measured.push(entry);
    }
    return measured;
  }

  /** What an entry is that the directory alone does not tell of: mostly a link. */
  async #kindBehind(directory: string, name: string): Promise<EntryKind> {
    const wanted = path.join(directory, name);
    try {
      const stats = await fs.promises.stat(wanted);
      return this.#mayServe(wanted, this.#symlinks === 'follow' ? wanted : await fs.promises.realpath(wanted))
        ? (kindOf(stats) ?? 'neither')
        : 'neither';
    } catch {
      // A broken link, or gone since it was read: not there.
      return 'neither';
    }
  }

  /**
   * Where an open file really lies. Linux says it of the descriptor itself, which no rename or new link can falsify.
   * Elsewhere the path is resolved once more, and what lies there has to be the file that was opened.
   */
  #realPathOf(descriptor: number, wanted: string): string {
    if (this.#descriptors !== undefined) return fs.readlinkSync(`${this.#descriptors}/${descriptor}`);
    const real = fs.realpathSync(wanted);
    const opened = fs.fstatSync(descriptor);
    const found = fs.statSync(real);
    if (opened.ino !== found.ino || opened.dev !== found.dev)
      throw Object.assign(new Error('the path changed while it was opened'), { code: 'ENOENT' });
    return real;
  }

  #mayServe(wanted: string, real: string): boolean {
    if (this.#symlinks === 'follow') return true;
    if (this.#symlinks === 'deny') return real === wanted;
    // With the separator: `/srv/site-old` is not inside `/srv/site`.
    return real === this.#root || real.startsWith(this.#root === path.sep ? path.sep : this.#root + path.sep);
  }
}

type EntryKind = NamedEntry['kind'] | 'neither';

/**
 * The entries with the octets of their names: text would not tell which are no UTF-8. Node reads them so; only its
 * types don't know.
 */
const openDirectory = (directory: string): Promise<AsyncIterable<fs.Dirent<Buffer>>> =>
  fs.promises.opendir(directory, { bufferSize: LISTING_BATCH, encoding: 'buffer' as BufferEncoding }) as Promise<
    AsyncIterable<unknown>
  > as Promise<AsyncIterable<fs.Dirent<Buffer>>>;

/** Undefined when it has to be asked: links, and what a file system does not say. */
function kindOf(entry: fs.Dirent<Buffer> | fs.Stats): EntryKind | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice()
    ? 'neither'
    : undefined;
}

function openDescriptor(file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(file, OPEN_FLAGS, (error, descriptor) => {
      if (error === null) resolve(descriptor);
      else reject(error);
    });
  });
}

/** Linux with a /proc: a container or a jail may be without. */
function tellsPaths(descriptors: string, directory: string): boolean {
  if (process.platform !== 'linux') return false;
  // As a path alone: the root may be a directory that may only be entered.
  const descriptor = fs.openSync(directory, O_PATH);
  try {
    return fs.readlinkSync(`${descriptors}/${descriptor}`) === directory;
  } catch {
    return false;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The code that the system gives its errors, such as ENOENT; empty for any other. */
export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

function problemOf(error: unknown): DiskProblem {
  const code = codeOf(error);
  const problem = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined;
  if (problem === undefined) throw error;
  return problem;
}
