// The folder of the compiled code is this user's alone, or it is not used.

import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { compileCacheFolder } from '../../src/cli/compile-cache.ts';

const uid = process.geteuid?.() ?? 0;

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'wellknown-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

test('it is made below the home of the user, readable by nobody else', () => {
  const home = folder();
  const made = compileCacheFolder({}, home, uid);
  expect(made).toBe(path.join(home, '.cache/wellknown'));
  expect(lstatSync(made ?? '').mode & 0o777).toBe(0o700);
  expect(compileCacheFolder({}, home, uid)).toBe(made);
});

test('XDG_CACHE_HOME goes before the home, and what systemd gives before that', () => {
  const [home, xdg, given] = [folder(), folder(), folder()];
  expect(compileCacheFolder({ XDG_CACHE_HOME: xdg }, home, uid)).toBe(path.join(xdg, 'wellknown'));
  expect(compileCacheFolder({ XDG_CACHE_HOME: xdg, CACHE_DIRECTORY: given }, home, uid)).toBe(
    path.join(given, 'wellknown'),
  );
});

test('a link that systemd gives, as with DynamicUser=, leads to the folder', () => {
  const [outside, inside] = [folder(), folder()];
  const link = path.join(outside, 'cache');
  symlinkSync(inside, link);
  expect(compileCacheFolder({ CACHE_DIRECTORY: link }, folder(), uid)).toBe(path.join(inside, 'wellknown'));
  expect(compileCacheFolder({ CACHE_DIRECTORY: link }, folder(), uid + 1)).toBeUndefined();
});

test('a home that belongs to somebody else is left alone: sudo may keep that of the caller', () => {
  const home = folder();
  expect(compileCacheFolder({}, home, uid + 1)).toBeUndefined();
  expect(() => lstatSync(path.join(home, '.cache'))).toThrow('ENOENT');
});

test.each([
  ['a folder that others may write to', (made: string) => chmodSync(made, 0o777)],
  [
    'a link in its place',
    (made: string) => {
      rmSync(made, { recursive: true });
      symlinkSync(path.dirname(made), made);
    },
  ],
])('%s is not used', (_, change) => {
  const home = folder();
  const made = path.join(home, '.cache/wellknown');
  mkdirSync(made, { recursive: true, mode: 0o700 });
  change(made);
  expect(compileCacheFolder({}, home, uid)).toBeUndefined();
});

test('a relative path, or none that exists, is not used', () => {
  expect(compileCacheFolder({ XDG_CACHE_HOME: 'cache' }, folder(), uid)).toBeUndefined();
  expect(compileCacheFolder({}, '/nonexistent/home', uid)).toBeUndefined();
});
