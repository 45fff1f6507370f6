// An upload to the disk: where the bytes go while it runs, and what is left of it when it ends well or badly.

import { constants, promises as fs, type Stats } from 'node:fs';
import type { WriteOptions, WriteTarget } from '../file-system.ts';
import { answer, expectedProblem, Refusal } from './errno-map.ts';
import { BY_POOL, Descriptor, MAX_BYTES_AT_ONCE, pool, type DiskCalls } from './disk-calls.ts';
import { newPartName } from './disk-parts.ts';
import { keepingNone } from './kept-chunks.ts';
import type { Spot } from './disk-place.ts';

export interface UploadRequest {
  /** Where the file is, or will be. The target closes it. */
  readonly spot: Spot;
  /** What is there now. */
  readonly stats: Stats | undefined;
  readonly write: WriteOptions;
  readonly uploads: 'atomic' | 'in-place';
  /** The permission bits to create a new file with, of which the umask of the process takes some away. */
  readonly createMode: number;
  /** The permission bits that it then gets, whatever that umask. */
  readonly exactMode: number | undefined;
  /** Whether the bytes must be on the disk before the upload counts as stored. */
  readonly sync: boolean;
}

// Without O_TRUNC: a file is cut only once it is known to be the right one.
const WRITE_FLAGS = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE_FLAGS = WRITE_FLAGS | constants.O_CREAT | constants.O_EXCL;
const STICKY = 0o1000;
// To give back the room of the file that is replaced is part of the rename.
const MAX_FREED_BYTES = 1_048_576;

/**
 * How the two ends of an upload look. Both begin with the file open; one of them is called, once, and lets go of all. They
 * use `calls`: after many bytes never those that are made at once. To close, to rename over another or to remove such a
 * file may wait for the disk; on ext4 a rename waits until all of the file is on its way there (measured: half a second for
 * 256 MiB).
 */
interface Ends {
  commit(calls: DiskCalls): Promise<void>;
  abort(calls: DiskCalls): Promise<void>;
}

/** Opens the file that the upload goes to. */
export async function openUpload(request: UploadRequest): Promise<WriteTarget> {
  const { stats, write, uploads } = request;
  await hasRoom(request);
  // What is continued stands where it belongs already.
  const isContinued = write.mode === 'append' || (write.startBytes ?? 0) > 0;
  if (isContinued || uploads === 'in-place') return inPlace(request);
  // Without permission to write the old file it may not be replaced either, even where the directory allows the rename.
  if (stats !== undefined) await request.spot.calls.access(request.spot.path(), constants.W_OK);
  if (stats !== undefined && (await keepsItsFiles(request.spot, stats))) return inPlace(request);
  try {
    return await beside(request);
  } catch (error) {
    // The file may be written where its directory may not.
    if (stats === undefined || expectedProblem(error) !== 'denied') throw error;
    return inPlace(request);
  }
}

/** Refuses early what is said to be larger than the disk has room for. What is small comes to its end soon enough. */
async function hasRoom({ spot, write: { expectedBytes = 0 } }: UploadRequest): Promise<void> {
  if (expectedBytes <= MAX_BYTES_AT_ONCE) return;
  const { bavail, bsize } = await fs.statfs(spot.path('.'));
  if (expectedBytes > bavail * bsize) throw new Refusal('no-space');
}

/** In a directory with the sticky bit, such as /tmp, only owners rename their files. */
async function keepsItsFiles(spot: Spot, { uid }: Stats): Promise<boolean> {
  const own = process.geteuid?.();
  if (own === undefined || own === 0 || own === uid) return false;
  const directory = await fs.stat(spot.path('.'));
  return (directory.mode & STICKY) !== 0 && directory.uid !== own;
}

