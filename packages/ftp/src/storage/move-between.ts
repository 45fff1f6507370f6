// Moving from one file system to another by their contracts alone: copy all, then remove all.

import { fail, ok } from '@wellknown/core';
import type { FileSystem, ReadSource, WriteTarget } from '../file-system.ts';
import type { AbsolutePath } from '../path.ts';
import { refuse, type Answer } from './wrap.ts';

export interface FileOf {
  readonly fileSystem: FileSystem;
  readonly path: AbsolutePath;
}

const BUFFER_BYTES = 256 * 1024;
const below = ({ fileSystem, path }: FileOf, name: string): FileOf => ({ fileSystem, path: `${path}/${name}` });

/** As `rename` does: a file replaces a file, nothing replaces a directory. What was copied is removed if the rest fails. */
export async function moveBetween(from: FileOf, to: FileOf): Answer<void> {
  const source = await from.fileSystem.stat(from.path, { followLinks: false });
  if (!source.ok) return source;
  const old = await to.fileSystem.stat(to.path, { followLinks: false });
  if (old.ok && (old.value.type === 'directory' || source.value.type === 'directory')) return fail('exists');
  const copied = await copy(from, to);
  if (copied.ok) return remove(from);
  // A file that fails leaves nothing by itself.
  if (source.value.type === 'directory') await remove(to);
  return copied;
}

async function copy(from: FileOf, to: FileOf): Answer<void> {
  const entry = await from.fileSystem.stat(from.path, { followLinks: false });
  if (!entry.ok) return entry;
  const { type, mtimeMs } = entry.value;
  // There is no way to make one.
  if (type === 'link') return fail('unsupported');
  const copied = await (type === 'directory' ? copyDirectory(from, to) : copyFile(from, to));
  if (copied.ok) await to.fileSystem.setTimes?.(to.path, { mtimeMs });
  return copied;
}

async function copyDirectory(from: FileOf, to: FileOf): Answer<void> {
  const made = await (to.fileSystem.makeDirectory?.(to.path) ?? refuse('unsupported'));
  if (!made.ok) return made;
  const listed = await from.fileSystem.list(from.path);
  if (!listed.ok) return listed;
  for await (const portion of listed.value) {
    for (const { name } of portion) {
      const copied = await copy(below(from, name), below(to, name));
      if (!copied.ok) return copied;
    }
  }
  return ok(undefined);
}

async function copyFile(from: FileOf, to: FileOf): Answer<void> {
  const source = await from.fileSystem.read(from.path, { startBytes: 0 });
  if (!source.ok) return source;
  try {
    const opened = await (to.fileSystem.write?.(to.path, { mode: 'replace', expectedBytes: source.value.sizeBytes }) ??
      refuse('unsupported'));
    if (!opened.ok) return opened;
    const moved = await moveBytes(source.value, opened.value).catch(async (error: unknown) => {
      await opened.value.abort();
      throw error;
    });
    if (moved.ok) return await opened.value.commit();
    await opened.value.abort();
    return moved;
  } finally {
    await source.value.close();
  }
}

async function moveBytes(source: ReadSource, target: WriteTarget): Answer<void> {
  for (;;) {
    // The target may keep it.
    const buffer = new Uint8Array(BUFFER_BYTES);
    const read = await source.read(buffer);
    if (!read.ok) return read;
    if (read.value > 0) {
      const written = await target.write([buffer.subarray(0, read.value)]);
      if (!written.ok) return written;
    }
    if (read.value < buffer.length) return ok(undefined);
  }
}

async function remove(at: FileOf): Answer<void> {
  const entry = await at.fileSystem.stat(at.path, { followLinks: false });
  if (!entry.ok) return entry;
  if (entry.value.type !== 'directory') return at.fileSystem.removeFile?.(at.path) ?? refuse('unsupported');
  const listed = await at.fileSystem.list(at.path);
  if (!listed.ok) return listed;
  for await (const portion of listed.value) {
    for (const { name } of portion) {
      const removed = await remove(below(at, name));
      if (!removed.ok) return removed;
    }
  }
  return at.fileSystem.removeDirectory?.(at.path) ?? refuse('unsupported');
}
