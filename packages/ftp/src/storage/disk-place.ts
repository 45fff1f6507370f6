// Where a path of a disk file system leads, without ever leading out.
//
// Node has no openat, but Linux has something as good: the directory of a path is opened, /proc tells where it really is,
// and once that is known to be under the root, everything goes through `/proc/self/fd/N/name`. The kernel then starts at the
// directory that was checked, whatever its path has become meanwhile, and the last name is never followed. So no swap of a
// directory for a link, between the check and the use, leads out. Where there is no /proc, the directory's path is resolved,
// checked and used, which leaves that moment open to a hostile user of the same machine: there only a container helps.

import { constants, promises as fs, type Stats } from 'node:fs';
import path from 'node:path';
import { DiskPace } from '@wellknown/core/files';
import { decodeName, nameForSystem } from '../charset.ts';
import { nameOf, parentOf, type AbsolutePath } from '../path.ts';
import { BY_POOL, Descriptor, type DiskCalls, type Done, type Soon } from './disk-calls.ts';
import { NearDirectories } from './near-directories.ts';
import { Refusal } from './errno-map.ts';

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
  /** How to call the system about what is in this directory. */
  readonly calls: DiskCalls;
  readonly #directory: string;
  readonly #opened: Descriptor | undefined;

  constructor(realDirectory: string, name: string, calls: DiskCalls, opened?: Descriptor) {
    this.name = name;
    this.realDirectory = realDirectory;
    this.calls = calls;
    this.#opened = opened;
    this.#directory = opened === undefined ? realDirectory : `${DESCRIPTORS}${opened.number}`;
  }

  /** What to call the system with, for this name or another in the same directory. Only until `close`. */
  path(name: string = this.name): string | Buffer {
    return nameForSystem(`${this.#directory}/${name}`);
  }

  /** What is there, without following it. */
  lstat(): Soon<Stats | undefined> {
    return this.calls.lstat(this.path());
  }

  /** Another name in the same directory. Both have one descriptor, which either of them closes. */
  sibling(name: string): Spot {
    return new Spot(this.realDirectory, name, this.calls, this.#opened);
  }

  /** Safe to call twice. Never throws or rejects. */
  close(): Done {
    try {
      return this.#opened?.close()?.catch(() => undefined);
    } catch {
      // Of a directory there is nothing to lose.
      return undefined;
    }
  }
}

/** What a path leads to once a link at its last name has been followed. */
export interface Followed {
  readonly path: string | Buffer;
  readonly stats: Stats;
  readonly calls: DiskCalls;
  /** There was a link, whose target may change at any time: who opens it looks where it is (`verify`). */
  readonly isThroughLink: boolean;
}

export interface Places {
  /** Opens the directory above the last name of `at`, and runs `use` there. For the root the name is `.`. */
  within<Value>(at: AbsolutePath, use: (spot: Spot) => Promise<Value>): Promise<Value>;
  /** The same, for a use that outlives the call; the caller closes it. */
  open(at: AbsolutePath): Promise<Spot>;
  /** Follows a link at the last name, where the policy lets it. What is neither file nor directory does not exist. */
  follow(spot: Spot): Promise<Followed>;
  /** The spot's own entry in a directory, to begin paths with; the caller closes it. `calls` where they are known. */
  openDirectory(at: string | Buffer, calls?: DiskCalls): Promise<Spot>;
  /** Throws if an open file is not where it may be: the last name of a followed link may have changed. */
  verify(opened: Descriptor): Promise<void>;
  /** The text of a link as a user may see it; undefined when it leads out, which is nobody's business. */
  shownTarget(spot: Spot, name: string): Promise<string | undefined>;
}

