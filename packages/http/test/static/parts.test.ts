import { describe, expect, test } from 'vitest';
import { evaluateConditions, parseHttpDate } from '../../src/static/conditions.ts';
import { chooseCoding } from '../../src/static/encoding.ts';
import { mediaTypeOf } from '../../src/static/file-finder.ts';
import { parseFilePath, pathOfTarget, plainPath } from '../../src/static/path.ts';
import { decideRange } from '../../src/static/range.ts';

describe('paths', () => {
  test.each([
    ['/', []],
    ['/a/b.txt?x=/../y', ['a', 'b.txt']],
    ['//a///b', ['a', 'b']],
    ['/%C3%A9%20x', ['é x']],
    ['/a%5Cb', ['a\\b']],
    ['/a%5C..%5Cx', ['a\\..\\x']],
    ['/a%0D%0Ab%7F', ['a\r\nb\x7f']],
    ['/%2561', ['%61']],
    ['/.well-known/security.txt', ['.well-known', 'security.txt']],
    // Of `http://a?c`.
    ['?c', []],
  ])('%s names %j', (target, segments) => {
    expect(parseFilePath(target, 'deny')).toMatchObject({ ok: true, value: { segments } });
  });

  test.each([
    ['/..', 400],
    ['/../x', 400],
    ['/a/..', 400],
    ['/%2e%2e/x', 400],
    ['/.%2E/x', 400],
    ['/..%2fx', 400],
    ['/a%2Fb', 400],
    ['/a\\b', 400],
    ['/%00', 400],
    ['/a%00b', 400],
    ['/a\tb', 400],
    ['/a\x7fb', 400],
    ['/%', 400],
    ['/%zz', 400],
    ['/%ff', 400],
    ['/%c0%ae', 400],
    ['/.', 400],
    ['/.env', 404],
    ['/.git/config', 404],
    ['/a/.b', 404],
    ['/%2eenv', 404],
    ['/a/.well-known/x', 404],
  ])('%s is refused with %i', (target, error) => {
    expect(parseFilePath(target, 'deny')).toEqual({ ok: false, error });
  });

  test('names with a dot are found where they are allowed, but never those of directories above', () => {
    expect(parseFilePath('/.env', 'allow').ok).toBe(true);
    expect(parseFilePath('/..', 'allow').ok).toBe(false);
  });

  test('an absolute target has its path after the authority', () => {
    expect(['http://a/b?c', 'http://a', 'http://a?c', '/x'].map(pathOfTarget)).toEqual(['/b?c', '/', '?c', '/x']);
  });

  test.each([
    ['/a?b', '/a'],
    ['/%61/?b', '/a/'],
    ['//a//b', '/a/b'],
    ['//', '/'],
    ['/%zz', '/%zz'],
  ])('rules of paths are asked about %s as %s', (target, path) => {
    expect(plainPath(target)).toBe(path);
  });
});

