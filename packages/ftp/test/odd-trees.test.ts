// Mirrors of real clients over trees with links in them: they end, and bring each file once.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { lacks } from '@wellknown/core/testing';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createFtpServer, diskFileSystem } from '../src/index.ts';

const run = promisify(execFile);
let root = '';

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'ftp-odd-'));
  await mkdir(path.join(root, 'dir/deep'), { recursive: true });
  for (const name of ['plain.txt', 'a b.txt', 'grün 🐱.txt', 'dir/it’s [so]*.txt', 'dir/deep/-l'])
    await writeFile(path.join(root, name), name);
  const links = { self: '.', 'dir/deep/up': '../..', dangling: 'nowhere', 'link.txt': 'plain.txt', out: '/etc' };
  for (const [name, target] of Object.entries(links)) await symlink(target, path.join(root, name));
});
afterAll(() => rm(root, { recursive: true }));

async function serve(): Promise<{ readonly host: string; readonly mirror: string }> {
  const server = createFtpServer({ fileSystem: diskFileSystem(root), listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  const mirror = await mkdtemp(path.join(os.tmpdir(), 'ftp-mirror-'));
  onTestFinished(async () => {
    await server.close({ graceMs: 0 });
    await rm(mirror, { recursive: true });
  });
  return { host: (bound?.url ?? '').replace('tcp://', ''), mirror };
}

/** The regular files below a directory with the digests of their contents. Links are not followed. */
async function digests(directory: string, below = ''): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  // Node 26 follows links to directories where it is asked to list recursively.
  for (const entry of await readdir(path.join(directory, below), { withFileTypes: true })) {
    const name = path.join(below, entry.name);
    if (entry.isDirectory()) Object.assign(found, await digests(directory, name));
    if (!entry.isFile()) continue;
    found[name] = createHash('sha256')
      .update(await readFile(path.join(directory, name)))
      .digest('hex');
  }
  return found;
}

test.skipIf(lacks('lftp'))('lftp mirrors the tree, and links as links', async () => {
  const { host, mirror } = await serve();
  await run('lftp', ['-e', `set ftp:ssl-allow no; mirror / ${mirror}; quit`, `ftp://${host}`], { timeout: 30_000 });
  expect(await digests(mirror)).toEqual(await digests(root));
  expect(await readlink(path.join(mirror, 'self'))).toBe('.');
  expect(await readlink(path.join(mirror, 'dir/deep/up'))).toBe('../..');
  expect(await readlink(path.join(mirror, 'dangling'))).toBe('nowhere');
  expect(await readdir(mirror)).not.toContain('out');
});

test.skipIf(lacks('wget'))('wget -r comes to an end, and has each file once', async () => {
  const { host, mirror } = await serve();
  // It exits with 8 for the links that lead nowhere.
  await run('wget', ['-q', '-r', '-nH', '-P', mirror, `ftp://${host}/`], { timeout: 30_000 }).catch(() => undefined);
  const { 'link.txt': linked, ...mirrored } = await digests(mirror);
  expect(mirrored).toEqual(await digests(root));
  expect(linked).toBe(mirrored['plain.txt']);
});

test.skipIf(lacks('lftp'))('a pattern is expanded, and what was told of can be fetched', async () => {
  const { host, mirror } = await serve();
  await run('lftp', ['-e', `set ftp:ssl-allow no; lcd ${mirror}; mget *.txt dir/*.txt; quit`, `ftp://${host}`]);
  expect((await readdir(mirror)).sort()).toEqual(
    ['a b.txt', 'grün 🐱.txt', 'it’s [so]*.txt', 'link.txt', 'plain.txt'].sort(),
  );
});
