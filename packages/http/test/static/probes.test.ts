// What static servers in wide use get wrong: two of them end their process on one of these lines, most of the others
// send the wrong bytes or the wrong file. Every probe is asked of the disk and of the memory, whose responses take
// different ways.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FetchHandler } from '../../src/handler.ts';
import { serveFiles, type ServeFilesOptions } from '../../src/static/serve-files.ts';
import { ask, type Question } from '../ask.ts';
import type { ReadResponse } from '../serve.ts';

const TEXT = Array.from({ length: 100 }, (_, line) => `line ${String(line).padStart(4, '0')}`).join('\n') + '\n';
const MODIFIED = 'Wed, 01 Jan 2025 00:00:00 GMT';
const BEFORE = 'Tue, 31 Dec 2024 23:59:59 GMT';
let base = '';
let root = '';

beforeAll(() => {
  base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-probes-')));
  root = path.join(base, 'site');
  const files: Record<string, string> = {
    't.txt': TEXT,
    'app.js': 'plain',
    'app.js.br': 'BROTLI',
    'app.js.gz': 'GZIP',
    'é.txt': 'accent',
    'sub/a.txt': 'a',
    '.env': 'SECRET',
    '.git/config': 'SECRET',
    '../outside.txt': 'SECRET',
    '../site-old/x.txt': 'SECRET',
    x: 'public',
  };
  const at = new Date('2025-01-01T00:00:00.250Z');
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    fs.utimesSync(file, at, at);
  }
  fs.symlinkSync('../outside.txt', path.join(root, 'out.txt'));
  fs.symlinkSync('../site-old', path.join(root, 'old'));
});
afterAll(() => fs.rmSync(base, { recursive: true }));

type Fields = Readonly<Record<string, string>>;
type Row = readonly [
  what: string,
  fields: (etag: string) => Fields,
  status: number,
  contentRange: string | null,
  body: string,
];

const whole = (what: string, fields: (etag: string) => Fields): Row => [what, fields, 200, null, TEXT];
const part = (range: string, first: number, last: number): Row => [
  range,
  () => ({ Range: range }),
  206,
  `bytes ${first}-${last}/1000`,
  TEXT.slice(first, last + 1),
];
const none = (range: string): Row => [
  range,
  () => ({ Range: range }),
  416,
  'bytes */1000',
  'The file has no such range.\n',
];
const ignored = (range: string): Row => whole(range, () => ({ Range: range }));
const condition = (what: string, status: 304 | 412, fields: (etag: string) => Fields): Row => [
  what,
  fields,
  status,
  null,
  status === 304 ? '' : 'A precondition does not hold.\n',
];

const HUGE = '9'.repeat(400);
const ranges: readonly Row[] = [
  part('bytes=0-0', 0, 0),
  part('bytes=-10', 990, 999),
  part('bytes=-99999', 0, 999),
  part(`bytes=-${HUGE}`, 0, 999),
  part('bytes=0-99999999999999999999', 0, 999),
  part(`bytes=0-${HUGE}`, 0, 999),
  part('bytes=999-', 999, 999),
  part('bytes=0-99,50-149', 0, 149),
  part('bytes=50-149,0-99', 0, 149),
  part('bytes=0-0,5000-', 0, 0),
  none('bytes=1000-'),
  none('bytes=-0'),
  none(`bytes=${HUGE}-`),
  none('bytes=5000-,6000-7000'),
  ignored('bytes=5-2'),
  ignored('bytes=a-b'),
  ignored('bytes=1-2-3'),
  ignored('bytes=0x0-1'),
  ignored('bytes=--1'),
  ignored('bytes=+1-2'),
  ignored('bytes=0-1,5-2'),
  ignored('bytes'),
  ignored('bytes='),
  ignored('bytes=,'),
  ignored('items=0-1'),
  ignored('=0-1'),
  ignored(`bytes=${Array.from({ length: 17 }, (_, index) => `${index * 50}-${index * 50}`).join(',')}`),
  ignored(`bytes=${'0-,'.repeat(1_300)}0-`),
];

