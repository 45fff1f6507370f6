// A directory of the machine's disk as a file system whose paths never lead out of it (disk-place.ts says how).

import { constants, promises as fs, type Stats } from 'node:fs';
import type { Result } from '@wellknown/core';
import { decodeName } from '../charset.ts';
import type { CompleteFileSystem, Entry, FileProblem, ReadSource } from '../file-system.ts';
import { nameOf, parentOf, type AbsolutePath } from '../path.ts';
import { entriesOf, namesIn } from './disk-listing.ts';
import { move } from './disk-move.ts';
import { isPartName, removeAbandoned } from './disk-parts.ts';
import { placesUnder, type Spot, type SymlinkPolicy } from './disk-place.ts';
import { openUpload } from './disk-upload.ts';
import { Descriptor, timeForSystem, type DiskCalls } from './disk-calls.ts';
import { answer, expectedProblem, Refusal } from './errno-map.ts';

export interface DiskFileSystemOptions {
  readonly symlinks?: SymlinkPolicy;
  /**
   * `atomic`: an upload grows under a hidden name and takes its own when complete; what was there before survives an
   * aborted one. Who watches the directory sees a rename, and no close after writing. Where the directory can't be written
   * but the file can, it grows in place. `in-place`: the file itself always grows, and an aborted upload leaves its
   * beginning there to be resumed.
   */
  readonly uploads?: 'atomic' | 'in-place';
  /** The permission bits of new files, by default 0o666, and of new directories, by default 0o777, before the umask. */
  readonly fileMode?: number;
  readonly directoryMode?: number;
  /** Permission bits that new files and directories alike do not get; by default the umask of the process. */
  readonly umask?: number;
  /** Whether an upload counts as stored only once it is on the disk (fsync). By default it may be lost with the power. */
  readonly sync?: boolean;
  /** Whether listings tell the numbers of owners and groups. By default they are nobody's business. */
  readonly owners?: boolean;
}

// Opening a FIFO must not wait for its other end; what is no regular file is refused after the open.
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

// Some tenth of a millisecond of reading without a turn of the event loop in between.
const MAX_BYTES_IN_A_ROW = 1_048_576;

