// Which calls to the disk go through the thread pool, and that what they say is the same.

import fs from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { FileSystem } from '../src/file-system.ts';
import { Descriptor, DiskCalls } from '../src/storage/disk-calls.ts';
import { diskFileSystem } from '../src/storage/disk-file-system.ts';
import { names } from '../src/testing/file-system-calls.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const SIZE = 300_000;

async function directory(): Promise<string> {
  const made = await realpath(await mkdtemp(path.join(os.tmpdir(), 'ftp-calls-')));
  onTestFinished(() => rm(made, { recursive: true }));
  await mkdir(path.join(made, 'sub'));
  await writeFile(path.join(made, 'small'), 'content');
  await writeFile(path.join(made, 'large'), Buffer.alloc(SIZE, 'abcd'));
  return made;
}

/** What is read of a file, and how many opens and reads of it were made at once. */
async function fetch(files: FileSystem, at: string): Promise<{ bytes: number; opens: number; reads: number }> {
  const [open, read] = [vi.spyOn(fs, 'openSync'), vi.spyOn(fs, 'readSync')];
  const source = await files.read(at, { startBytes: 0 });
  if (!source.ok) throw new Error(source.error);
  const into = new Uint8Array(SIZE + 1);
  const length = await source.value.read(into.subarray(0, source.value.sizeBytes + 1));
  await source.value.close();
  const found = { bytes: length.ok ? length.value : -1, opens: open.mock.calls.length, reads: read.mock.calls.length };
  open.mockRestore();
  read.mockRestore();
  return found;
}

/** How many writes and renames of an upload were made at once. */
async function store(files: FileSystem, at: string, bytes: number): Promise<{ writes: number; renames: number }> {
  const [write, rename] = [vi.spyOn(fs, 'writevSync'), vi.spyOn(fs, 'renameSync')];
  const target = await files.write?.(at, { mode: 'replace' });
  if (target?.ok !== true) throw new Error('not opened');
  expect((await target.value.write([new Uint8Array(bytes)])).ok).toBe(true);
  expect((await target.value.commit()).ok).toBe(true);
  const calls = { writes: write.mock.calls.length, renames: rename.mock.calls.length };
  write.mockRestore();
  rename.mockRestore();
  return calls;
}

describe('in a directory of a local disk', () => {
  test('a small file is opened and read at once, a large one when it was read before', async () => {
    const files = diskFileSystem(await directory());
    await files.stat('/small');
    // The directory and the file.
    expect(await fetch(files, '/small')).toEqual({ bytes: 7, opens: 2, reads: 1 });
    expect(await fetch(files, '/large')).toEqual({ bytes: SIZE, opens: 2, reads: 0 });
    expect(await fetch(files, '/large')).toEqual({ bytes: SIZE, opens: 2, reads: 1 });
  });

  test('64 KiB are stored at once, and one byte more by threads: to rename a large file may wait for the disk', async () => {
    const files = diskFileSystem(await directory());
    await files.stat('/small');
    expect(await store(files, '/new', 65_536)).toEqual({ writes: 1, renames: 1 });
    expect(await store(files, '/new', 65_537)).toEqual({ writes: 0, renames: 0 });
  });

  test('a file of 1 MiB is replaced at once, and a larger one by a thread: its room has to be given back', async () => {
    const root = await directory();
    const files = diskFileSystem(root);
    await files.stat('/small');
    await writeFile(path.join(root, 'old'), new Uint8Array(1_048_576));
    expect((await store(files, '/old', 1)).renames).toBe(1);
    await writeFile(path.join(root, 'old'), new Uint8Array(1_048_577));
    expect((await store(files, '/old', 1)).renames).toBe(0);
  });

  test('that was not looked at, a thread opens it', async () => {
    const files = diskFileSystem(await directory());
    const open = vi.spyOn(fs, 'openSync');
    await files.stat('/sub/x');
    expect(open).not.toHaveBeenCalled();
    await files.stat('/sub/x');
    expect(open).toHaveBeenCalledTimes(1);
  });

  test('a link may lead to another disk: what is behind it is asked for by threads', async () => {
    const root = await directory();
    await symlink('small', path.join(root, 'link'));
    const files = diskFileSystem(root);
    await files.stat('/small');
    expect(await fetch(files, '/link')).toEqual({ bytes: 7, opens: 1, reads: 0 });
  });

  test('threads are asked for a while once two calls were slow', async () => {
    const files = diskFileSystem(await directory());
    await files.stat('/small');
    let nowMs = performance.now();
    const now = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 5));
    await files.stat('/small');
    now.mockImplementation(() => nowMs);
    expect(await fetch(files, '/small')).toEqual({ bytes: 7, opens: 0, reads: 0 });
    nowMs += 10_000;
    expect(await fetch(files, '/small')).toEqual({ bytes: 7, opens: 2, reads: 1 });
  });
});

