import { mkdtemp, mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { diskFileSystem } from '../src/storage/disk-file-system.ts';
import type {
  CompleteFileSystem as FileSystem,
  FileSystem as AnyFileSystem,
  WriteOptions,
} from '../src/file-system.ts';
import { atomicUploads } from '../src/storage/atomic-uploads.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { mount } from '../src/storage/mount.ts';
import { quota } from '../src/storage/quota.ts';
import { describeFileSystem } from '../src/testing/index.ts';
import { openLogin } from '../src/users/login.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const directories: string[] = [];
afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true });
});

type Content = Readonly<Record<string, string>>;

async function diskWith(files: Content, uploads: 'atomic' | 'in-place', links: Content = {}): Promise<FileSystem> {
  const root = await realpath(await mkdtemp(path.join(os.tmpdir(), 'ftp-files-')));
  directories.push(root);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
  // From `/` in terms of the file system.
  for (const [name, target] of Object.entries(links))
    await symlink(target.startsWith('/') ? root + target : target, path.join(root, name));
  return diskFileSystem(root, { uploads });
}

const KINDS = [
  {
    name: 'the memory file system',
    keepsAborted: false,
    create: async (files: Record<string, string>) => memoryFileSystem({ files }),
  },
  {
    name: 'the disk file system',
    keepsAborted: false,
    create: (files: Record<string, string>) => diskWith(files, 'atomic'),
  },
  {
    name: 'the disk file system with uploads in place',
    keepsAborted: true,
    create: (files: Record<string, string>) => diskWith(files, 'in-place'),
  },
];

async function upload(files: FileSystem, at: string, options: WriteOptions, ...chunks: string[]): Promise<void> {
  const target = await files.write(at, options);
  if (!target.ok) throw new Error(target.error);
  for (const chunk of chunks)
    expect(await target.value.write([bytesOf(chunk), bytesOf('')])).toEqual({ ok: true, value: undefined });
  expect(await target.value.commit()).toEqual({ ok: true, value: undefined });
}

async function content(files: FileSystem, at: string, startBytes = 0): Promise<string> {
  const source = await files.read(at, { startBytes });
  if (!source.ok) return source.error;
  const into = new Uint8Array(64);
  const read = await source.value.read(into);
  await source.value.close();
  return read.ok ? new TextDecoder().decode(into.subarray(0, read.value)) : read.error;
}

async function names(files: FileSystem, at: string): Promise<string[]> {
  const entries = await files.list(at);
  if (!entries.ok) return [entries.error];
  const found: string[] = [];
  for await (const portion of entries.value)
    for (const entry of portion) found.push(entry.type === 'directory' ? `${entry.name}/` : entry.name);
  return found.sort();
}