const conditions: readonly Row[] = [
  ['If-Range with the tag', (etag) => ({ Range: 'bytes=0-0', 'If-Range': etag }), 206, 'bytes 0-0/1000', 'l'],
  ['If-Range with the date', () => ({ Range: 'bytes=0-0', 'If-Range': MODIFIED }), 206, 'bytes 0-0/1000', 'l'],
  whole('If-Range with another tag', () => ({ Range: 'bytes=0-0', 'If-Range': '"other"' })),
  whole('If-Range with the tag made weak', (etag) => ({ Range: 'bytes=0-0', 'If-Range': `W/${etag}` })),
  whole('If-Range with another date', () => ({ Range: 'bytes=0-0', 'If-Range': BEFORE })),
  whole('If-Range that fails, with a range that is not there', () => ({ Range: 'bytes=5000-', 'If-Range': '"other"' })),
  whole('If-Range without Range', (etag) => ({ 'If-Range': etag })),
  condition('If-None-Match with the tag', 304, (etag) => ({ 'If-None-Match': etag })),
  condition('If-None-Match with a list', 304, (etag) => ({ 'If-None-Match': `"a", "b,c" ,${etag}` })),
  condition('If-None-Match with the tag made weak', 304, (etag) => ({ 'If-None-Match': `W/${etag}` })),
  condition('If-None-Match: *', 304, () => ({ 'If-None-Match': '*' })),
  whole('If-None-Match with another tag', () => ({ 'If-None-Match': '"other"' })),
  whole('If-None-Match with another tag, which makes If-Modified-Since mean nothing', () => ({
    'If-None-Match': '"other"',
    'If-Modified-Since': MODIFIED,
  })),
  condition('If-None-Match before Range', 304, (etag) => ({ 'If-None-Match': etag, Range: 'bytes=0-0' })),
  condition('If-Modified-Since the same second', 304, () => ({ 'If-Modified-Since': MODIFIED })),
  whole('If-Modified-Since the second before', () => ({ 'If-Modified-Since': BEFORE })),
  whole('If-Modified-Since that is no date', () => ({ 'If-Modified-Since': '2025-01-01' })),
  condition('If-Match with another tag', 412, () => ({ 'If-Match': '"other"' })),
  condition('If-Match with the tag made weak', 412, (etag) => ({ 'If-Match': `W/${etag}` })),
  condition('If-Match before If-None-Match', 412, (etag) => ({ 'If-Match': '"other"', 'If-None-Match': etag })),
  whole('If-Match with the tag', (etag) => ({ 'If-Match': etag })),
  whole('If-Match: *', () => ({ 'If-Match': '*' })),
  condition('If-Unmodified-Since before', 412, () => ({ 'If-Unmodified-Since': BEFORE })),
  whole('If-Unmodified-Since the same second', () => ({ 'If-Unmodified-Since': MODIFIED })),
];