/** The places under `root`, an existing directory. */
export function placesUnder(root: string, symlinks: SymlinkPolicy): Places {
  let known: Promise<Root> | undefined;
  const base = (): Promise<Root> => {
    known ??= findRoot(root).catch((error: unknown) => {
      // Asked again next time: the directory may be on its way (a mount, for instance).
      known = undefined;
      throw error;
    });
    return known;
  };
  const isInside = (top: string, real: string): boolean =>
    symlinks === 'follow' || real === top || real.startsWith(top === path.sep ? top : top + path.sep);

  /** `calls` where what is on the way is known; `seenAs`: under which name the directory is asked for again. */
  const openAt = async (
    lexical: string | Buffer,
    name: string,
    calls?: DiskCalls,
    seenAs?: string | Buffer,
  ): Promise<Spot> => {
    const { top, hasDescriptors, nearby } = await base();
    if (!hasDescriptors) {
      const real = decodeName(await fs.realpath(lexical, 'buffer'));
      if (!isInside(top, real)) throw new Refusal('not-found');
      return new Spot(real, name, BY_POOL);
    }
    const way = calls ?? nearby?.callsIn(lexical) ?? BY_POOL;
    const opened = new Descriptor(await way.open(lexical, DIRECTORY_FLAGS | O_PATH), way);
    try {
      const real = decodeName(await way.readlink(`${DESCRIPTORS}${opened.number}`));
      if (!isInside(top, real)) throw new Refusal('not-found');
      const key = seenAs ?? real;
      const here = nearby?.callsIn(key) ?? (await nearby?.look(key, real, opened)) ?? BY_POOL;
      return new Spot(real, name, here, opened);
    } catch (error) {
      await opened.close();
      throw error;
    }
  };

  const open = async (at: AbsolutePath): Promise<Spot> => {
    const { top } = await base();
    if (at === '/') return openAt(top, '.', undefined, top);
    // On Windows a backslash or a colon would be read as more than a name.
    if (path.sep === '\\' && /[\\:]/.test(at)) throw new Refusal('bad-name');
    const above = parentOf(at);
    const lexical = above === '/' ? top : path.join(top, above);
    const directory = nameForSystem(lexical);
    const spot = await openAt(directory, nameOf(at), undefined, directory);
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
      const { calls } = spot;
      const stats = await spot.lstat();
      if (stats === undefined) throw new Refusal('not-found');
      if (!stats.isSymbolicLink())
        return { path: spot.path(), stats: onlyOrdinary(stats), calls, isThroughLink: false };
      if (symlinks === 'deny') throw new Refusal('not-found');
      // It may lead to another disk.
      const target = await fs.realpath(spot.path(), 'buffer');
      const { top } = await base();
      if (!isInside(top, decodeName(target))) throw new Refusal('not-found');
      return { path: target, stats: onlyOrdinary(await fs.lstat(target)), calls: BY_POOL, isThroughLink: true };
    },
    openDirectory: (at, calls) => openAt(typeof at === 'string' ? nameForSystem(at) : at, '.', calls),
    async verify(opened) {
      const { top, hasDescriptors } = await base();
      if (symlinks === 'follow' || !hasDescriptors) return;
      const real = decodeName(await BY_POOL.readlink(`${DESCRIPTORS}${opened.number}`));
      if (!isInside(top, real)) throw new Refusal('not-found');
    },
    async shownTarget(spot, name) {
      const { top } = await base();
      const text = decodeName(await spot.calls.readlink(spot.path(name)));
      if (symlinks === 'follow') return text;
      const target = path.resolve(spot.realDirectory, text);
      if (!isInside(top, target)) return undefined;
      // What is absolute on the disk is absolute here, from another root.
      return path.isAbsolute(text) ? `/${path.relative(top, target)}` : text;
    },
  };
}

interface Root {
  /** Where it really is. */
  readonly top: string;
  readonly hasDescriptors: boolean;
  /** Undefined where no call may be made at once. */
  readonly nearby: NearDirectories | undefined;
}

async function findRoot(root: string): Promise<Root> {
  const top = await fs.realpath(root);
  if (O_PATH === 0) return { top, hasDescriptors: false, nearby: undefined };
  const opened = new Descriptor(await BY_POOL.open(top, DIRECTORY_FLAGS | O_PATH), BY_POOL);
  try {
    const real = await fs.readlink(`${DESCRIPTORS}${opened.number}`).catch(() => undefined);
    if (real !== top) return { top, hasDescriptors: false, nearby: undefined };
    const [{ type }, { dev }] = await Promise.all([fs.statfs(top), BY_POOL.fstat(opened.number)]);
    return { top, hasDescriptors: true, nearby: new NearDirectories(new DiskPace(type, dev)) };
  } finally {
    await opened.close();
  }
}

function onlyOrdinary(stats: Stats): Stats {
  if (stats.isFile() || stats.isDirectory()) return stats;
  throw new Refusal('not-found');
}
