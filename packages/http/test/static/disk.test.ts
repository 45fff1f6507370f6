import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DiskRoot, type SymlinkPolicy } from '../../src/static/disk.ts';

/** A site with a file, a link to it, a link to a directory, and links that lead out. */
function site(): string {
  const box = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'wellknown-disk-')));
  onTestFinished(() => rmSync(box, { recursive: true }));
  const root = path.join(box, 'site');
  mkdirSync(path.join(root, 'folder'), { recursive: true });
  // Beside the root, under a name that begins as its own does.
  mkdirSync(`${root}-old`);
  writeFileSync(path.join(`${root}-old`, 'secret.txt'), 'secret');
  writeFileSync(path.join(root, 'folder', 'a.txt'), 'hello');
  symlinkSync('folder/a.txt', path.join(root, 'in.txt'));
  symlinkSync('folder', path.join(root, 'in'));
  symlinkSync('../site-old/secret.txt', path.join(root, 'out.txt'));
  symlinkSync('../site-old', path.join(root, 'out'));
  return root;
}

async function whatIs(disk: DiskRoot, segments: string[]): Promise<string> {
  const found = await disk.open(segments);
  if (!found.ok) return found.error;
  if (found.value.kind === 'file') found.value.close();
  return found.value.kind;
}

describe.each([
  ['with /proc', '/proc/self/fd'],
  ['without /proc', '/no-such-folder'],
])('files of a root %s', (_, descriptors) => {
  test.each<[SymlinkPolicy, string, string]>([
    ['inside', 'file', 'not-found'],
    ['deny', 'not-found', 'not-found'],
    ['follow', 'file', 'file'],
  ])('links under the policy %s', async (policy, inside, outside) => {
    const disk = new DiskRoot(site(), policy, descriptors);
    expect(await whatIs(disk, ['folder', 'a.txt'])).toBe('file');
    expect(await whatIs(disk, ['folder'])).toBe('directory');
    expect(await whatIs(disk, [])).toBe('directory');
    expect(await whatIs(disk, ['in.txt'])).toBe(inside);
    expect(await whatIs(disk, ['in', 'a.txt'])).toBe(inside);
    expect(await whatIs(disk, ['out.txt'])).toBe(outside);
    expect(await whatIs(disk, ['out', 'secret.txt'])).toBe(outside);
    expect(await whatIs(disk, ['none.txt'])).toBe('not-found');
  });
});