/** The files under `root`, an existing directory. */
export function diskFileSystem(root: string, options: DiskFileSystemOptions = {}): CompleteFileSystem {
  const { symlinks = 'inside', uploads = 'atomic', fileMode = 0o666, directoryMode = 0o777, sync = false } = options;
  const places = placesUnder(root, symlinks);
  const within: typeof places.within = (at, use) => places.within(at, use);

  /** The bits of something new; undefined when the system's own rule is the one to follow. */
  const modeOf = (wanted: number, umask = options.umask): number | undefined =>
    umask === undefined ? undefined : wanted & ~umask & 0o777;

  const entryOf = (name: string, stats: Stats): Entry => entryFrom(name, stats, options.owners ?? false);

  /** Something that is changed: never the root, never through a link, and it must exist. */
  const existing = <Value>(
    at: AbsolutePath,
    use: (spot: Spot, stats: Stats) => Promise<Value>,
  ): Promise<Result<Value, FileProblem>> =>
    answer(() => {
      if (at === '/') throw new Refusal('denied');
      return within(at, async (spot) => {
        const stats = await spot.lstat();
        if (stats === undefined || isPartName(spot.name)) throw new Refusal('not-found');
        return use(spot, stats);
      });
    });

  return {
    stat: (at, { followLinks = true, toEnter = false } = {}) =>
      answer(() =>
        within(at, async (spot) => {
          const stats = followLinks ? undefined : await spot.lstat();
          if (stats?.isSymbolicLink() === true && symlinks !== 'deny') {
            const target = await places.shownTarget(spot, spot.name);
            return { ...entryOf(nameOf(at), stats), ...(target === undefined ? {} : { target }) };
          }
          const found = await places.follow(spot);
          if (toEnter && found.stats.isDirectory()) await found.calls.access(found.path, constants.X_OK);
          return entryOf(nameOf(at), found.stats);
        }),
      ),
    list: (at, { followLinks = false, withUploads = false } = {}) =>
      answer(() =>
        within(at, async (spot) => {
          const found = await places.follow(spot);
          if (!found.stats.isDirectory()) throw new Refusal('not-directory');
          const directory = await places.openDirectory(found.path, found.calls);
          try {
            const names = await namesIn(directory);
            return entriesOf(directory.realDirectory, names, places, {
              ...{ followLinks, withUploads, symlinks, entryOf },
            });
          } finally {
            await directory.close();
          }
        }),
      ),
    read: (at, { startBytes }) =>
      answer(() =>
        within(at, async (spot) => {
          const found = await places.follow(spot);
          if (!found.stats.isFile()) throw new Refusal('is-directory');
          const { calls } = found;
          const opened = new Descriptor(await calls.open(found.path, READ_FLAGS), calls);
          try {
            const stats = await calls.fstat(opened.number);
            if (!stats.isFile()) throw new Refusal('denied');
            if (found.isThroughLink) await places.verify(opened);
            if (startBytes > stats.size) throw new Refusal('bad-start');
            return readSource(opened, calls, stats, startBytes);
          } catch (error) {
            await opened.close();
            throw error;
          }
        }),
      ),
    write: (at, write) =>
      answer(async () => {
        if (at === '/') throw new Refusal('is-directory');
        if (isPartName(nameOf(at))) throw new Refusal('bad-name');
        const spot = await placeToWrite(at);
        try {
          const stats = await spot.lstat();
          if (stats?.isDirectory() === true) throw new Refusal('is-directory');
          if (stats !== undefined && !stats.isFile()) throw new Refusal('denied');
          if (stats !== undefined && write.mode === 'create') throw new Refusal('exists');
          if ((write.startBytes ?? 0) > (stats?.size ?? 0)) throw new Refusal('bad-start');
          const exactMode = modeOf(fileMode, write.umask);
          return await openUpload({ spot, stats, write, uploads, createMode: exactMode ?? fileMode, exactMode, sync });
        } catch (error) {
          await spot.close();
          throw error;
        }
      }),
    removeFile: (at) =>
      existing(at, async (spot, stats) => {
        if (stats.isDirectory()) throw new Refusal('is-directory');
        // Removes a link itself, never what it leads to.
        await fs.unlink(spot.path());
      }),
    makeDirectory: (at, { umask } = {}) =>
      answer(async () => {
        if (at === '/') throw new Refusal('exists');
        if (isPartName(nameOf(at))) throw new Refusal('bad-name');
        await within(at, async (spot) => {
          await fs.mkdir(spot.path(), directoryMode);
          const mode = modeOf(directoryMode, umask);
          if (mode !== undefined) await changeMode(spot, mode);
        });
      }),
    removeDirectory: (at) =>
      existing(at, async (spot, stats) => {
        if (!stats.isDirectory()) throw new Refusal('not-directory');
        try {
          await fs.rmdir(spot.path());
        } catch (error) {
          if (expectedProblem(error) !== 'not-empty' || !(await holdsOnlyParts(spot))) throw error;
          // It looks empty. What nobody will finish is gone now; an upload that still runs needs its directory.
          await fs.rmdir(spot.path()).catch(() => {
            throw new Refusal('busy');
          });
        }
      }),
    rename: (from, to) =>
      existing(from, (source, stats) => {
        if (to === '/' || isPartName(nameOf(to))) throw new Refusal('bad-name');
        return within(to, async (target) => {
          const old = await target.lstat();
          if (old !== undefined && (old.isDirectory() || stats.isDirectory())) throw new Refusal('exists');
          await move(source, target, stats);
        });
      }),
    setTimes: (at, { mtimeMs, atimeMs }) =>
      existing(at, async (spot, stats) => {
        if (stats.isSymbolicLink()) throw new Refusal('denied');
        const accessed = timeForSystem(atimeMs ?? mtimeMs ?? stats.atimeMs);
        await fs.lutimes(spot.path(), accessed, timeForSystem(mtimeMs ?? stats.mtimeMs));
      }),
    setMode: (at, mode) =>
      existing(at, async (spot, stats) => {
        if (!stats.isFile() && !stats.isDirectory()) throw new Refusal('denied');
        await changeMode(spot, mode & 0o777);
      }),
    space: (at) =>
      answer(() =>
        within(at, async (spot) => {
          const { bavail, blocks, bsize } = await fs.statfs((await places.follow(spot)).path);
          return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
        }),
      ),
  };

  /** Where a file is written: what a link leads to only where links lead wherever they lead. */
  async function placeToWrite(at: AbsolutePath): Promise<Spot> {
    const spot = await places.open(at);
    if (symlinks !== 'follow') return spot;
    try {
      if ((await spot.lstat())?.isSymbolicLink() !== true) return spot;
      const { path } = await places.follow(spot);
      const real = typeof path === 'string' ? path : decodeName(path);
      await spot.close();
      return (await places.openDirectory(parentOf(real))).sibling(nameOf(real));
    } catch (error) {
      await spot.close();
      throw error;
    }
  }
}

