// An upload to the disk: where the bytes go while it runs, and what is left of it when it ends well or badly.

import { constants, promises as fs, type Stats } from 'node:fs';
import path from 'node:path';
import { answer } from './errno-map.ts';
import type { WriteOptions, WriteTarget } from '../file-system.ts';

/**
 * What an unfinished atomic upload is called. Never listed and never written to by name; what a crash leaves may be
 * deleted.
 */
export const TEMPORARY_NAME = /^\.wellknown-[0-9a-f]{16}\.part$/;

interface UploadRequest {
  /** The checked path of the file. */
  readonly real: string;
  /** What is there now. */
  readonly stats: Stats | undefined;
  readonly write: WriteOptions;
  readonly uploads: 'atomic' | 'in-place';
  /** Opens a regular file, and nothing else. */
  readonly open: (
    real: string,
    flags: number,
    mode?: number,
  ) => Promise<{ readonly handle: fs.FileHandle; readonly stats: Stats }>;
  readonly suffix: string;
}

const NEW_FILE_MODE = 0o644;
// Without O_TRUNC: a file is cut only once it is known to be the right one.
const WRITE_FLAGS = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE_FLAGS = WRITE_FLAGS | constants.O_CREAT | constants.O_EXCL;

/** Opens the file that the upload goes to. */
export async function openUpload({ real, stats, write, uploads, open, suffix }: UploadRequest): Promise<WriteTarget> {
  const { mode, startBytes = 0 } = write;
  const target = (
    handle: fs.FileHandle,
    startAt: number,
    ends: { readonly commit: () => Promise<void>; readonly abort: () => Promise<void> },
  ): WriteTarget => {
    let position = startAt;
    return {
      write: (chunks) =>
        answer(async () => {
          for (let left = [...chunks]; left.length > 0;) {
            const { bytesWritten } = await handle.writev(left, position);
            position += bytesWritten;
            left = without(left, bytesWritten);
          }
        }),
      commit: () => answer(ends.commit),
      abort: () => ends.abort().catch(() => undefined),
    };
  };

  // A name that must be new, or a file that is continued: the bytes go where they belong at once.
  const isContinued = mode === 'append' || startBytes > 0;
  if (mode === 'create' || isContinued || uploads === 'in-place') {
    const { handle, stats: opened } = await open(
      real,
      mode === 'create' || stats === undefined ? CREATE_FLAGS : WRITE_FLAGS,
      NEW_FILE_MODE,
    );
    const startAt = mode === 'append' ? opened.size : startBytes;
    if (mode !== 'append') await handle.truncate(startAt);
    return target(handle, startAt, {
      commit: () => handle.close(),
      async abort() {
        await handle.close();
        if (mode === 'create') await fs.unlink(real);
      },
    });
  }

  // Without permission to write the old file it may not be replaced either, even where the directory allows the rename.
  if (stats !== undefined) await fs.access(real, constants.W_OK);
  const temporary = path.join(path.dirname(real), `.wellknown-${suffix}.part`);
  const { handle } = await open(temporary, CREATE_FLAGS, NEW_FILE_MODE);
  const discard = async (): Promise<void> => {
    await handle.close();
    await fs.unlink(temporary);
  };
  return target(handle, 0, {
    async commit() {
      try {
        if (stats !== undefined) await handle.chmod(stats.mode & 0o777);
        // Closed first: some file systems report only then that there was no room.
        await handle.close();
        await fs.rename(temporary, real);
      } catch (error) {
        await discard().catch(() => undefined);
        throw error;
      }
    },
    abort: discard,
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