describe('ranges (RFC 9110 §14)', () => {
  const parts = (...ranges: [start: number, byteLength: number][]): object => ({
    at: 'parts',
    parts: ranges.map(([start, byteLength]) => ({ start, byteLength })),
  });
  const part = (start: number, byteLength: number): object => parts([start, byteLength]);
  test.each([
    ['bytes=0-0', part(0, 1)],
    ['bytes=-10', part(990, 10)],
    ['bytes=-99999', part(0, 1000)],
    ['bytes=0-99999999999999999999', part(0, 1000)],
    ['bytes=500-', part(500, 500)],
    ['BYTES=1-2', part(1, 2)],
    ['bytes=999-999', part(999, 1)],
    ['bytes=1000-', { at: 'unsatisfiable' }],
    ['bytes=99999999999999999999-', { at: 'unsatisfiable' }],
    ['bytes=-0', { at: 'unsatisfiable' }],
    ['bytes=5-2', { at: 'whole' }],
    ['bytes=a-b', { at: 'whole' }],
    ['bytes=-', { at: 'whole' }],
    ['bytes=', { at: 'whole' }],
    ['bytes', { at: 'whole' }],
    ['items=0-1', { at: 'whole' }],
    ['bytes=0-1, 500-501,', parts([0, 2], [500, 2])],
    ['bytes=-1,0-0', parts([999, 1], [0, 1])],
    ['bytes=0-1,2000-', part(0, 2)],
    ['bytes=2000-,3000-', { at: 'unsatisfiable' }],
    ['bytes=0-1,5-6', part(0, 7)],
    ['bytes=0-99,50-149,300-309', parts([0, 150], [300, 10])],
    ['bytes=300-309,500-509,0-9,290-519', parts([0, 10], [290, 230])],
    ['bytes=0-,0-', part(0, 1000)],
    ['bytes=0-300,400-700,800-', { at: 'whole' }],
    ['bytes=0-1,x', { at: 'whole' }],
    [`bytes=${Array.from({ length: 16 }, () => '0-0').join(',')}`, part(0, 1)],
    [`bytes=${Array.from({ length: 17 }, () => '0-0').join(',')}`, { at: 'whole' }],
    [null, { at: 'whole' }],
  ])('%s of 1000 bytes', (text, outcome) => {
    expect(decideRange(text, 1000)).toEqual(outcome);
  });

  test('parts are joined where what lies between them is less than the head of a part, and no further', () => {
    expect(decideRange('bytes=0-9,90-99', 1000)).toEqual(part(0, 100));
    expect(decideRange('bytes=90-99,0-9', 1000)).toEqual(part(0, 100));
    expect(decideRange('bytes=0-9,91-99', 1000)).toEqual(parts([0, 10], [91, 9]));
    expect(decideRange('bytes=91-99,0-9', 1000)).toEqual(parts([91, 9], [0, 10]));
  });

  test('an empty file has no part', () => {
    expect(decideRange('bytes=0-', 0)).toEqual({ at: 'whole' });
  });
});

