// A directory of the machine's disk as a file system whose paths never lead out of it.
//
// Every path goes the same way: the directory above its last name is resolved by the system and must lie under the
// root; the last name is opened with O_NOFOLLOW, so a link put there at the last moment is not followed; and where
// /proc tells, the opened file is asked where it really is. Node has no openat: against a hostile user with a shell on
// the same machine, who swaps directories while a path is being resolved, only a real chroot or a container protects
// the operations that open nothing (delete, rename, make directory).

import { randomBytes } from 'node:crypto';
import { constants, promises as fs, type Dirent, type Stats } from 'node:fs';
import path from 'node:path';
import type { Result } from '@wellknown/core';
import { answer, problemOfErrno, Refusal } from './errno-map.ts';
import { openUpload, TEMPORARY_NAME } from './disk-upload.ts';
import type { CompleteFileSystem, Entry, FileProblem } from '../file-system.ts';
import { nameOf, parentOf, partsOf, type AbsolutePath } from '../path.ts';

/**
 * `deny`: a link anywhere in a path is as good as not there. `inside`: links that lead to a place under the root are
 * followed for reading and as directories on the way; the last name of a path that is written or changed is never
 * followed. `follow`: links lead wherever they lead, where every user who can make one is trusted.
 */
export type SymlinkPolicy = 'deny' | 'inside' | 'follow';

export interface DiskFileSystemOptions {
  readonly symlinks?: SymlinkPolicy;
  /**
   * `atomic`: an upload grows under a hidden name and takes its own when complete; what was there before survives an
   * aborted one. `in-place`: the file itself grows, and an aborted upload leaves its beginning there to be resumed.
   */
  readonly uploads?: 'atomic' | 'in-place';
}

/** A path of the disk whose directory has been checked. */
interface Place {
  readonly real: string;
  readonly stats: Stats | undefined;
}

// Opening a FIFO must not wait for its other end; what is no regular file is refused after the open.
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
// Parallel lstat calls of a listing: more than the default thread pool has, so that it never runs dry.
const LIST_BATCH = 16;
// Where Linux tells what an open file is called.
const DESCRIPTOR_DIRECTORY = '/proc/self/fd/';

