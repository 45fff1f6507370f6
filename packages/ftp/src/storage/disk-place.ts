// Where a path of a disk file system leads, without ever leading out.
//
// Node has no openat, but Linux has something as good: the directory of a path is opened, /proc tells where it really is,
// and once that is known to be under the root, everything goes through `/proc/self/fd/N/name`. The kernel then starts at the
// directory that was checked, whatever its path has become meanwhile, and the last name is never followed. So no swap of a
// directory for a link, between the check and the use, leads out. Where there is no /proc, the directory's path is resolved,
// checked and used, which leaves that moment open to a hostile user of the same machine: there only a container helps.

import { constants, promises as fs, type Stats } from 'node:fs';
import path from 'node:path';
import { decodeName, nameForSystem } from '../charset.ts';
import { nameOf, parentOf, type AbsolutePath } from '../path.ts';
import { problemOfErrno, Refusal } from './errno-map.ts';

/**
 * `deny`: a link anywhere in a path is as good as not there. `inside`: links that lead to a place under the root are
 * followed for reading and as directories on the way; the last name of a path that is written or changed is never
 * followed. `follow`: links lead wherever they lead, where every user who can make one is trusted.
 */
export type SymlinkPolicy = 'deny' | 'inside' | 'follow';

const DESCRIPTORS = '/proc/self/fd/';
// Only to start paths from: needs no permission to read the directory. Linux has the same number on all of Node's platforms.
const O_PATH = process.platform === 'linux' ? 0o10000000 : 0;
const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY;

/** A name in a directory that has been checked. Whoever asked for it closes it. */
export class Spot {
  readonly name: string;
  /** The directory's path as it was when it was checked. */
  readonly realDirectory: string;
  readonly #directory: string;
  readonly #handle: fs.FileHandle | undefined;

  constructor(realDirectory: string, name: string, handle: fs.FileHandle | undefined) {
    this.name = name;
    this.realDirectory = realDirectory;
    this.#handle = handle;
    this.#directory = handle === undefined ? realDirectory : `${DESCRIPTORS}${handle.fd}`;
  }

  /** What to call the system with, for this name or another in the same directory. Only until `close`. */
  path(name: string = this.name): string | Buffer {
    return nameForSystem(`${this.#directory}/${name}`);
  }

  /** What is there, without following it. */
  async lstat(): Promise<Stats | undefined> {
    try {
      return await fs.lstat(this.path());
    } catch (error) {
      if (problemOfErrno(error) === 'not-found') return undefined;
      throw error;
    }
  }

