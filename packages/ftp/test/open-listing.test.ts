import { describe, expect, test } from 'vitest';
import type { Entry, FileSystem } from '../src/file-system.ts';
import { ALL_FACTS } from '../src/listing/format.ts';
import { listingLines, openListing, type ListingRequest } from '../src/listing/open-listing.ts';
import { parseListArgument } from '../src/listing/options.ts';
import { resolvePath } from '../src/path.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { resolveRights } from '../src/users/rights.ts';

const NOW = Date.UTC(2026, 5, 15, 12);

function request(form: ListingRequest['form'], argument: string, cwd = '/'): ListingRequest {
  const rights = resolveRights('read');
  const { options, path: given } = parseListArgument(argument);
  const path = resolvePath(cwd, given);
  if (!path.ok || !rights.ok) throw new Error('no path');
  return { form, path: path.value, given, options, facts: ALL_FACTS, rights: rights.value, nowMs: NOW };
}

const tree = (): FileSystem =>
  memoryFileSystem({
    files: { '/b.txt': 'bb', '/a.txt': 'aaa', '/.c.txt': 'c', '/sub/d.txt': 'dddd', '/sub/deep/e': 'e', '/[x]': 'x' },
    wallMs: () => NOW,
  });

async function lines(fileSystem: FileSystem, asked: ListingRequest): Promise<readonly string[] | string> {
  const listed = await listingLines(fileSystem, asked, 1000);
  return listed.ok ? listed.value.lines : listed.error;
}
const names = async (argument: string, cwd?: string): Promise<readonly string[] | string> =>
  lines(tree(), request('names', argument, cwd));
const listed = async (argument: string): Promise<readonly string[] | string> => {
  const found = await lines(tree(), request('long', argument));
  return typeof found === 'string' ? found : found.map((line) => line.replace(/^.*12:00 /, ''));
};

describe('NLST', () => {
  test.each([
    ['', '/', ['b.txt', 'a.txt', '.c.txt', 'sub', '[x]']],
    ['sub', '/', ['sub/d.txt', 'sub/deep']],
    ['sub/', '/', ['sub/d.txt', 'sub/deep']],
    ['/sub', '/', ['/sub/d.txt', '/sub/deep']],
    ['..', '/sub', ['../b.txt', '../a.txt', '../.c.txt', '../sub', '../[x]']],
    ['', '/sub', ['d.txt', 'deep']],
    ['sub/d.txt', '/', ['sub/d.txt']],
    ['a.txt', '/', ['a.txt']],
    ['*.txt', '/', ['b.txt', 'a.txt']],
    ['sub/*', '/', ['sub/d.txt', 'sub/deep']],
    ['/sub/?.txt', '/', ['/sub/d.txt']],
    ['../*.txt', '/sub', ['../b.txt', '../a.txt']],
    ['[ab].txt', '/', ['b.txt', 'a.txt']],
    ['-r', '/', ['sub', 'b.txt', 'a.txt', '[x]', '.c.txt']],
    ['-d sub', '/', ['sub']],
  ])('of %j from %j gives names that can be fetched from there', async (argument, cwd, expected) => {
    expect(await names(argument, cwd)).toEqual(expected);
  });

  test('takes a pattern for a name where there is such a name', async () => {
    expect(await names('[x]')).toEqual(['[x]']);
  });

  test('of a pattern that nothing matches, or of a pattern before the last name, finds nothing', async () => {
    expect(await names('*.zip')).toBe('not-found');
    expect(await names('*/d.txt')).toBe('not-found');
    expect(await names('none/*')).toBe('not-found');
  });

  test('with -l is a long listing, and LIST with -1 one of names', async () => {
    expect((await names('-l a.txt'))[0]).toMatch(/^-rw-r--r--/);
    expect(await lines(tree(), request('long', '-1 sub'))).toEqual(['sub/d.txt', 'sub/deep']);
  });
});

describe('LIST', () => {
  test.each([
    ['', ['b.txt', 'a.txt', '.c.txt', 'sub', '[x]']],
    ['-a', ['b.txt', 'a.txt', '.c.txt', 'sub', '[x]']],
    ['-la sub', ['d.txt', 'deep']],
    ['-S', ['a.txt', 'b.txt', '.c.txt', '[x]', 'sub']],
    ['-Sr', ['sub', '[x]', '.c.txt', 'b.txt', 'a.txt']],
    ['-t', ['.c.txt', '[x]', 'a.txt', 'b.txt', 'sub']],
    ['-d', ['.']],
    ['-ld sub', ['sub']],
    ['sub/d.txt', ['d.txt']],
    ['*.txt', ['b.txt', 'a.txt']],
  ])('%s', async (argument, expected) => {
    expect(await listed(argument)).toEqual(expected);
  });
});