/** Through a descriptor: chmod on a path would follow a link put there in the meantime. */
async function changeMode(spot: Spot, mode: number): Promise<void> {
  const handle = await fs.open(spot.path(), READ_FLAGS);
  try {
    const stats = await handle.stat();
    // What a directory hands down to its files (set-group-ID) and who deletes in it (sticky) stays.
    await handle.chmod((stats.isDirectory() ? stats.mode & 0o7000 : 0) | mode);
  } finally {
    await handle.close();
  }
}

/** Removes the parts in a directory that nobody will finish; false when there is more than parts. */
async function holdsOnlyParts(spot: Spot): Promise<boolean> {
  const names = await fs.readdir(spot.path());
  if (!names.every(isPartName)) return false;
  for (const name of names) await removeAbandoned(name, spot.path(`${spot.name}/${name}`));
  return true;
}

const typeOf = (stats: Stats): Entry['type'] =>
  stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'file';

// The entries of one directory are of one device.
let lastDevice = { dev: Number.NaN, text: '' };
function deviceText(dev: number): string {
  if (lastDevice.dev !== dev) lastDevice = { dev, text: dev.toString(16) };
  return lastDevice.text;
}

function entryFrom(name: string, stats: Stats, owners: boolean): Entry {
  const { dev, ino, mode, size: sizeBytes, mtimeMs } = stats;
  // One shape for all, and nothing copied: there may be very many.
  const entry = {
    name,
    type: typeOf(stats),
    sizeBytes,
    mtimeMs,
    mode: mode & 0o777,
    unique: `${deviceText(dev)}g${ino.toString(16)}`,
  };
  return owners ? { ...entry, uid: stats.uid, gid: stats.gid } : entry;
}

const readSource = (opened: Descriptor, calls: DiskCalls, stats: Stats, startBytes: number): ReadSource => {
  const { size: sizeBytes } = stats;
  const isWarm = calls.isWarm(stats);
  let position = startBytes;
  let bytesAtOnce = 0;
  return {
    sizeBytes,
    isInMemory: isWarm,
    read: (into) =>
      answer(async () => {
        let filled = 0;
        while (filled < into.length) {
          const wanted = filled === 0 ? into : into.subarray(filled);
          // A fast peer must not have the process to itself: now and then the others have their turn.
          if (bytesAtOnce >= MAX_BYTES_IN_A_ROW) await new Promise((resolve) => setImmediate(resolve));
          bytesAtOnce = bytesAtOnce < MAX_BYTES_IN_A_ROW ? bytesAtOnce + wanted.length : wanted.length;
          const bytesRead = await calls.read(opened.number, wanted, position, isWarm);
          if (bytesRead === 0) break;
          filled += bytesRead;
          position += bytesRead;
          // One call fills the buffer of all but the oddest file systems; at the end a second one would only return 0.
          if (position >= sizeBytes) break;
        }
        if (startBytes === 0 && position === sizeBytes && !isWarm) calls.wasMoved(stats);
        return filled;
      }),
    async close() {
      try {
        await opened.close();
      } catch {
        // Nothing was written.
      }
    },
  };
};
