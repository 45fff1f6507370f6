import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../src/file-system.ts';
import {
  ALL_FACTS,
  factLine,
  factsFeature,
  listingReader,
  listLine,
  mayBeListed,
  parseTimeVal,
  selectFacts,
  timeVal,
} from '../src/listing/format.ts';
import { parseListArgument } from '../src/listing/options.ts';
import { NAMED_RIGHTS, resolveRights } from '../src/users/rights.ts';

const NOW = Date.UTC(2026, 5, 15, 12, 0, 0);
const isFixed = (): boolean => false;
const reader = { nowMs: NOW, rightsOf: () => NAMED_RIGHTS.read, isFixed };
const writer = { nowMs: NOW, rightsOf: () => NAMED_RIGHTS.full, isFixed };
const file: Entry = {
  name: 'a b.txt',
  type: 'file',
  sizeBytes: 1234,
  mtimeMs: Date.UTC(2026, 4, 3, 4, 5, 6),
  mode: 0o640,
  unique: '1g2',
};
const directory: Entry = {
  name: 'dir',
  type: 'directory',
  sizeBytes: 4096,
  mtimeMs: Date.UTC(2020, 11, 31, 23, 59, 59),
};

describe('LIST', () => {
  test('a recent file has a time of day, an old directory a year', () => {
    expect(listLine(file, reader)).toBe('-rw-r-----   1 ftp      ftp              1234 May 03 04:05 a b.txt');
    expect(listLine(directory, reader)).toBe('drwxr-xr-x   1 ftp      ftp              4096 Dec 31  2020 dir');
  });

  test('the year appears at 180 days, and for times in the future', () => {
    const at = (mtimeMs: number) => listLine({ ...file, mtimeMs }, reader);
    expect(at(NOW - 180 * 86_400_000 + 1)).toContain(':');
    expect(at(NOW - 180 * 86_400_000)).toContain(' 2025 ');
    expect(at(NOW + 2 * 86_400_000)).toContain(' 2026 ');
  });

  test.each([
    [Number.NEGATIVE_INFINITY, 'Jan 01  1900', '19000101000000'],
    [Number.POSITIVE_INFINITY, 'Dec 31  9999', '99991231235959'],
    [Number.NaN, 'Jan 01  1970', '19700101000000'],
    [Date.UTC(2026, 5, 15, 11, 0, 0), 'Jun 15 11:00', '20260615110000'],
    [Date.UTC(2026, 5, 15, 10, 59, 59, 999), 'Jun 15 10:59', '20260615105959'],
  ])('a file of the time %d is of %s', (mtimeMs, told, timeval) => {
    expect(listLine({ ...file, mtimeMs }, reader)).toContain(` ${told} a b.txt`);
    expect(timeVal(mtimeMs)).toBe(timeval);
  });

  test('owners are told in columns of eight letters', () => {
    expect(listLine({ ...file, uid: 'annabella', gid: 7 }, reader)).toContain('   1 annabella 7                1234 ');
  });

  test('options before the path are no path', () => {
    const pathOf = (argument: string) => parseListArgument(argument).path;
    expect(pathOf('-a')).toBe('');
    expect(pathOf('-la some dir')).toBe('some dir');
    expect(pathOf('-l -a x')).toBe('x');
    expect(pathOf('x -a')).toBe('x -a');
    expect(pathOf('./-a')).toBe('./-a');
    expect(pathOf('-l -- -a')).toBe('-a');
    expect(pathOf('--')).toBe('');
    expect(pathOf('--a')).toBe('--a');
  });
});

test.each([
  ['-l', { form: 'long' }],
  ['-1', { form: 'names' }],
  ['-t', { sort: 'time' }],
  ['-S', { sort: 'size' }],
  ['-r', { reverse: true }],
  ['-d', { directoryItself: true }],
  ['-L', { followLinks: true }],
  ['-aFx', {}],
  ['-l -tr', { form: 'long', sort: 'time', reverse: true }],
  ['x -r', {}],
  ['- -r', { reverse: true }],
])('%s before the path of a listing means %j', (argument, expected) => {
  const none = { form: undefined, sort: undefined, reverse: false, directoryItself: false, followLinks: false };
  expect(parseListArgument(argument).options).toEqual({ ...none, ...expected });
});

describe('facts', () => {
  test('a file tells all that is known, and a reader may only read it', () => {
    expect(factLine(file, ALL_FACTS, reader)).toBe(
      'type=file;size=1234;modify=20260503040506;perm=r;unique=1g2;unix.mode=0640; a b.txt',
    );
  });

  test('a fact without a value is left out, and a writer may do more', () => {
    expect(factLine(directory, ALL_FACTS, writer)).toBe('type=dir;modify=20201231235959;perm=elcmpdf; dir');
  });

  test('neither the root nor what leads to a rule of its own may be deleted or renamed, and perm says so', () => {
    const rights = resolveRights({ '/': 'full', '/a/b': 'read' });
    if (!rights.ok) throw new Error(rights.error);
    const permOf = (name: string): string =>
      factLine({ ...directory, name }, ['perm'], listingReader(rights.value, '/', NOW), 'x');
    expect([permOf(''), permOf('a'), permOf('c')]).toEqual(['perm=elcmp; x', 'perm=elcmp; x', 'perm=elcmpdf; x']);
    const everywhere = resolveRights('full');
    if (!everywhere.ok) throw new Error(everywhere.error);
    expect(factLine({ ...directory, name: '' }, ['perm'], listingReader(everywhere.value, '/', NOW), '/')).toBe(
      'perm=elcmp; /',
    );
  });

  test('only selected facts are told, and FEAT stars them', () => {
    expect(selectFacts('Size;foo;TYPE;')).toEqual(['type', 'size']);
    expect(factLine(file, selectFacts('size'), reader)).toBe('size=1234; a b.txt');
    expect(factLine(file, selectFacts(''), reader)).toBe(' a b.txt');
    expect(factsFeature(['type'])).toBe('type*;size;modify;perm;unique;unix.mode;unix.uid;unix.gid;');
  });
});

test('times survive the round trip, and no other text is a time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
      expect(parseTimeVal(timeVal(seconds * 1000))).toBe(seconds * 1000);
    }),
  );
  for (const text of [
    '',
    '2026',
    '20260231000000',
    '20261301000000',
    '20260101000000 ',
    '20260101000060',
    'x0260101000000',
  ])
    expect(parseTimeVal(text), text).toBeUndefined();
  expect(parseTimeVal('20260101000000.25')).toBe(Date.UTC(2026, 0, 1) + 250);
});

test('names that would forge a line are not listed', () => {
  expect(mayBeListed(file)).toBe(true);
  expect(mayBeListed({ ...file, name: 'a\r\n226 done' })).toBe(false);
});

test('any entry gives one line', () => {
  const entry = fc.record({
    name: fc.constant('x'),
    type: fc.constantFrom('file', 'directory'),
    sizeBytes: fc.nat(),
    mtimeMs: fc.double(),
    mode: fc.nat(0o777),
  });
  fc.assert(
    fc.property(entry, fc.double(), (value, nowMs) => {
      expect(listLine(value, { ...writer, nowMs })).not.toMatch(/[\r\n]|undefined|NaN/);
      expect(factLine(value, ALL_FACTS, { ...writer, nowMs })).not.toMatch(/[\r\n]|undefined|NaN/);
    }),
  );
});