describe('MLSD', () => {
  test('is of a directory and knows neither options nor patterns', async () => {
    expect(await lines(tree(), { ...request('facts', ''), path: '/a.txt' })).toBe('not-directory');
    expect(await lines(tree(), { ...request('facts', ''), path: '/*' })).toBe('not-found');
    expect(await lines(tree(), request('facts', 'sub'))).toHaveLength(2);
  });
});

/** A file system of one directory with these entries. */
const of = (entries: readonly Entry[]): FileSystem => ({
  stat: async (path) =>
    path === '/'
      ? { ok: true, value: { name: '', type: 'directory', sizeBytes: 0, mtimeMs: 0 } }
      : { ok: false, error: 'not-found' },
  list: async () => ({
    ok: true,
    value: (async function* () {
      for (let at = 0; at < entries.length; at += 100) yield entries.slice(at, at + 100);
    })(),
  }),
  read: async () => ({ ok: false, error: 'denied' }),
});
const file: Entry = { name: 'f', type: 'file', sizeBytes: 1, mtimeMs: NOW };

describe('a listing', () => {
  test('tells links as links, with their targets where a fact can hold them', async () => {
    const links = of([
      { ...file, name: 'l', type: 'link', target: 'sub/x' },
      { ...file, name: 'm', type: 'link', target: 'a b;c' },
      { ...file, name: 'n', type: 'link' },
    ]);
    const long = await lines(links, request('long', ''));
    expect(long).toEqual([
      expect.stringMatching(/^lrwxrwxrwx .* l -> sub\/x$/),
      expect.stringMatching(/^lrwxrwxrwx .* m -> a b;c$/),
      expect.stringMatching(/^lrwxrwxrwx .* n$/),
    ]);
    expect(await lines(links, request('facts', ''))).toEqual([
      expect.stringMatching(/^type=OS\.unix=slink:sub\/x;[^ ]* l$/),
      expect.stringMatching(/^type=OS\.unix=slink:;[^ ]* m$/),
      expect.stringMatching(/^type=OS\.unix=slink:;[^ ]* n$/),
    ]);
  });

  test('survives every date', async () => {
    const dates = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e17, -1e17, 8.64e15, -6e13, 2.6e14];
    const all = of(dates.map((mtimeMs, at) => ({ ...file, name: `f${at}`, mtimeMs })));
    for (const line of await lines(all, request('long', '')))
      expect(line).toMatch(/^-rw-r--r-- +1 ftp +ftp +1 [A-Z][a-z]{2} \d\d {2}(?:1900|1970|9999) f\d$/);
    for (const line of await lines(all, request('facts', ''))) expect(line).toMatch(/;modify=\d{14};/);
  });

  test('leaves out names that would forge a line, and no others', async () => {
    const named = ['a\nb', 'a\rb', 'c\x7f', 'tab\t', '\x1b'].map((name) => ({ ...file, name }));
    expect(await lines(of([file, ...named]), request('names', ''))).toEqual(['f', 'c\x7f', 'tab\t', '\x1b']);
  });

  test('comes in portions of about 64 KiB, and counts its entries', async () => {
    const many = of(Array.from({ length: 10_000 }, (_, at) => ({ ...file, name: `file-${at}` })));
    const listing = await openListing(many, request('long', ''));
    if (!listing.ok) throw new Error(listing.error);
    const lengths: number[] = [];
    for await (const text of listing.value.text) lengths.push(text.length);
    expect(Math.max(...lengths)).toBeLessThan(64 * 1024 + 200);
    expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThanOrEqual(64 * 1024);
    expect(listing.value.entries).toBe(10_000);
  });

  test('of more entries than are sorted comes whole, in the order of the file system', async () => {
    const many = of(Array.from({ length: 100_100 }, (_, at) => ({ ...file, name: String(200_000 - at) })));
    const found = await listingLines(many, request('names', '-t'), 200_000);
    expect(found.ok && found.value.lines.length).toBe(100_100);
    expect(found.ok && found.value.lines.slice(0, 2)).toEqual(['200000', '199999']);
    const few = of(Array.from({ length: 100_000 }, (_, at) => ({ ...file, name: String(200_000 - at) })));
    const sorted = await listingLines(few, request('names', '-t'), 2);
    expect(sorted).toEqual({ ok: true, value: { lines: ['100001', '100002'], isCut: true } });
  });
});
