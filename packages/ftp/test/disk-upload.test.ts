// Uploads that never look finished when they are not, on a real disk: with other users, small disks and killed processes.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { programArguments } from '../../../test/programs.ts';
import { pool } from '../src/storage/disk-calls.ts';
import { diskFileSystem } from '../src/storage/disk-file-system.ts';
import { isPartName, newPartName, sweepUploads } from '../src/storage/disk-parts.ts';
import { quota } from '../src/storage/quota.ts';
import type { FileSystem, WriteTarget } from '../src/file-system.ts';
import type { Script } from './fixtures/disk-program.ts';

const PROGRAM = 'packages/ftp/test/fixtures/disk-program.ts';
const OTHER_USER = 65_534;
const done = { ok: true };
const refused = (error: string) => ({ ok: false, error });

async function directory(): Promise<string> {
  const made = await realpath(await mkdtemp(path.join(os.tmpdir(), 'ftp-upload-')));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

const results = (stdout: string): unknown[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);

/** Runs the script to its end. */
function run(script: Script, ...before: string[]): unknown[] {
  const [program, ...words]: string[] = [
    ...before,
    process.execPath,
    ...programArguments(PROGRAM),
    JSON.stringify(script),
  ];
  const { stdout, stderr, status } = spawnSync(program ?? '', words, { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return results(stdout);
}

/** Starts the script and waits until it holds an upload. */
async function hold(script: Script): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...programArguments(PROGRAM), JSON.stringify(script)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let heard = '';
  for await (const chunk of child.stdout) {
    heard += String(chunk);
    if (heard.includes('"holding"')) return child;
  }
  throw new Error(`the program has ended: ${heard}`);
}

const kill = (child: ChildProcess): Promise<unknown> => {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  return gone;
};

const modeOf = async (file: string): Promise<string> => ((await lstat(file)).mode & 0o7777).toString(8);

test.each([
  ['a new name', 'create', 'in-place'],
  ['a new name', 'create', 'atomic'],
  ['an old file', 'replace', 'atomic'],
] as const)('a commit of %s that fails (%s, %s) leaves nothing new, and no descriptor', async (_, mode, uploads) => {
  const root = await directory();
  if (mode === 'replace') await writeFile(path.join(root, 'file'), 'old');
  const before = await readdir(root);
  const open = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
  const opened = await open();
  vi.spyOn(pool, 'fsync').mockRejectedValue(Object.assign(new Error('no room'), { code: 'ENOSPC' }));
  const files = diskFileSystem(root, { uploads, sync: true });
  const target = await files.write('/file', { mode });
  if (!target.ok) throw new Error(target.error);
  await target.value.write([Buffer.from('new')]);
  expect(await target.value.commit()).toEqual(refused('no-space'));
  expect(await readdir(root)).toEqual(before);
  expect(await open()).toBe(opened);
});

test('what replaces a private file is private on its way too', async () => {
  const root = await directory();
  await writeFile(path.join(root, 'key'), 'old');
  await chmod(path.join(root, 'key'), 0o600);
  const target = await diskFileSystem(root).write('/key', { mode: 'replace' });
  if (!target.ok) throw new Error(target.error);
  const part = (await readdir(root)).find((name) => name !== 'key') ?? '';
  expect(await modeOf(path.join(root, part))).toBe('600');
  await target.value.abort();
});

describe('what a killed server leaves', () => {
  const HOLD = { store: '/deep/file', bytes: 10, then: 'hold' } as const;

  test('is swept at the next start: exactly its parts', async () => {
    const root = await directory();
    await mkdir(path.join(root, 'deep'));
    const kept = ['.wellknown-0123456789abcdef.part', '.wellknown-x.part', 'file.part', '.hidden'];
    for (const name of kept) await writeFile(path.join(root, 'deep', name), '');
    const living = await hold({ root, steps: [HOLD] });
    const dead = await hold({ root, steps: [HOLD] });
    await kill(dead);
    expect((await readdir(path.join(root, 'deep'))).filter(isPartName)).toHaveLength(3);
    expect(await sweepUploads(root)).toBe(1);
    const left = await readdir(path.join(root, 'deep'));
    expect(left).toEqual(expect.arrayContaining(kept));
    expect(left.filter(isPartName)).toHaveLength(2);
    await kill(living);
    expect(await sweepUploads(root)).toBe(1);
    expect((await readdir(path.join(root, 'deep'))).sort()).toEqual(kept.sort());
  });

  test('goes when its directory is listed', async () => {
    const root = await directory();
    await mkdir(path.join(root, 'deep'));
    await kill(await hold({ root, steps: [HOLD] }));
    const entries = await diskFileSystem(root).list('/deep');
    if (!entries.ok) throw new Error(entries.error);
    for await (const portion of entries.value) expect(portion).toEqual([]);
    expect(await readdir(path.join(root, 'deep'))).toEqual([]);
  });

  test('keeps no directory from being removed', async () => {
    const root = await directory();
    await mkdir(path.join(root, 'deep'));
    await kill(await hold({ root, steps: [HOLD] }));
    expect(await diskFileSystem(root).removeDirectory('/deep')).toMatchObject(done);
  });

  test('of an upload that still runs keeps its directory, and says why', async () => {
    const root = await directory();
    await mkdir(path.join(root, 'deep'));
    const child = await hold({ root, steps: [HOLD] });
    expect(await diskFileSystem(root).removeDirectory('/deep')).toEqual(refused('busy'));
    await kill(child);
  });

  test('on another system is swept once nothing was written to it for an hour', async () => {
    const root = await directory();
    const foreign = (age: string): string => `.wellknown-1-1-00000000-${age.padEnd(16, '0')}.part`;
    await writeFile(path.join(root, foreign('a')), '');
    await writeFile(path.join(root, foreign('b')), '');
    const before = new Date(Date.now() - 3_600_000 - 60_000);
    await utimes(path.join(root, foreign('a')), before, before);
    expect(await sweepUploads(root)).toBe(1);
    expect(await readdir(root)).toEqual([foreign('b')]);
  });

  test('whose process number another process has now is swept', async () => {
    const root = await directory();
    const [, pid = '', , system = ''] = newPartName().split('-');
    await writeFile(path.join(root, `.wellknown-${pid}-1-${system}-0123456789abcdef.part`), '');
    await writeFile(path.join(root, newPartName()), '');
    expect(await sweepUploads(root)).toBe(1);
  });
});

describe.skipIf(process.getuid?.() !== 0)(
  'where the directory can not be written (needs root, to become another user)',
  () => {
    async function tree(): Promise<string> {
      const root = await directory();
      await chmod(root, 0o755);
      await writeFile(path.join(root, 'theirs'), 'old', { mode: 0o644 });
      await writeFile(path.join(root, 'mine'), 'old');
      await chown(path.join(root, 'mine'), OTHER_USER, OTHER_USER);
      return root;
    }

    test('a file that can be is written in place, and no other', async () => {
      const root = await tree();
      const steps = ['mine', 'theirs', 'new'].map((name) => ({ store: `/${name}`, bytes: 3 }));
      expect(run({ root, uid: OTHER_USER, steps })).toEqual([done, refused('denied'), refused('denied')]);
      expect((await readFile(path.join(root, 'mine'))).equals(Buffer.alloc(3))).toBe(true);
      expect(await readFile(path.join(root, 'theirs'), 'utf8')).toBe('old');
      expect((await readdir(root)).sort()).toEqual(['mine', 'theirs']);
    });

    test('or only owners rename (sticky), the file of another is written in place', async () => {
      const root = await directory();
      await chmod(root, 0o1777);
      await writeFile(path.join(root, 'shared'), 'old');
      await chmod(path.join(root, 'shared'), 0o666);
      expect(run({ root, uid: OTHER_USER, steps: [{ store: '/shared', bytes: 5 }] })).toEqual([done]);
      expect((await lstat(path.join(root, 'shared'))).size).toBe(5);
    });
  },
);

test.skipIf(process.getuid?.() !== 0)(
  'a directory is entered only by who may (needs root, to become another user)',
  async () => {
    const root = await directory();
    await chmod(root, 0o755);
    for (const [name, mode] of [
      ['open', 0o711],
      ['shut', 0o744],
    ] as const) {
      await mkdir(path.join(root, name));
      await chmod(path.join(root, name), mode);
    }
    await symlink('shut', path.join(root, 'link'));
    await writeFile(path.join(root, 'file'), '');
    const steps = ['/', '/open', '/shut', '/link', '/file'].map((enter) => ({ enter }));
    const entered = { ok: true, value: 'directory' };
    const file = { ok: true, value: 'file' };
    expect(run({ root, uid: OTHER_USER, steps })).toEqual([
      entered,
      entered,
      refused('denied'),
      refused('denied'),
      file,
    ]);
  },
);

describe('a quota', () => {
  /** One whose count is old whenever it is asked. */
  const limited = (root: string, uploads: 'atomic' | 'in-place', maxBytes: number): FileSystem => {
    let nowMs = 0;
    return quota(diskFileSystem(root, { uploads }), { maxBytes, maxEntries: 2, nowMs: () => (nowMs += 60_000) });
  };

  async function open(files: FileSystem, mode: 'replace' | 'append'): Promise<WriteTarget> {
    const target = await files.write?.('/file', { mode });
    if (target?.ok !== true) throw new Error(target?.error);
    return target.value;
  }

  test.each(['atomic', 'in-place'] as const)('counts the bytes of an upload once (%s)', async (uploads) => {
    const root = await directory();
    await writeFile(path.join(root, 'file'), '12345');
    const files = limited(root, uploads, 10);
    // The old file stays until the new one is whole, where that grows beside it.
    for (const mode of ['replace', 'append'] as const) {
      const target = await open(files, mode);
      for (let count = 0; count < 5; count += 1) expect(await target.write([new Uint8Array(1)])).toMatchObject(done);
      expect(await target.commit()).toMatchObject(done);
    }
    expect((await lstat(path.join(root, 'file'))).size).toBe(10);
    expect(await files.space?.('/')).toMatchObject({ value: { freeBytes: 0 } });
    const more = await open(files, 'append');
    expect(await more.write([new Uint8Array(1)])).toEqual(refused('over-quota'));
    await more.abort();
  });

  test('sees what other processes store, from its first byte', async () => {
    const root = await directory();
    const files = limited(root, 'atomic', 10);
    const target = await open(files, 'replace');
    expect(await target.write([new Uint8Array(4)])).toMatchObject(done);
    await hold({ root, steps: [{ store: '/theirs', bytes: 5, then: 'hold' }] });
    expect(await target.write([new Uint8Array(2)])).toEqual(refused('over-quota'));
    expect(await target.write([new Uint8Array(1)])).toMatchObject(done);
    await target.abort();
    expect(await files.space?.('/')).toMatchObject({ value: { freeBytes: 5 } });
  });
});

describe('modes', () => {
  test('of files and directories follow the umask of the process alike', async () => {
    const root = await directory();
    const steps = [{ store: '/file', bytes: 1 }, { mkdir: '/dir' }];
    run({ root, umask: 0o002, steps });
    expect([await modeOf(path.join(root, 'file')), await modeOf(path.join(root, 'dir'))]).toEqual(['664', '775']);
  });

  test('follow the option, and the umask of a session before it', async () => {
    const root = await directory();
    run({
      root,
      umask: 0o077,
      options: { umask: 0o007 },
      steps: [
        { store: '/file', bytes: 1 },
        { mkdir: '/dir' },
        { store: '/own', bytes: 1, umask: 0 },
        { mkdir: '/odir', umask: 0 },
      ],
    });
    const modes = await Promise.all(['file', 'dir', 'own', 'odir'].map((name) => modeOf(path.join(root, name))));
    expect(modes).toEqual(['660', '770', '666', '777']);
  });

  test('may be given, and uploads in place get the same', async () => {
    const root = await directory();
    const steps = [{ store: '/file', bytes: 1 }, { mkdir: '/dir' }];
    run({ root, options: { fileMode: 0o640, directoryMode: 0o750, umask: 0, uploads: 'in-place' }, steps });
    expect([await modeOf(path.join(root, 'file')), await modeOf(path.join(root, 'dir'))]).toEqual(['640', '750']);
  });

  test('of a directory keep what it hands down', async () => {
    const root = await directory();
    await chmod(root, 0o2775);
    const files = diskFileSystem(root, { umask: 0o027 });
    expect((await files.makeDirectory('/dir')).ok).toBe(true);
    expect(await modeOf(path.join(root, 'dir'))).toBe('2750');
    expect((await files.setMode('/dir', 0o700)).ok).toBe(true);
    expect(await modeOf(path.join(root, 'dir'))).toBe('2700');
  });
});

// A mount namespace of its own, with a disk of 1 MiB at root/mnt that goes with the process.
const MOUNTED = ['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs -o size=1m none "$0" && shift 0 && exec "$@"'];
const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0;

describe.skipIf(!canMount)('on a small disk of its own (needs unshare, to mount one)', () => {
  /** Runs the script with the small disk at root/mnt; what it leaves there is listed at the end. */
  function onSmallDisk(script: Script): unknown[] {
    return run(script, ...MOUNTED, path.join(script.root, 'mnt'));
  }

  test('an upload that does not fit hears so and leaves nothing', async () => {
    const root = await directory();
    await mkdir(path.join(root, 'mnt'));
    const steps = [
      { store: '/mnt/large', bytes: 2_000_000 },
      { store: '/mnt/small', bytes: 900_000 },
    ];
    expect(onSmallDisk({ root, steps })).toEqual([refused('no-space'), done]);
  });

  test('a rename to another disk copies files, directories and links, and leaves nothing behind', async () => {
    const root = await directory();
    await mkdir(path.join(root, 'mnt'));
    await mkdir(path.join(root, 'tree/sub'), { recursive: true });
    await writeFile(path.join(root, 'tree/sub/file'), 'content', { mode: 0o600 });
    await utimes(path.join(root, 'tree/sub/file'), new Date(-86_400_000), new Date(-86_400_000));
    await symlink('file', path.join(root, 'tree/sub/link'));
    await writeFile(path.join(root, 'one'), 'x');
    await utimes(path.join(root, 'one'), 1_000_000_000, 1_000_000_000);
    // There and back again: what the other disk held is gone with the process.
    const steps = [
      { rename: '/one', to: '/mnt/one' },
      { rename: '/tree', to: '/mnt/tree' },
      { rename: '/mnt/tree', to: '/back' },
      { rename: '/mnt/one', to: '/one-back' },
    ];
    expect(onSmallDisk({ root, steps })).toEqual([done, done, done, done]);
    expect((await readdir(root)).sort()).toEqual(['back', 'mnt', 'one-back']);
    expect(await readFile(path.join(root, 'back/sub/link'), 'utf8')).toBe('content');
    expect(await modeOf(path.join(root, 'back/sub/file'))).toBe('600');
    expect((await lstat(path.join(root, 'one-back'))).mtimeMs).toBe(1e12);
    expect((await lstat(path.join(root, 'back/sub/file'))).mtimeMs).toBe(-86_400_000);
  });

  test('a rename of what does not fit leaves everything as it was', async () => {
    const root = await directory();
    await mkdir(path.join(root, 'mnt'));
    await writeFile(path.join(root, 'large'), Buffer.alloc(2_000_000));
    const steps = [
      { rename: '/large', to: '/mnt/large' },
      { store: '/mnt/fits', bytes: 900_000 },
    ];
    expect(onSmallDisk({ root, steps })).toEqual([refused('no-space'), done]);
    expect((await lstat(path.join(root, 'large'))).size).toBe(2_000_000);
  });
});

test('an upload that is said to be larger than the disk is refused before it begins', async () => {
  const root = await directory();
  const files = diskFileSystem(root);
  const write = (expectedBytes: number) => files.write('/file', { mode: 'replace', expectedBytes });
  expect(await write(Number.MAX_SAFE_INTEGER)).toEqual(refused('no-space'));
  const target = await write(1);
  if (!target.ok) throw new Error(target.error);
  await target.value.abort();
  expect(await readdir(root)).toEqual([]);
});

test.each([
  [65_536, 0],
  [65_537, 1],
])('the room of the disk is asked for where more than a small file is announced (%i bytes)', async (bytes, times) => {
  const root = await directory();
  const files = diskFileSystem(root);
  await files.stat('/');
  const asked = vi.spyOn(fs.promises, 'statfs');
  const target = await files.write('/file', { mode: 'replace', expectedBytes: bytes });
  if (!target.ok) throw new Error(target.error);
  await target.value.abort();
  expect(asked).toHaveBeenCalledTimes(times);
});

test('of two uploads that must be new, one gets the name', async () => {
  const root = await directory();
  const files = diskFileSystem(root);
  const targets = [await files.write('/same', { mode: 'create' }), await files.write('/same', { mode: 'create' })];
  const ends = [];
  for (const target of targets) ends.push(target.ok && (await target.value.commit()));
  expect(ends).toEqual([{ ok: true, value: undefined }, refused('exists')]);
  expect(await readdir(root)).toEqual(['same']);
});

test('two that add to one file at the same time lose nothing of each other', async () => {
  const root = await directory();
  await writeFile(path.join(root, 'log'), 'old ');
  const files = diskFileSystem(root);
  const targets = await Promise.all([1, 2].map(() => files.write('/log', { mode: 'append' })));
  for (const text of ['one ', 'two '])
    for (const target of targets)
      expect(target.ok && (await target.value.write([Buffer.from(text)]))).toMatchObject(done);
  for (const target of targets) expect(target.ok && (await target.value.commit())).toMatchObject(done);
  expect(await readFile(path.join(root, 'log'), 'utf8')).toBe('old one one two two ');
});