  /** Another name in the same directory. Both have one handle, which either of them closes. */
  sibling(name: string): Spot {
    return new Spot(this.realDirectory, name, this.#handle);
  }

  /** Safe to call twice. Never rejects. */
  async close(): Promise<void> {
    await this.#handle?.close().catch(() => undefined);
  }
}

/** What a path leads to once a link at its last name has been followed. */
export interface Followed {
  readonly path: string | Buffer;
  readonly stats: Stats;
}

export interface Places {
  /** Opens the directory above the last name of `at`, and runs `use` there. For the root the name is `.`. */
  within<Value>(at: AbsolutePath, use: (spot: Spot) => Promise<Value>): Promise<Value>;
  /** The same, for a use that outlives the call; the caller closes it. */
  open(at: AbsolutePath): Promise<Spot>;
  /** Follows a link at the last name, where the policy lets it. What is neither file nor directory does not exist. */
  follow(spot: Spot): Promise<Followed>;
  /** The spot's own entry in a directory, to begin paths with; the caller closes it. */
  openDirectory(real: string | Buffer): Promise<Spot>;
  /** Throws if an open file is not where it may be: the last name of a followed link may have changed. */
  verify(handle: fs.FileHandle): Promise<void>;
  /** The text of a link as a user may see it; undefined when it leads out, which is nobody's business. */
  shownTarget(spot: Spot, name: string): Promise<string | undefined>;
}

/** The places under `root`, an existing directory. */
export function placesUnder(root: string, symlinks: SymlinkPolicy): Places {
  let known: Promise<{ readonly base: string; readonly hasDescriptors: boolean }> | undefined;
  const base = (): Promise<{ readonly base: string; readonly hasDescriptors: boolean }> => {
    known ??= findRoot(root).catch((error: unknown) => {
      // Asked again next time: the directory may be on its way (a mount, for instance).
      known = undefined;
      throw error;
    });
    return known;
  };
  const isInside = (top: string, real: string): boolean =>
    symlinks === 'follow' || real === top || real.startsWith(top === path.sep ? top : top + path.sep);

  const openAt = async (lexical: string | Buffer, name: string): Promise<Spot> => {
    const { base: top, hasDescriptors } = await base();
    if (!hasDescriptors) {
      const real = decodeName(await fs.realpath(lexical, 'buffer'));
      if (!isInside(top, real)) throw new Refusal('not-found');
      return new Spot(real, name, undefined);
    }
    const handle = await fs.open(lexical, DIRECTORY_FLAGS | O_PATH);
    try {
      const real = decodeName(await fs.readlink(`${DESCRIPTORS}${handle.fd}`, 'buffer'));
      if (!isInside(top, real)) throw new Refusal('not-found');
      return new Spot(real, name, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  };

  const open = async (at: AbsolutePath): Promise<Spot> => {
    const { base: top } = await base();
    if (at === '/') return openAt(top, '.');
    // On Windows a backslash or a colon would be read as more than a name.
    if (path.sep === '\\' && /[\\:]/.test(at)) throw new Refusal('bad-name');
    const above = parentOf(at);
    const lexical = above === '/' ? top : path.join(top, above);
    const spot = await openAt(nameForSystem(lexical), nameOf(at));
    if (symlinks !== 'deny' || spot.realDirectory === lexical) return spot;
    await spot.close();
    throw new Refusal('not-found');
  };

  return {
    open,
    async within(at, use) {
      const spot = await open(at);
      try {
        return await use(spot);
      } finally {
        await spot.close();
      }
    },
    async follow(spot) {
      const stats = await spot.lstat();
      if (stats === undefined) throw new Refusal('not-found');
      if (!stats.isSymbolicLink()) return { path: spot.path(), stats: onlyOrdinary(stats) };
      if (symlinks === 'deny') throw new Refusal('not-found');
      const target = await fs.realpath(spot.path(), 'buffer');
      const { base: top } = await base();
      if (!isInside(top, decodeName(target))) throw new Refusal('not-found');
      return { path: target, stats: onlyOrdinary(await fs.lstat(target)) };
    },
    openDirectory: (real) => openAt(typeof real === 'string' ? nameForSystem(real) : real, '.'),
    async verify(handle) {
      const { base: top, hasDescriptors } = await base();
      if (symlinks === 'follow' || !hasDescriptors) return;
      const real = decodeName(await fs.readlink(`${DESCRIPTORS}${handle.fd}`, 'buffer'));
      if (!isInside(top, real)) throw new Refusal('not-found');
    },
    async shownTarget(spot, name) {
      const { base: top } = await base();
      const text = decodeName(await fs.readlink(spot.path(name), 'buffer'));
      if (symlinks === 'follow') return text;
      const target = path.resolve(spot.realDirectory, text);
      if (!isInside(top, target)) return undefined;
      // What is absolute on the disk is absolute here, from another root.
      return path.isAbsolute(text) ? `/${path.relative(top, target)}` : text;
    },
  };
}

async function findRoot(root: string): Promise<{ readonly base: string; readonly hasDescriptors: boolean }> {
  const base = await fs.realpath(root);
  if (O_PATH === 0) return { base, hasDescriptors: false };
  const handle = await fs.open(base, DIRECTORY_FLAGS | O_PATH);
  try {
    const real = await fs.readlink(`${DESCRIPTORS}${handle.fd}`).catch(() => undefined);
    return { base, hasDescriptors: real === base };
  } finally {
    await handle.close();
  }
}

function onlyOrdinary(stats: Stats): Stats {
  if (stats.isFile() || stats.isDirectory()) return stats;
  throw new Refusal('not-found');
}