describe.each(KINDS)('$name', ({ create, keepsAborted }) => {
  const start = () => create({ '/a.txt': 'hello', '/dir/b': 'b' });
  const problem = (error: string) => ({ ok: false, error });

  test('lists, tells and reads what is there', async () => {
    const files = await start();
    expect(await names(files, '/')).toEqual(['a.txt', 'dir/']);
    expect(await files.stat('/a.txt')).toMatchObject({
      ok: true,
      value: { name: 'a.txt', type: 'file', sizeBytes: 5 },
    });
    expect(await files.stat('/')).toMatchObject({ ok: true, value: { type: 'directory' } });
    expect(await content(files, '/a.txt')).toBe('hello');
    expect(await content(files, '/a.txt', 3)).toBe('lo');
    expect(await content(files, '/a.txt', 5)).toBe('');
  });

  test('says in its own few words why not', async () => {
    const files = await start();
    expect(await content(files, '/a.txt', 6)).toBe('bad-start');
    expect(await content(files, '/none')).toBe('not-found');
    expect(await content(files, '/dir')).toBe('is-directory');
    expect(await content(files, '/a.txt/x')).toBe('not-found');
    expect(await names(files, '/a.txt')).toEqual(['not-directory']);
    expect(await names(files, '/none')).toEqual(['not-found']);
    expect(await files.stat('/none')).toEqual(problem('not-found'));
    expect(await files.removeFile('/none')).toEqual(problem('not-found'));
    expect(await files.removeFile('/dir')).toEqual(problem('is-directory'));
    expect(await files.removeDirectory('/dir')).toEqual(problem('not-empty'));
    expect(await files.removeDirectory('/a.txt')).toEqual(problem('not-directory'));
    expect(await files.makeDirectory('/dir')).toEqual(problem('exists'));
    expect(await files.makeDirectory('/x/y')).toEqual(problem('not-found'));
    expect(await files.write('/dir', { mode: 'replace' })).toEqual(problem('is-directory'));
    expect(await files.write('/none/x', { mode: 'replace' })).toEqual(problem('not-found'));
    expect(await files.write('/a.txt', { mode: 'create' })).toEqual(problem('exists'));
    expect(await files.write('/a.txt', { mode: 'replace', startBytes: 6 })).toEqual(problem('bad-start'));
    expect(await files.rename('/none', '/x')).toEqual(problem('not-found'));
    expect(await files.rename('/a.txt', '/dir')).toEqual(problem('exists'));
    expect((await files.setMode('/none', 0o600)).ok).toBe(false);
    expect((await files.setTimes('/none', { mtimeMs: 0 })).ok).toBe(false);
  });

  test('the root is not removed, renamed or written', async () => {
    const files = await start();
    for (const result of [
      await files.removeDirectory('/'),
      await files.removeFile('/'),
      await files.rename('/', '/x'),
      await files.rename('/dir', '/'),
    ])
      expect(result.ok).toBe(false);
    expect((await files.write('/', { mode: 'replace' })).ok).toBe(false);
  });

  test('an upload makes, replaces, continues and extends a file', async () => {
    const files = await start();
    await upload(files, '/new', { mode: 'replace' }, 'one', 'two');
    expect(await content(files, '/new')).toBe('onetwo');
    await upload(files, '/new', { mode: 'replace' }, 'x');
    expect(await content(files, '/new')).toBe('x');
    await upload(files, '/a.txt', { mode: 'replace', startBytes: 2 }, 'LP');
    expect(await content(files, '/a.txt')).toBe('heLP');
    await upload(files, '/a.txt', { mode: 'append' }, '!');
    expect(await content(files, '/a.txt')).toBe('heLP!');
    await upload(files, '/made', { mode: 'append' }, 'by append');
    expect(await content(files, '/made')).toBe('by append');
    await upload(files, '/unique', { mode: 'create' });
    expect(await content(files, '/unique')).toBe('');
  });

  test('an upload that is aborted leaves what was there before, unless it grows in place', async () => {
    const files = await start();
    for (const at of ['/a.txt', '/new']) {
      const target = await files.write(at, { mode: 'replace' });
      if (!target.ok) throw new Error(target.error);
      await target.value.write([bytesOf('half')]);
      expect(await names(files, '/')).toEqual(
        at === '/new' && keepsAborted ? ['a.txt', 'dir/', 'new'] : ['a.txt', 'dir/'],
      );
      await target.value.abort();
    }
    expect(await content(files, '/a.txt')).toBe(keepsAborted ? 'half' : 'hello');
    expect(await content(files, '/new')).toBe(keepsAborted ? 'half' : 'not-found');
  });

  test('an aborted upload under a unique name leaves nothing', async () => {
    const files = await start();
    const target = await files.write('/unique', { mode: 'create' });
    if (!target.ok) throw new Error(target.error);
    await target.value.write([bytesOf('half')]);
    await target.value.abort();
    expect(await names(files, '/')).toEqual(['a.txt', 'dir/']);
  });

  test('files and directories are made, renamed, changed and removed', async () => {
    const files = await start();
    expect((await files.makeDirectory('/d2')).ok).toBe(true);
    expect((await files.rename('/a.txt', '/d2/c')).ok).toBe(true);
    expect((await files.rename('/dir/b', '/d2/c')).ok).toBe(true);
    expect(await content(files, '/d2/c')).toBe('b');
    expect((await files.setMode('/d2/c', 0o640)).ok).toBe(true);
    expect((await files.setTimes('/d2/c', { mtimeMs: 1_000_000_000_000 })).ok).toBe(true);
    expect(await files.stat('/d2/c')).toMatchObject({ value: { mode: 0o640, mtimeMs: 1_000_000_000_000 } });
    expect((await files.removeDirectory('/dir')).ok).toBe(true);
    expect((await files.rename('/d2', '/d3')).ok).toBe(true);
    expect((await files.removeFile('/d3/c')).ok).toBe(true);
    expect((await files.removeDirectory('/d3')).ok).toBe(true);
    expect(await names(files, '/')).toEqual([]);
  });
});