/** The files under `root`, an existing directory. */
export function diskFileSystem(root: string, options: DiskFileSystemOptions = {}): CompleteFileSystem {
  const { symlinks = 'inside', uploads = 'atomic' } = options;
  let rootPromise: Promise<string> | undefined;

  const realRoot = (): Promise<string> => {
    rootPromise ??= fs.realpath(root).catch((error: unknown) => {
      // Asked again next time: the directory may be on its way (a mount, for instance).
      rootPromise = undefined;
      throw error;
    });
    return rootPromise;
  };

  const mustBeInside = (base: string, real: string): void => {
    if (symlinks === 'follow' || real === base || real.startsWith(base === path.sep ? base : base + path.sep)) return;
    throw new Refusal('not-found');
  };

  /**
   * Where the last name of `at` is, or would be, and what is there. Links in the directories before it obey the policy.
   */
  const place = async (at: AbsolutePath): Promise<Place> => {
    const base = await realRoot();
    if (at === '/') return { real: base, stats: await fs.lstat(base) };
    // On Windows a backslash or a colon would be read as more than a name.
    if (path.sep === '\\' && /[\\:]/.test(at)) throw new Refusal('bad-name');
    const lexical = path.join(base, ...partsOf(parentOf(at)));
    const parent = await fs.realpath(lexical);
    if (symlinks === 'deny' && parent !== lexical) throw new Refusal('not-found');
    mustBeInside(base, parent);
    const real = path.join(parent, nameOf(at));
    const stats = await fs.lstat(real).catch((error: unknown) => {
      if (problemOfErrno(error) === 'not-found') return undefined;
      throw error;
    });
    return { real, stats };
  };

  /** Follows a link at the last name, where the policy lets it. What is neither file nor directory does not exist. */
  const follow = async ({ real, stats }: Place): Promise<{ readonly real: string; readonly stats: Stats }> => {
    if (stats === undefined) throw new Refusal('not-found');
    if (!stats.isSymbolicLink()) return { real, stats: onlyOrdinary(stats) };
    if (symlinks === 'deny') throw new Refusal('not-found');
    const target = await fs.realpath(real);
    mustBeInside(await realRoot(), target);
    return { real: target, stats: onlyOrdinary(await fs.lstat(target)) };
  };

  /** Something that is changed: never the root, never through a link, and it must exist. */
  const existing = async (at: AbsolutePath): Promise<{ readonly real: string; readonly stats: Stats }> => {
    if (at === '/') throw new Refusal('denied');
    const { real, stats } = await place(at);
    if (stats === undefined) throw new Refusal('not-found');
    return { real, stats };
  };

  /** The final check of where an open file is: the path may have changed between the check and the open. */
  const verify = async (handle: fs.FileHandle): Promise<void> => {
    if (symlinks === 'follow') return;
    const real = await fs.readlink(`${DESCRIPTOR_DIRECTORY}${handle.fd}`).catch(() => undefined);
    if (real !== undefined) mustBeInside(await realRoot(), real);
  };

  /** Opens a regular file, and nothing else. */
  const openFile = async (
    real: string,
    flags: number,
    mode?: number,
  ): Promise<{ readonly handle: fs.FileHandle; readonly stats: Stats }> => {
    const handle = await fs.open(real, flags, mode);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new Refusal(stats.isDirectory() ? 'is-directory' : 'denied');
      await verify(handle);
      return { handle, stats };
    } catch (error) {
      await handle.close();
      throw error;
    }
  };

  const listEntry = async (directory: string, dirent: Dirent): Promise<Entry | undefined> => {
    if (!(dirent.isFile() || dirent.isDirectory() || dirent.isSymbolicLink()) || TEMPORARY_NAME.test(dirent.name))
      return undefined;
    const real = path.join(directory, dirent.name);
    try {
      const found = await follow({ real, stats: await fs.lstat(real) });
      return entryOf(dirent.name, found.stats);
    } catch {
      // Removed since, or a link that leads out: not part of what this user sees.
      return undefined;
    }
  };

  async function* entriesOf(directory: string): AsyncGenerator<readonly Entry[]> {
    let batch: Dirent[] = [];
    const settle = async (): Promise<readonly Entry[]> =>
      (await Promise.all(batch.map((dirent) => listEntry(directory, dirent)))).filter((entry) => entry !== undefined);
    for await (const dirent of await fs.opendir(directory, { bufferSize: 128 })) {
      batch.push(dirent);
      if (batch.length < LIST_BATCH) continue;
      yield await settle();
      batch = [];
    }
    yield await settle();
  }

  return {
    stat: (at) =>
      answer(async () => {
        const { stats } = await follow(await place(at));
        return entryOf(nameOf(at), stats);
      }),
    list: (at) =>
      answer(async () => {
        const { real, stats } = await follow(await place(at));
        if (!stats.isDirectory()) throw new Refusal('not-directory');
        await fs.access(real, constants.R_OK);
        return entriesOf(real);
      }),
    read: (at, { startBytes }) =>
      answer(async () => {
        const { real, stats: before } = await follow(await place(at));
        if (!before.isFile()) throw new Refusal('is-directory');
        const { handle, stats } = await openFile(
          real,
          symlinks === 'follow' ? READ_FLAGS & ~constants.O_NOFOLLOW : READ_FLAGS,
        );
        if (startBytes > stats.size) {
          await handle.close();
          throw new Refusal('bad-start');
        }
        return readSource(handle, stats.size, startBytes);
      }),
    write: (at, write) =>
      answer(async () => {
        if (at === '/') throw new Refusal('is-directory');
        let spot = await place(at);
        if (symlinks === 'follow' && spot.stats?.isSymbolicLink() === true) spot = await follow(spot);
        const { real, stats } = spot;
        if (TEMPORARY_NAME.test(nameOf(at))) throw new Refusal('bad-name');
        if (stats?.isDirectory() === true) throw new Refusal('is-directory');
        if (stats !== undefined && !stats.isFile()) throw new Refusal('denied');
        if (stats !== undefined && write.mode === 'create') throw new Refusal('exists');
        if ((write.startBytes ?? 0) > (stats?.size ?? 0)) throw new Refusal('bad-start');
        return openUpload({ real, stats, write, uploads, open: openFile, suffix: randomBytes(8).toString('hex') });
      }),
    removeFile: (at) =>
      answer(async () => {
        const { real, stats } = await existing(at);
        if (stats.isDirectory()) throw new Refusal('is-directory');
        // Removes a link itself, never what it leads to.
        await fs.unlink(real);
      }),
    makeDirectory: (at) =>
      answer(async () => {
        if (at === '/') throw new Refusal('exists');
        const { real } = await place(at);
        await fs.mkdir(real);
      }),
    removeDirectory: (at) =>
      answer(async () => {
        const { real, stats } = await existing(at);
        if (!stats.isDirectory()) throw new Refusal('not-directory');
        await fs.rmdir(real);
      }),
    rename: (from, to) =>
      answer(async () => {
        const source = await existing(from);
        if (to === '/' || TEMPORARY_NAME.test(nameOf(to))) throw new Refusal('bad-name');
        const target = await place(to);
        if (target.stats !== undefined && (target.stats.isDirectory() || source.stats.isDirectory()))
          throw new Refusal('exists');
        await fs.rename(source.real, target.real);
      }),
    setTimes: (at, { mtimeMs, atimeMs }) =>
      answer(async () => {
        const { real, stats } = await existing(at);
        if (stats.isSymbolicLink()) throw new Refusal('denied');
        await fs.lutimes(real, (atimeMs ?? mtimeMs ?? stats.atimeMs) / 1000, (mtimeMs ?? stats.mtimeMs) / 1000);
      }),
    setMode: (at, mode) =>
      answer(async () => {
        const { real, stats } = await existing(at);
        if (!stats.isFile() && !stats.isDirectory()) throw new Refusal('denied');
        // Through a descriptor: chmod on a path would follow a link put there in the meantime.
        const handle = await fs.open(real, READ_FLAGS);
        try {
          await verify(handle);
          await handle.chmod(mode & 0o777);
        } finally {
          await handle.close();
        }
      }),
    space: (at) =>
      answer(async () => {
        const { bavail, blocks, bsize } = await fs.statfs((await follow(await place(at))).real);
        return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
      }),
  };
}

function onlyOrdinary(stats: Stats): Stats {
  if (stats.isFile() || stats.isDirectory()) return stats;
  throw new Refusal('not-found');
}

const entryOf = (name: string, stats: Stats): Entry => ({
  name,
  type: stats.isDirectory() ? 'directory' : 'file',
  sizeBytes: stats.size,
  mtimeMs: stats.mtimeMs,
  mode: stats.mode & 0o777,
  unique: `${stats.dev.toString(16)}g${stats.ino.toString(16)}`,
});

const readSource = (handle: fs.FileHandle, sizeBytes: number, startBytes: number) => {
  let position = startBytes;
  return {
    sizeBytes,
    read: (into: Uint8Array): Promise<Result<number, FileProblem>> =>
      answer(async () => {
        let filled = 0;
        while (filled < into.length) {
          const { bytesRead } = await handle.read(into, filled, into.length - filled, position);
          if (bytesRead === 0) break;
          filled += bytesRead;
          position += bytesRead;
          // One call fills the buffer of all but the oddest file systems; at the end a second one would only return 0.
          if (position >= sizeBytes) break;
        }
        return filled;
      }),
    close: (): Promise<void> => handle.close().catch(() => undefined),
  };
};
