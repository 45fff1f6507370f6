import { execFileSync } from 'node:child_process';
import {
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diskFileSystem } from '../src/storage/disk-file-system.ts';
import type { SymlinkPolicy } from '../src/storage/disk-place.ts';
import { expectedProblem } from '../src/storage/errno-map.ts';
import type { CompleteFileSystem as FileSystem } from '../src/file-system.ts';

// secret/ and root-sibling/ lie outside; root/ is served.
let base = '';
let root = '';
let socket: net.Server;

beforeAll(async () => {
  base = await realpath(await mkdtemp(path.join(os.tmpdir(), 'ftp-escape-')));
  root = path.join(base, 'root');
  for (const directory of ['root/dir', 'secret', 'root-sibling'])
    await mkdir(path.join(base, directory), { recursive: true });
  for (const file of ['root/file', 'root/dir/inner', 'secret/key', 'root-sibling/key'])
    await writeFile(path.join(base, file), file);
  const links = {
    'root/in-file': 'dir/inner',
    'root/in-dir': 'dir',
    'root/abs-in': path.join(root, 'file'),
    'root/out-file': '../secret/key',
    'root/out-dir': '../secret',
    'root/out-sibling': '../root-sibling',
    'root/out-abs': path.join(base, 'secret', 'key'),
    'root/out-chain': 'dir/hop',
    'root/dir/hop': '../../secret',
    'root/etc': '/etc',
    'root/dangling': 'nowhere',
    'root/loop': 'loop',
    'root/out-new': '../secret/new',
  };
  for (const [name, target] of Object.entries(links)) await symlink(target, path.join(base, name));
  execFileSync('mkfifo', [path.join(root, 'fifo')]);
  socket = net.createServer();
  await new Promise<void>((resolve) => socket.listen(path.join(root, 'socket'), resolve));
});

afterAll(async () => {
  await new Promise((resolve) => socket.close(resolve));
  await rm(base, { recursive: true });
});

const OUTSIDE = [
  '/out-file',
  '/out-dir/key',
  '/out-sibling/key',
  '/out-abs',
  '/out-chain/key',
  '/dir/hop/key',
  '/etc/passwd',
  '/dangling',
  '/loop',
];
const INSIDE = ['/in-file', '/in-dir/inner', '/abs-in'];

async function read(files: FileSystem, at: string): Promise<string> {
  const source = await files.read(at, { startBytes: 0 });
  if (!source.ok) return source.error;
  const into = new Uint8Array(100);
  const length = await source.value.read(into);
  await source.value.close();
  return length.ok ? new TextDecoder().decode(into.subarray(0, length.value)) : length.error;
}

async function namesIn(files: FileSystem, at: string): Promise<string[]> {
  const entries = await files.list(at);
  if (!entries.ok) return [entries.error];
  const names: string[] = [];
  for await (const portion of entries.value) names.push(...portion.map(({ name }) => name));
  return names.sort();
}

describe.each<{ policy: SymlinkPolicy }>([{ policy: 'deny' }, { policy: 'inside' }])(
  'with symlinks: $policy nothing outside the root',
  ({ policy }) => {
    const files = (): FileSystem => diskFileSystem(root, { symlinks: policy });

    test.each(OUTSIDE)('is read or told of through %s', async (at) => {
      expect(await read(files(), at)).toBe('not-found');
      expect(await files().stat(at)).toEqual({ ok: false, error: 'not-found' });
    });

    test('keeps what is inside from being read', async () => {
      expect(await read(files(), '/file')).toBe('root/file');
      expect(await read(files(), '/dir/inner')).toBe('root/dir/inner');
    });

    test('is listed', async () => {
      for (const at of ['/out-dir', '/out-sibling', '/etc', '/dir/hop'])
        expect(await namesIn(files(), at), at).toEqual(['not-found']);
      // A link itself is inside, wherever it leads: it may be removed. What it leads to is not told.
      const links = (await readdir(root)).filter((name) => !['dir', 'file', 'fifo', 'socket'].includes(name));
      expect(await namesIn(files(), '/')).toEqual(['dir', 'file', ...(policy === 'inside' ? links : [])].sort());
    });

    test('is written, made, removed, renamed or changed', async () => {
      for (const at of ['/out-dir/new', '/out-sibling/new', '/dir/hop/new', '/etc/wellknown-new']) {
        expect((await files().write(at, { mode: 'replace' })).ok, at).toBe(false);
        expect((await files().makeDirectory(at)).ok, at).toBe(false);
        expect((await files().rename('/file', at)).ok, at).toBe(false);
      }
      for (const at of ['/out-file', '/out-abs', '/out-new', '/dangling', '/out-dir/key']) {
        for (const mode of ['replace', 'append', 'create'] as const)
          expect((await files().write(at, { mode })).ok, `${mode} ${at}`).toBe(false);
        expect((await files().setMode(at, 0o777)).ok, at).toBe(false);
        expect((await files().setTimes(at, { mtimeMs: 0 })).ok, at).toBe(false);
      }
      expect((await files().removeFile('/out-dir/key')).ok).toBe(false);
      expect((await files().rename('/out-dir/key', '/mine')).ok).toBe(false);
      expect(await readFile(path.join(base, 'secret/key'), 'utf8')).toBe('secret/key');
      await expect(lstat(path.join(base, 'secret/new'))).rejects.toThrow('ENOENT');
    });

    test.each(['/fifo', '/socket'])('%s is no file, and no call waits for it', async (at) => {
      expect(await read(files(), at)).toBe('not-found');
      expect((await files().write(at, { mode: 'append' })).ok).toBe(false);
      expect((await files().write(at, { mode: 'replace' })).ok).toBe(false);
    });

    test.each(INSIDE)(
      `a link that stays inside, %s, is ${policy === 'deny' ? 'not there' : 'followed for reading'}`,
      async (at) => {
        expect(await read(files(), at)).toMatch(policy === 'deny' ? /^not-found$/ : /^root\/(file|dir\/inner)$/);
      },
    );
  },
);

