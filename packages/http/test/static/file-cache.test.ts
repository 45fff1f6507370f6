// What is kept of files, and for how long.

import { describe, expect, test } from 'vitest';
import { responseOf } from '../../src/fetch/response.ts';
import { DEFAULT_FILE_CACHE, FileCache, type KnownFile } from '../../src/static/file-cache.ts';

const MIB = 1_048_576;
const LIMITS = { ...DEFAULT_FILE_CACHE, maxBytes: 4 * MIB };

function knownFile(path: string, byteLength: number): KnownFile {
  const facts = { identity: `1:${path}`, byteLength, modifiedMs: 0 };
  return {
    mediaType: 'text/plain',
    path,
    plainPath: path,
    original: { coding: undefined, segments: [path], facts, kept: undefined },
    sidecars: [],
    generated: [],
    codings: [],
    checkedMs: 0,
    used: false,
    keptBytes: 0,
    readMs: Number.NEGATIVE_INFINITY,
    isBeingKept: false,
    look: undefined,
  };
}

/** Asks as a request would, and keeps the content where that is wanted. Its bytes, if they are kept. */
function ask(cache: FileCache, file: KnownFile, nowMs = 0): Uint8Array | undefined {
  if (cache.get(file.path) === undefined) cache.set(file);
  const { byteLength } = file.original.facts;
  if (file.original.kept === undefined && cache.mayKeep(file, byteLength, nowMs, true)) {
    const bytes = new Uint8Array(byteLength);
    const response = responseOf(bytes);
    cache.keep(file, file.original, { bytes, response, responseOverTls: response });
  }
  return cache.get(file.path)?.original.kept?.bytes;
}

describe('a content is kept', () => {
  test.each([
    ['a small one with its first request', 65_536, 1],
    ['a larger one with its second', 65_537, 2],
    ['the largest that is kept', DEFAULT_FILE_CACHE.maxFileBytes, 2],
  ])('%s', (_, byteLength, requests) => {
    const cache = new FileCache(DEFAULT_FILE_CACHE);
    const file = knownFile('/a', byteLength);
    const kept = Array.from({ length: requests }, () => ask(cache, file) !== undefined);
    expect(kept).toEqual([...Array.from({ length: requests - 1 }, () => false), true]);
  });

  test.each([
    ['any time later, up to 1 MiB', MIB, 1_000_000, true],
    ['two seconds later, one byte more', MIB + 1, 2_000, true],
    ['after two seconds', MIB + 1, 2_001, false],
  ])('when it is asked for again: %s', (_, byteLength, laterMs, isKept) => {
    const cache = new FileCache(DEFAULT_FILE_CACHE);
    const file = knownFile('/a', byteLength);
    expect(ask(cache, file, 0)).toBeUndefined();
    expect(ask(cache, file, laterMs) !== undefined).toBe(isKept);
  });

  test('never beyond the limit, for one byte', () => {
    const cache = new FileCache(DEFAULT_FILE_CACHE);
    const file = knownFile('/a', DEFAULT_FILE_CACHE.maxFileBytes + 1);
    expect([ask(cache, file), ask(cache, file), ask(cache, file)]).toEqual([undefined, undefined, undefined]);
  });

  test.each([
    [MIB, true],
    [MIB + 1, false],
  ])('for a request that needs nothing or a part of it, only up to 1 MiB: %d bytes', (byteLength, isKept) => {
    const cache = new FileCache(DEFAULT_FILE_CACHE);
    const file = knownFile('/a', byteLength);
    cache.set(file);
    cache.mayKeep(file, byteLength, 0, true);
    expect(cache.mayKeep(file, byteLength, 0, false)).toBe(isKept);
  });

  test('by one reader at a time, where it is larger', () => {
    const cache = new FileCache(LIMITS);
    const file = knownFile('/a', MIB);
    cache.set(file);
    expect(cache.mayKeep(file, MIB, 0, true)).toBe(false);
    file.isBeingKept = true;
    expect(cache.mayKeep(file, MIB, 0, true)).toBe(false);
    file.isBeingKept = false;
    expect(cache.mayKeep(file, MIB, 0, true)).toBe(true);
  });
});

test('larger contents that somebody still holds count, also when they are kept no more', () => {
  const cache = new FileCache(LIMITS);
  // As slow readers hold them.
  const held: unknown[] = [];
  for (let index = 0; index < 8; index += 1) {
    const file = knownFile(`/${index}`, MIB);
    ask(cache, file);
    held.push(ask(cache, file));
    cache.delete(file.path);
  }
  expect(held.map((bytes) => bytes !== undefined)).toEqual([true, true, true, true, false, false, false, false]);
  // Small ones are kept all the same.
  expect(ask(cache, knownFile('/small', 1_000))).toBeDefined();
});

test('a walk through many larger files pushes out nothing that is asked for again', () => {
  const cache = new FileCache(LIMITS);
  const page = knownFile('/page', 60_000);
  const bundle = knownFile('/bundle', MIB);
  ask(cache, page);
  ask(cache, bundle);
  ask(cache, bundle);
  for (let index = 0; index < 100; index += 1) {
    ask(cache, knownFile(`/walk/${index}`, MIB));
    expect([ask(cache, page) !== undefined, ask(cache, bundle) !== undefined]).toEqual([true, true]);
  }
});