describe('by threads alone', () => {
  test('goes everything on a disk of another machine', async () => {
    vi.spyOn(fs.promises, 'statfs').mockResolvedValue({ type: 0x6969 } as fs.StatsFs & fs.BigIntStatsFs);
    const files = diskFileSystem(await directory());
    await files.stat('/small');
    expect(await fetch(files, '/small')).toEqual({ bytes: 7, opens: 0, reads: 0 });
    expect(await store(files, '/new', 1)).toEqual({ writes: 0, renames: 0 });
  });

  test('a directory is listed to its end while it holds nothing but an upload under way, or nothing at all', async () => {
    vi.spyOn(fs.promises, 'statfs').mockResolvedValue({ type: 0x6969 } as fs.StatsFs & fs.BigIntStatsFs);
    const files = diskFileSystem(await directory());
    expect(await names(files, '/sub')).toEqual([]);
    const target = await files.write('/sub/new', { mode: 'replace' });
    if (!target.ok) throw new Error('not opened');
    expect(await names(files, '/sub')).toEqual([]);
    expect((await target.value.commit()).ok).toBe(true);
    expect(await names(files, '/sub')).toEqual(['new']);
  });

  test('goes what is in a directory with a mount in it, and not what is in one below', async () => {
    const root = await directory();
    await writeFile(path.join(root, 'sub/small'), 'content');
    const table = Buffer.from(`40 35 0:40 / ${root}/mounted rw - nfs4 host:/x rw\n`);
    vi.spyOn(fs.promises, 'readFile').mockResolvedValue(table);
    const files = diskFileSystem(root);
    for (const at of ['/small', '/sub/small']) await files.stat(at);
    expect(await fetch(files, '/small')).toEqual({ bytes: 7, opens: 0, reads: 0 });
    expect(await fetch(files, '/sub/small')).toEqual({ bytes: 7, opens: 2, reads: 1 });
  });

  test('goes everything where the table of mounts can not be read', async () => {
    const root = await directory();
    vi.spyOn(fs.promises, 'readFile').mockRejectedValue(new Error('EACCES'));
    const files = diskFileSystem(root);
    await files.stat('/small');
    expect(await fetch(files, '/small')).toEqual({ bytes: 7, opens: 0, reads: 0 });
  });
});

test('a descriptor that is closed twice is closed once: its number may be that of another file by then', async () => {
  const root = await directory();
  const calls = new DiskCalls();
  const first = new Descriptor(await calls.open(path.join(root, 'small'), fs.constants.O_RDONLY), calls);
  const { number } = first;
  await first.close();
  const second = new Descriptor(await calls.open(path.join(root, 'small'), fs.constants.O_RDONLY), calls);
  expect(second.number).toBe(number);
  await first.close();
  expect((await calls.fstat(second.number)).size).toBe(7);
  expect(first.number).toBe(-1);
  await second.close();
});