describe('content codings (RFC 9110 §12.5.3)', () => {
  test.each([
    ['br, gzip', 'br'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['gzip;q=0', undefined],
    ['gzip;q=0, *', 'br'],
    ['gzip;Q=0', undefined],
    ['deflate gzip', undefined],
    ['x-gzip, gzip;q=0', undefined],
    ['gzip;q=0, x-gzip', undefined],
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br;q=0.5, zstd;q=0.5', 'br'],
    ['identity, br;q=0.5', undefined],
    ['identity;q=0.5, br', 'br'],
    ['br;q=x', undefined],
    ['br;q=0.5555', undefined],
    ['deflate', undefined],
    ['', undefined],
    [null, undefined],
  ] as const)('%j takes %j of all three', (accepted, coding) => {
    expect(chooseCoding(accepted, ['br', 'zstd', 'gzip'])).toBe(coding);
  });

  test('what was said before is remembered as it was said, and a flood of other values changes nothing', () => {
    const values = Array.from({ length: 100 }, (_, index) => `gzip;q=0.${String(index).padStart(3, '0')}, br;q=0.050`);
    const choices = (): unknown[] => values.map((value) => chooseCoding(value, ['br', 'gzip']));
    const expected = values.map((_, index) => (index > 50 ? 'gzip' : 'br'));
    expect(choices()).toEqual(expected);
    expect(choices()).toEqual(expected);
    const long = `${'a, '.repeat(200)}gzip`;
    expect([chooseCoding(long, ['br', 'gzip']), chooseCoding(long, ['br', 'gzip'])]).toEqual(['gzip', 'gzip']);
  });

  test('only what is there is chosen', () => {
    expect(chooseCoding('br, gzip', ['gzip'])).toBe('gzip');
    expect(chooseCoding('br', [])).toBeUndefined();
  });
});

describe('preconditions (RFC 9110 §13.2.2)', () => {
  const at = Date.UTC(2025, 5, 1, 12, 0, 0);
  const now = Date.UTC(2026, 0, 1);
  const date = (offsetMs: number): string => new Date(at + offsetMs).toUTCString();
  const evaluate = (fields: Record<string, string>, etag = '"e"'): object =>
    evaluateConditions(new Headers(fields), { etag, lastModifiedMs: at }, now);
  const proceed = (mayRange: boolean): object => ({ at: 'proceed', mayRange });

  test.each([
    ['If-Match with the tag', { 'If-Match': '"x", "e"' }, proceed(true)],
    ['If-Match: *', { 'If-Match': '*' }, proceed(true)],
    ['If-Match with another tag', { 'If-Match': '"x"' }, { at: 'failed' }],
    ['If-Match with the weak tag', { 'If-Match': 'W/"e"' }, { at: 'failed' }],
    ['If-Match before If-Unmodified-Since', { 'If-Match': '"e"', 'If-Unmodified-Since': date(-1000) }, proceed(true)],
    ['If-Unmodified-Since the same second', { 'If-Unmodified-Since': date(0) }, proceed(true)],
    ['If-Unmodified-Since before', { 'If-Unmodified-Since': date(-1000) }, { at: 'failed' }],
    ['If-None-Match with the tag in a list', { 'If-None-Match': '"a,b", W/"e"' }, { at: 'not-modified' }],
    ['If-None-Match: *', { 'If-None-Match': '*' }, { at: 'not-modified' }],
    ['If-None-Match with another tag', { 'If-None-Match': '"x"' }, proceed(true)],
    ['If-None-Match before If-Modified-Since', { 'If-None-Match': '"x"', 'If-Modified-Since': date(0) }, proceed(true)],
    ['If-Modified-Since the same second', { 'If-Modified-Since': date(0) }, { at: 'not-modified' }],
    ['If-Modified-Since before', { 'If-Modified-Since': date(-1000) }, proceed(true)],
    ['If-Modified-Since that is no date', { 'If-Modified-Since': 'yesterday' }, proceed(true)],
    ['If-Range with the tag', { 'If-Range': '"e"' }, proceed(true)],
    ['If-Range with another tag', { 'If-Range': '"x"' }, proceed(false)],
    ['If-Range with the weak tag', { 'If-Range': 'W/"e"' }, proceed(false)],
    ['If-Range with the date', { 'If-Range': date(0) }, proceed(true)],
    ['If-Range with another date', { 'If-Range': date(1000) }, proceed(false)],
  ])('%s', (_, fields, outcome) => {
    expect(evaluate(fields)).toEqual(outcome);
  });

  test('a weak tag satisfies neither If-Match nor If-Range', () => {
    expect(evaluate({ 'If-Match': 'W/"e"' }, 'W/"e"')).toEqual({ at: 'failed' });
    expect(evaluate({ 'If-Range': 'W/"e"' }, 'W/"e"')).toEqual(proceed(false));
    expect(evaluate({ 'If-Range': date(0) }, 'W/"e"')).toEqual(proceed(false));
  });
});

test('all three date forms are read (RFC 9110 §5.6.7)', () => {
  const expected = Date.UTC(1994, 10, 6, 8, 49, 37);
  const now = Date.UTC(2026, 0, 1);
  for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])
    expect(parseHttpDate(text, now)).toBe(expected);
  for (const text of [
    '',
    '1994',
    '2025-01-01T00:00:00Z',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 25:49:37 GMT',
    'Sun, 99 Sep 2099 00:00:00 GMT',
    'Sun, 00 Sep 2099 00:00:00 GMT',
    'Mon, 30 Feb 2026 00:00:00 GMT',
    'Sunday, 31-Nov-94 08:49:37 GMT',
    'Sun Nov 31 08:49:37 1994',
  ])
    expect(parseHttpDate(text, now)).toBeUndefined();
});

test('a year of two digits lies at most fifty years ahead (RFC 9110 §5.6.7)', () => {
  const now = Date.UTC(2026, 0, 1);
  const yearOf = (text: string): number =>
    new Date(parseHttpDate(`Sunday, 06-Nov-${text} 08:49:37 GMT`, now) ?? 0).getUTCFullYear();
  expect(['25', '26', '76', '77', '99', '00'].map(yearOf)).toEqual([2025, 2026, 2076, 1977, 1999, 2000]);
});

test('text has a charset, other types have none, and an unknown extension is bytes', () => {
  expect(['a.html', 'a.js', 'a.png', 'a.unknown', 'README'].map(mediaTypeOf)).toEqual([
    'text/html;charset=utf-8',
    'text/javascript;charset=utf-8',
    'image/png',
    'application/octet-stream',
    'application/octet-stream',
  ]);
});
