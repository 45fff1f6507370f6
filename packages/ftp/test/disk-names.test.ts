// Links and names of all kinds on a real disk.

import { lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Entry, FileSystem } from '../src/file-system.ts';
import { diskFileSystem } from '../src/storage/disk-file-system.ts';
import { placesUnder, type SymlinkPolicy } from '../src/storage/disk-place.ts';

async function directory(): Promise<string> {
  const made = await realpath(await mkdtemp(path.join(os.tmpdir(), 'ftp-names-')));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

async function entries(files: FileSystem, at: string, followLinks = false): Promise<Map<string, Entry>> {
  const listed = await files.list(at, { followLinks });
  if (!listed.ok) throw new Error(listed.error);
  const found = new Map<string, Entry>();
  for await (const portion of listed.value) for (const entry of portion) found.set(entry.name, entry);
  return found;
}

describe('links', () => {
  async function linked(): Promise<string> {
    const base = await directory();
    const root = path.join(base, 'root');
    await mkdir(path.join(root, 'dir'), { recursive: true });
    await writeFile(path.join(root, 'file'), 'content');
    await writeFile(path.join(base, 'outside'), 'secret');
    const links = {
      plain: 'file',
      folder: 'dir',
      absolute: path.join(root, 'file'),
      dangling: 'nowhere',
      self: '.',
      out: '../outside',
      'out-absolute': path.join(base, 'outside'),
      'dir/up': '..',
    };
    for (const [name, target] of Object.entries(links)) await symlink(target, path.join(root, name));
    return root;
  }

  test('are listed as links; where they lead is told as it is here, and not at all when it is outside', async () => {
    const found = await entries(diskFileSystem(await linked()), '/');
    const told = [...found.values()].filter(({ type }) => type === 'link').map(({ name, target }) => [name, target]);
    expect(Object.fromEntries(told)).toEqual({
      plain: 'file',
      folder: 'dir',
      absolute: '/file',
      dangling: 'nowhere',
      self: '.',
      out: undefined,
      'out-absolute': undefined,
    });
  });

  test('are followed by a listing that is asked to, as far as they may be', async () => {
    const found = await entries(diskFileSystem(await linked()), '/', true);
    expect(found.get('plain')).toMatchObject({ type: 'file', sizeBytes: 7 });
    expect(found.get('folder')).toMatchObject({ type: 'directory' });
    expect(found.get('dangling')).toMatchObject({ type: 'link' });
    expect(found.get('out')).toMatchObject({ type: 'link' });
  });

  test('are told of, one by one, as what they lead to or as what they are', async () => {
    const files = diskFileSystem(await linked());
    expect(await files.stat('/plain')).toMatchObject({ value: { name: 'plain', type: 'file', sizeBytes: 7 } });
    expect(await files.stat('/plain', { followLinks: false })).toMatchObject({
      value: { type: 'link', target: 'file' },
    });
    expect(await files.stat('/dangling')).toEqual({ ok: false, error: 'not-found' });
    expect(await files.stat('/dangling', { followLinks: false })).toMatchObject({ value: { target: 'nowhere' } });
  });

  test('that dangle may be renamed and removed', async () => {
    const root = await linked();
    const files = diskFileSystem(root);
    expect((await files.rename('/dangling', '/dir/still')).ok).toBe(true);
    expect((await files.removeFile('/dir/still')).ok).toBe(true);
    expect(await readdir(path.join(root, 'dir'))).toEqual(['up']);
  });

  test('back up are a way that ends: a mirror meets each directory once', async () => {
    const files = diskFileSystem(await linked());
    const visited: string[] = [];
    const mirror = async (at: string): Promise<void> => {
      visited.push(at);
      for (const { name, type } of (await entries(files, at)).values())
        if (type === 'directory') await mirror(`${at === '/' ? '' : at}/${name}`);
    };
    await mirror('/');
    expect(visited).toEqual(['/', '/dir']);
  });

  test.each<SymlinkPolicy>(['inside', 'deny'])(
    'put in the way after the check (%s) lead nothing out',
    async (policy) => {
      const base = await directory();
      for (const name of ['root/dir', 'outside']) await mkdir(path.join(base, name), { recursive: true });
      for (const name of ['root/dir/file', 'outside/file']) await writeFile(path.join(base, name), name);
      const root = path.join(base, 'root');
      await placesUnder(root, policy).within('/dir/file', async (spot) => {
        await rename(path.join(root, 'dir'), path.join(root, 'moved'));
        await symlink('../outside', path.join(root, 'dir'));
        await unlink(spot.path());
      });
      expect(await readdir(path.join(base, 'outside'))).toEqual(['file']);
      expect(await readdir(path.join(root, 'moved'))).toEqual([]);
    },
  );
});

describe('names that are no UTF-8', () => {
  const NAME = Buffer.from([0x67, 0x72, 0xfc, 0x6e]);
  const bytes = (root: string, name: Buffer): Buffer => Buffer.concat([Buffer.from(`${root}/`), name]);

  test('are listed, read, written, renamed and removed like any other', async () => {
    const root = await directory();
    writeFileSync(bytes(root, NAME), 'content');
    await writeFile(path.join(root, '\ufffd'), 'this name really is so');
    const files = diskFileSystem(root);
    expect([...(await entries(files, '/')).keys()].sort()).toEqual(['gr\udcfcn', '\ufffd'].sort());
    expect(await files.stat('/gr\udcfcn')).toMatchObject({ value: { name: 'gr\udcfcn', sizeBytes: 7 } });
    const source = await files.read('/gr\udcfcn', { startBytes: 0 });
    expect(source.ok).toBe(true);
    if (source.ok) await source.value.close();
    const target = await files.write('/gr\udcfcn', { mode: 'replace' });
    expect(target.ok && (await target.value.commit())).toEqual({ ok: true, value: undefined });
    expect(lstatSync(bytes(root, NAME)).size).toBe(0);
    expect((await files.setTimes('/gr\udcfcn', { mtimeMs: 1e12 })).ok).toBe(true);
    expect((await files.setMode('/gr\udcfcn', 0o600)).ok).toBe(true);
    expect((await files.rename('/gr\udcfcn', '/\udcff')).ok).toBe(true);
    expect(
      readdirSync(root, { encoding: 'buffer' })
        .map((name) => name.toString('hex'))
        .sort(),
    ).toEqual(['efbfbd', 'ff']);
    expect((await files.removeFile('/\udcff')).ok).toBe(true);
  });

  test('of directories are a way like any other, also behind a link', async () => {
    const root = await directory();
    const files = diskFileSystem(root);
    expect((await files.makeDirectory('/\udce9')).ok).toBe(true);
    await writeFile(Buffer.concat([bytes(root, Buffer.from([0xe9])), Buffer.from('/file')]), 'x');
    await symlink(Buffer.from([0xe9]), path.join(root, 'link'));
    expect((await entries(files, '/')).get('link')).toMatchObject({ type: 'link', target: '\udce9' });
    for (const at of ['/\udce9', '/link']) expect([...(await entries(files, at)).keys()], at).toEqual(['file']);
    expect((await files.stat('/link/file')).ok).toBe(true);
    expect((await files.removeFile('/\udce9/file')).ok).toBe(true);
    expect((await files.removeDirectory('/\udce9')).ok).toBe(true);
  });
});

test('2,000 entries are all told, also of a disk that has to look', async () => {
  const root = await directory();
  for (let at = 0; at < 2_000; at += 1) writeFileSync(path.join(root, `file-${at}`), '');
  expect((await entries(diskFileSystem(root), '/')).size).toBe(2_000);
  let nowMs = 0;
  // Every call seems to take its time: the rest of each portion goes to the pool.
  const slow = { now: performance.now.bind(performance) };
  performance.now = () => (nowMs += 5);
  onTestFinished(() => void (performance.now = slow.now));
  expect((await entries(diskFileSystem(root), '/')).size).toBe(2_000);
});

test('a listing that is not wanted to its end leaves nothing open', async () => {
  const root = await directory();
  for (let at = 0; at < 600; at += 1) writeFileSync(path.join(root, `file-${at}`), '');
  const files = diskFileSystem(root);
  const open = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
  await files.stat('/');
  const before = await open();
  const listed = await files.list('/');
  if (!listed.ok) throw new Error(listed.error);
  for await (const portion of listed.value) {
    expect(portion).toHaveLength(256);
    break;
  }
  // One that is never begun.
  await files.list('/');
  expect(await open()).toBe(before);
});