describe.each<readonly [string, ServeFilesOptions]>([
  ['from the disk', { cache: { maxBytes: 0 } }],
  ['from memory', {}],
])('%s', (_, options) => {
  let handler: FetchHandler;
  let etag = '';
  const get = (target: string, question?: Question): Promise<ReadResponse> => ask(handler, target, question);
  beforeAll(async () => {
    handler = serveFiles(root, options);
    etag = (await get('/t.txt')).headers.get('etag') ?? '';
    await get('/app.js');
  });

  test('the tag of a file that has rested is strong', () => {
    expect(etag).toMatch(/^"[\x21\x23-\x7e]+"$/);
  });

  test.each([...ranges, ...conditions])('%s', async (_what, fields, status, contentRange, body) => {
    const received = await get('/t.txt', { headers: fields(etag) });
    expect([received.status, received.headers.get('content-range'), received.body]).toEqual([
      status,
      contentRange,
      body,
    ]);
  });

  test('several ranges that are far apart come in one multipart response', async () => {
    const { status, headers, body } = await get('/t.txt', { headers: { Range: 'bytes=0-0,-1' } });
    expect([status, headers.get('content-range'), headers.get('content-type')]).toEqual([
      206,
      null,
      expect.stringMatching(/^multipart\/byteranges; boundary=/),
    ]);
    expect(body.match(/^Content-Range: bytes .*$/gm)).toEqual([
      'Content-Range: bytes 0-0/1000',
      'Content-Range: bytes 999-999/1000',
    ]);
  });

  test('If-None-Match: * does not make a file of what is none', async () => {
    expect((await get('/nothing', { headers: { 'If-None-Match': '*' } })).status).toBe(404);
  });

  test.each<readonly [accepted: string | undefined, coding: string | null, body: string]>([
    [undefined, null, 'plain'],
    ['', null, 'plain'],
    ['gzip', 'gzip', 'GZIP'],
    ['gzip, deflate, br, zstd', 'br', 'BROTLI'],
    ['gzip;q=0', null, 'plain'],
    ['gzip;q=0, br;q=0.000', null, 'plain'],
    ['br;q=0.1, gzip;q=0.2', 'gzip', 'GZIP'],
    ['*', 'br', 'BROTLI'],
    ['br;q=0, *', 'gzip', 'GZIP'],
    ['*;q=0', null, 'plain'],
    ['identity;q=0', null, 'plain'],
    ['identity;q=0, gzip', 'gzip', 'GZIP'],
    ['identity;q=1, gzip;q=0.5', null, 'plain'],
  ])('Accept-Encoding: %s gets %s', async (accepted, coding, body) => {
    const received = await get('/app.js', accepted === undefined ? {} : { headers: { 'Accept-Encoding': accepted } });
    expect([
      received.status,
      received.headers.get('content-encoding'),
      received.headers.get('vary'),
      received.body,
    ]).toEqual([200, coding, 'Accept-Encoding', body]);
  });

  test('a range of a compressed file is one of its bytes as they are sent, and If-Range knows its tag', async () => {
    const accepts = { 'Accept-Encoding': 'br' };
    const tags = {
      br: (await get('/app.js', { headers: accepts })).headers.get('etag') ?? '',
      plain: (await get('/app.js')).headers.get('etag') ?? '',
    };
    const received = await Promise.all([
      get('/app.js', { headers: { ...accepts, Range: 'bytes=0-1' } }),
      get('/app.js', { headers: { ...accepts, Range: 'bytes=0-1', 'If-Range': tags.br } }),
      get('/app.js', { headers: { ...accepts, Range: 'bytes=0-1', 'If-Range': tags.plain } }),
    ]);
    expect(
      received.map(({ status, headers, body }) => [
        status,
        headers.get('content-encoding'),
        headers.get('content-range'),
        body,
      ]),
    ).toEqual([
      [206, 'br', 'bytes 0-1/6', 'BR'],
      [206, 'br', 'bytes 0-1/6', 'BR'],
      [200, 'br', null, 'BROTLI'],
    ]);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s is answered with 405 and Allow', async (method) => {
    const { status, headers } = await get('/t.txt', { method });
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test.each<readonly [target: string, status: number]>([
    ['/.env', 404],
    ['/.git/config', 404],
    ['/%2eenv', 404],
    ['/out.txt', 404],
    ['/old/x.txt', 404],
    ['/old/', 404],
    ['/old', 404],
    ['/../outside.txt', 400],
    ['/sub/../t.txt', 400],
    ['/%2e%2e/outside.txt', 400],
    ['/%2e%2e%2foutside.txt', 400],
    ['/..%2foutside.txt', 400],
    ['/..%5coutside.txt', 404],
    ['/sub%5ca.txt', 404],
    ['/..\\outside.txt', 400],
    ['/sub%2fa.txt', 400],
    ['/../site-old/x.txt', 400],
    ['/x%00', 400],
    ['/x%00.txt', 400],
    ['/%0a', 404],
    ['/%', 400],
    ['/x%', 400],
    ['/%4', 400],
    ['/%g1', 400],
    ['/%ff', 400],
    ['/%c0%af', 400],
    ['/t.txt/', 404],
    ['/t.txt/.', 400],
    ['/t.txt/x', 404],
    [`/${'a'.repeat(300)}`, 404],
    [`/${'a/'.repeat(3_000)}`, 404],
    ['//evil.com/..', 400],
    ['//evil.com/%2e%2e', 400],
    ['/%2f%2fevil.com/', 400],
  ])('%s: %i', async (target, status) => {
    const received = await get(target);
    expect([received.status, received.headers.get('location')]).toEqual([status, null]);
    expect(received.body).not.toContain('SECRET');
  });

  test.each([
    ['/sub', './sub/'],
    ['/sub?a=/b', './sub/?a=/b'],
    ['//sub', './sub/'],
    ['///sub', './sub/'],
  ])('%s leads to %s, which is never another host', async (target, location) => {
    const { status, headers } = await get(target);
    expect([status, headers.get('location')]).toEqual([308, location]);
  });

  test('a name beyond ASCII is found, and an encoded one is decoded once', async () => {
    expect((await get('/%C3%A9.txt')).body).toBe('accent');
    expect((await get('/%2574.txt')).status).toBe(404);
  });
});

test('TRACE is not taken for a method of files', async () => {
  const { status, headers } = await ask(serveFiles(root), '/t.txt', { method: 'TRACE' });
  expect([status, headers.get('allow')]).toEqual([405, expect.not.stringContaining('TRACE')]);
});