test('with symlinks: follow, links lead where they lead', async () => {
  const files = diskFileSystem(root, { symlinks: 'follow' });
  expect(await read(files, '/out-file')).toBe('secret/key');
  expect(await namesIn(files, '/out-dir')).toEqual(['key']);
  expect(await read(files, '/loop')).toBe('not-found');
});

test('removing a link removes the link, not what it leads to', async () => {
  await symlink('../secret/key', path.join(root, 'doomed'));
  expect(await diskFileSystem(root).removeFile('/doomed')).toEqual({ ok: true, value: undefined });
  expect(await readFile(path.join(base, 'secret/key'), 'utf8')).toBe('secret/key');
});

test('renaming over a link replaces the link', async () => {
  await symlink('../secret/key', path.join(root, 'covered'));
  await writeFile(path.join(root, 'cover'), 'mine');
  expect((await diskFileSystem(root).rename('/cover', '/covered')).ok).toBe(true);
  expect(await readFile(path.join(base, 'secret/key'), 'utf8')).toBe('secret/key');
  expect(await readFile(path.join(root, 'covered'), 'utf8')).toBe('mine');
  await rm(path.join(root, 'covered'));
});

test('an atomic upload keeps the mode of the file it replaces and breaks a hard link instead of writing through it', async () => {
  await writeFile(path.join(root, 'linked'), 'old', { mode: 0o600 });
  await link(path.join(root, 'linked'), path.join(base, 'secret', 'linked'));
  const target = await diskFileSystem(root).write('/linked', { mode: 'replace' });
  if (!target.ok) throw new Error(target.error);
  await target.value.write([new TextEncoder().encode('new')]);
  expect((await target.value.commit()).ok).toBe(true);
  expect(await readFile(path.join(base, 'secret', 'linked'), 'utf8')).toBe('old');
  expect((await lstat(path.join(root, 'linked'))).mode & 0o777).toBe(0o600);
  await rm(path.join(root, 'linked'));
});

test('the name of an unfinished upload can neither be listed nor written', async () => {
  const name = '.wellknown-0123456789abcdef.part';
  await writeFile(path.join(root, name), 'half');
  const files = diskFileSystem(root);
  expect(await namesIn(files, '/')).not.toContain(name);
  expect((await files.write(`/${name}`, { mode: 'replace' })).ok).toBe(false);
  expect((await files.rename('/file', `/${name}`)).ok).toBe(false);
  await rm(path.join(root, name));
});

test('a root that is itself behind a link is served as what it leads to', async () => {
  const alias = path.join(base, 'alias');
  await symlink('root', alias);
  expect(await readlink(alias)).toBe('root');
  expect(await read(diskFileSystem(alias, { symlinks: 'deny' }), '/file')).toBe('root/file');
});

test('a root that does not exist yet is asked for again', async () => {
  const late = path.join(base, 'late');
  const files = diskFileSystem(late);
  expect((await files.stat('/')).ok).toBe(false);
  await mkdir(late);
  expect((await files.stat('/')).ok).toBe(true);
});

test('an unknown error is not expected, and no property of Object is an error code', () => {
  expect(expectedProblem(new Error('x'))).toBeUndefined();
  expect(expectedProblem(Object.assign(new Error('x'), { code: 'toString' }))).toBeUndefined();
  expect(expectedProblem(Object.assign(new Error('x'), { code: 'ENOSPC' }))).toBe('no-space');
  expect(expectedProblem('x')).toBeUndefined();
});