describe('the memory file system', () => {
  test('loses nothing of two uploads that add to one file at the same time', async () => {
    const files = memoryFileSystem({ files: { '/log': 'old ' } });
    const targets = await Promise.all([1, 2].map(() => files.write('/log', { mode: 'append' })));
    for (const [index, target] of targets.entries()) {
      expect(target.ok && (await target.value.write([Buffer.from(`${index} `)]))).toMatchObject({ ok: true });
      expect(target.ok && (await target.value.commit())).toMatchObject({ ok: true });
    }
    expect(await files.stat('/log')).toMatchObject({ value: { sizeBytes: 'old 0 1 '.length } });
  });

  test('takes as many bytes as it may, and not one more', async () => {
    const files = memoryFileSystem({ maxBytes: 4, files: { '/a': 'a' } });
    await upload(files, '/b', { mode: 'replace' }, 'bcd');
    const target = await files.write('/c', { mode: 'replace' });
    expect(target.ok && (await target.value.write([bytesOf('x')]))).toEqual({ ok: false, error: 'no-space' });
    if (target.ok) await target.value.abort();
    await files.removeFile('/b');
    await upload(files, '/c', { mode: 'replace' }, 'xyz');
  });

  test('takes as many entries as it may, and not one more', async () => {
    const files = memoryFileSystem({ maxEntries: 2, files: { '/a': 'a' } });
    expect((await files.makeDirectory('/b')).ok).toBe(true);
    expect(await files.makeDirectory('/c')).toEqual({ ok: false, error: 'no-space' });
  });
});

interface Variant {
  readonly keepsAborted?: boolean;
  create(files: Content, links?: Content): Promise<AnyFileSystem>;
}
const VARIANTS: Readonly<Record<string, Variant>> = {
  memory: { create: async (files, links = {}) => memoryFileSystem({ files, links }) },
  'the disk': { create: (files, links) => diskWith(files, 'atomic', links) },
  'the disk, in place': { keepsAborted: true, create: (files, links) => diskWith(files, 'in-place', links) },
  'a quota': {
    create: async (files, links = {}) => quota(memoryFileSystem({ files, links }), { maxBytes: 1e6, maxEntries: 100 }),
  },
  'atomic uploads': { create: async (files, links) => atomicUploads(await diskWith(files, 'in-place', links)) },
  'a mount': { create: async (files, links = {}) => mount({ '/': memoryFileSystem({ files, links }) }) },
  'a user with all rights': {
    create: async (files, links = {}) =>
      openLogin(
        { rights: 'full' },
        { user: 'ann', remote: { family: 'unix', path: '/x' }, secure: false },
        memoryFileSystem({ files, links }),
      ).fileSystem,
  },
};
for (const [name, variant] of Object.entries(VARIANTS))
  describeFileSystem(
    { ...variant, name, createLinked: (files, links) => variant.create(files, links) },
    { describe, test },
  );
describeFileSystem(
  {
    name: 'what only reads',
    create: async (files) => {
      const inner: AnyFileSystem = memoryFileSystem({ files });
      return {
        stat: (at, options) => inner.stat(at, options),
        list: (at, options) => inner.list(at, options),
        read: (at, options) => inner.read(at, options),
      };
    },
  },
  { describe, test },
);