/** The bytes go into the file itself. An aborted upload leaves its beginning there, to be resumed. */
async function inPlace({ spot, stats, write, createMode, exactMode, sync }: UploadRequest): Promise<WriteTarget> {
  const { mode, startBytes = 0 } = write;
  const isNew = mode === 'create' || stats === undefined;
  // Several may add to one file at the same time: the kernel puts each write behind what is there by then.
  const flags = (isNew ? CREATE_FLAGS : WRITE_FLAGS) | (mode === 'append' ? constants.O_APPEND : 0);
  const file = await openIn(spot, spot.name, flags, createMode);
  try {
    const opened = await spot.calls.fstat(file.number);
    // Whoever swapped the file for something else in the meantime gains nothing.
    if (!opened.isFile()) throw new Refusal('denied');
    if (isNew && exactMode !== undefined) await setMode(file, opened, exactMode);
    const startAt = mode === 'append' ? opened.size : startBytes;
    if (startAt > opened.size) throw new Refusal('bad-start');
    if (mode !== 'append' && !isNew) await pool.ftruncate(file.number, startAt);
    // A name that was asked for as a new one is given back.
    const discard = (calls: DiskCalls): Promise<void> =>
      letGo(spot, file, mode === 'create' ? spot.name : undefined, calls);
    return target(spot, file, startAt, {
      async commit(calls) {
        try {
          if (sync) await pool.fsync(file.number);
          await file.close(calls);
          await spot.close();
        } catch (error) {
          await discard(calls);
          throw error;
        }
      },
      abort: discard,
    });
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Gives everything back, and the name that was made for an upload that comes to nothing. */
async function letGo(spot: Spot, file: Descriptor, name: string | undefined, calls: DiskCalls): Promise<void> {
  try {
    await file.close(calls);
  } catch {
    // What could not be written is not wanted.
  }
  try {
    if (name !== undefined) await calls.unlink(spot.path(name));
  } catch {
    // It may have its name already, or be nobody's any more.
  }
  await spot.close();
}

/** The bytes go into a part of another name in the same directory, which takes the file's place when it is whole. */
async function beside({ spot, stats, write, createMode, exactMode, sync }: UploadRequest): Promise<WriteTarget> {
  const part = newPartName();
  // Nobody may read on its way what only some may read once it is there.
  const partMode = stats === undefined ? createMode : createMode & stats.mode;
  const file = await openIn(spot, part, CREATE_FLAGS, partMode);
  const discard = (calls: DiskCalls): Promise<void> => letGo(spot, file, part, calls);
  return target(
    spot,
    file,
    0,
    {
      async commit(calls) {
        try {
          if (stats !== undefined) await likeTheOld(file, await calls.fstat(file.number), stats);
          else if (exactMode !== undefined) await setMode(file, await calls.fstat(file.number), exactMode);
          if (sync) await pool.fsync(file.number);
          // Closed first: some file systems report only then that there was no room.
          await file.close(calls);
          if (write.mode === 'create') await takeNewName(spot, part);
          else await calls.rename(spot.path(part), spot.path());
          await spot.close();
        } catch (error) {
          await discard(calls);
          throw error;
        }
      },
      abort: discard,
    },
    stats?.size,
  );
}

const openIn = async (spot: Spot, name: string, flags: number, mode: number): Promise<Descriptor> =>
  new Descriptor(await spot.calls.open(spot.path(name), flags, mode), spot.calls);

/** A name that must be new: unlike a rename, a link fails where there is something. */
async function takeNewName(spot: Spot, part: string): Promise<void> {
  try {
    await fs.link(spot.path(part), spot.path());
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // File systems without hard links (FAT, some network disks): a look and a rename, with a moment between them.
    if (code !== 'EPERM' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP' && code !== 'ENOTSUP') throw error;
    if ((await spot.lstat()) !== undefined) throw new Refusal('exists');
    await fs.rename(spot.path(part), spot.path());
    return;
  }
  // The upload has its name. A part that won't go is one of many links to it, and goes with the next sweep.
  await fs.unlink(spot.path(part)).catch(() => undefined);
}

async function likeTheOld(file: Descriptor, now: Stats, old: Stats): Promise<void> {
  // A server that may not give files away keeps them.
  if (now.uid !== old.uid || now.gid !== old.gid)
    await pool.fchown(file.number, old.uid, old.gid).catch(() => undefined);
  if ((now.mode & 0o777) !== (old.mode & 0o777)) await pool.fchmod(file.number, old.mode & 0o777);
}

const setMode = async (file: Descriptor, { mode: now }: Stats, mode: number): Promise<void> => {
  if ((now & 0o777) !== mode) await pool.fchmod(file.number, (now & 0o7000) | mode);
};

function target({ calls }: Spot, file: Descriptor, startAt: number, ends: Ends, replacedBytes = 0): WriteTarget {
  let position = startAt;
  const isBrief = (): boolean => position - startAt <= MAX_BYTES_AT_ONCE && replacedBytes <= MAX_FREED_BYTES;
  const endCalls = (): DiskCalls => (isBrief() ? calls : BY_POOL);
  return keepingNone({
    write: (chunks) =>
      answer(async () => {
        for (let left = chunks; left.length > 0;) {
          const bytesWritten = await calls.write(file.number, left, position);
          position += bytesWritten;
          left = without(left, bytesWritten);
        }
      }),
    commit: () => answer(() => ends.commit(endCalls())),
    abort: () => ends.abort(endCalls()).catch(() => undefined),
  });
}

/** What is left of `chunks` after their first `byteLength` bytes. */
function without(chunks: readonly Uint8Array[], byteLength: number): Uint8Array[] {
  let written = byteLength;
  const left: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (written >= chunk.length) written -= chunk.length;
    else {
      left.push(chunk.subarray(written));
      written = 0;
    }
  }
  return left;
}
