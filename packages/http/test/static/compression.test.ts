// Text that is compressed on the fly.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '@wellknown/core';
import type { FetchHandler } from '../../src/handler.ts';
import { Compressor, DEFAULT_COMPRESSION, isCompressible } from '../../src/static/compression.ts';
import { serveFiles, type ServeFilesOptions } from '../../src/static/serve-files.ts';
import { ask } from '../ask.ts';

const OLD = new Date('2025-01-01T00:00:00Z');
const TEXT = 'One line of a text that says the same again.\n'.repeat(100);
const BOTH = { 'Accept-Encoding': 'gzip, br' };
let root = '';
let wall = { ms: 0 };
beforeEach(() => {
  wall = { ms: Date.now() };
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-compression-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(root, { recursive: true });
});
const put = (name: string, content: string | Uint8Array = TEXT): void => {
  fs.writeFileSync(path.join(root, name), content);
  fs.utimesSync(path.join(root, name), OLD, OLD);
};
const serve = (options: ServeFilesOptions = {}): FetchHandler =>
  serveFiles(root, { compress: true, clock: { ...systemClock, wallMs: () => wall.ms }, ...options });
const octets = (body: string): Buffer => Buffer.from(body, 'latin1');

describe('a text without a compressed file beside it', () => {
  test.each([
    ['gzip, br', 'br', (body: string) => zlib.brotliDecompressSync(octets(body)).toString()],
    ['gzip', 'gzip', (body: string) => zlib.gunzipSync(octets(body)).toString()],
    ['identity', null, (body: string) => body],
  ] as const)('is sent to a client that takes %s by %s', async (accepted, coding, decode) => {
    put('a.txt');
    const handler = serve();
    for (let turn = 0; turn < 2; turn += 1) {
      const { body, headers } = await ask(handler, '/a.txt', { headers: { 'Accept-Encoding': accepted } });
      expect([headers.get('content-encoding'), decode(body)]).toEqual([coding, TEXT]);
      expect([headers.get('vary'), headers.get('content-length')]).toEqual(['Accept-Encoding', String(body.length)]);
      expect(headers.get('content-type')).toBe('text/plain;charset=utf-8');
    }
  });

  test('is compressed once for all requests, until it changes', async () => {
    put('a.txt');
    const compress = vi.spyOn(Compressor.prototype, 'compress');
    const handler = serve();
    await Promise.all(Array.from({ length: 10 }, () => ask(handler, '/a.txt', { headers: BOTH })));
    await ask(handler, '/a.txt', { headers: BOTH });
    compress.mockClear();
    await ask(handler, '/a.txt', { headers: BOTH });
    expect(compress).not.toHaveBeenCalled();
    put('a.txt', TEXT.toUpperCase());
    wall.ms += 1_000;
    const { body } = await ask(handler, '/a.txt', { headers: BOTH });
    expect(zlib.brotliDecompressSync(octets(body)).toString()).toBe(TEXT.toUpperCase());
  });

  test('has a weak tag of its own for each coding, which preconditions know', async () => {
    put('a.txt');
    const handler = serve();
    const tags = await Promise.all(
      ['br', 'gzip', 'identity'].map(async (accepted) => {
        const { headers } = await ask(handler, '/a.txt', { headers: { 'Accept-Encoding': accepted } });
        return headers.get('etag') ?? '';
      }),
    );
    expect(new Set(tags).size).toBe(3);
    expect(tags.map((tag) => tag.startsWith('W/'))).toEqual([true, true, false]);
    const [brotli = ''] = tags;
    const compress = vi.spyOn(Compressor.prototype, 'compress');
    const known = await ask(serve(), '/a.txt', { headers: { ...BOTH, 'If-None-Match': brotli } });
    expect([known.status, known.headers.get('vary'), known.body]).toEqual([304, 'Accept-Encoding', '']);
    expect(compress).not.toHaveBeenCalled();
  });

  test('is not compressed for a range, which is one of the file', async () => {
    put('a.txt');
    const { status, headers, body } = await ask(serve(), '/a.txt', { headers: { ...BOTH, Range: 'bytes=0-7' } });
    expect([status, headers.get('content-encoding'), body]).toEqual([206, null, 'One line']);
    expect((await ask(serve(), '/a.txt', { headers: BOTH })).headers.get('accept-ranges')).toBeNull();
  });

  test('has the length of what would be sent in the answer to HEAD', async () => {
    put('a.txt');
    const handler = serve();
    const head = await ask(handler, '/a.txt', { method: 'HEAD', headers: BOTH });
    const { body } = await ask(handler, '/a.txt', { headers: BOTH });
    expect([head.headers.get('content-encoding'), head.headers.get('content-length')]).toEqual([
      'br',
      String(body.length),
    ]);
  });

  test('that changes while it is compressed is sent as it became', async () => {
    put('a.txt');
    const read = fs.read;
    vi.spyOn(fs, 'read').mockImplementationOnce((...args: Parameters<typeof fs.read>) => {
      put('a.txt', 'short');
      read(...args);
    });
    expect(await ask(serve(), '/a.txt', { headers: BOTH })).toMatchObject({ status: 200, body: 'short' });
  });
});

describe('what is sent as it is', () => {
  const { minBytes, maxBytes } = DEFAULT_COMPRESSION;
  test.each<readonly [what: string, name: string, content: string, options: ServeFilesOptions]>([
    ['a small text', 'a.txt', 'a'.repeat(minBytes - 1), {}],
    ['a large text', 'a.txt', 'a'.repeat(maxBytes + 1), {}],
    ['an image', 'a.png', TEXT, {}],
    ['bytes of no type', 'a.bin', TEXT, {}],
    ['all where nobody asked for it', 'a.txt', TEXT, { compress: false }],
  ])('%s', async (_, name, content, options) => {
    put(name, content);
    const { headers } = await ask(serve(options), `/${name}`, { headers: BOTH });
    expect([headers.get('content-encoding'), headers.get('vary')]).toEqual([null, null]);
  });

  test.each([minBytes, maxBytes])('but not a text at a bound: %i bytes', async (byteLength) => {
    put('a.txt', 'a'.repeat(byteLength));
    expect((await ask(serve(), '/a.txt', { headers: BOTH })).headers.get('content-encoding')).toBe('br');
  });

  test('text that is no smaller then', async () => {
    put('a.txt', Buffer.from(crypto.getRandomValues(new Uint8Array(2_000))));
    const handler = serve();
    await ask(handler, '/a.txt', { headers: BOTH });
    const { headers, body } = await ask(handler, '/a.txt', { headers: BOTH });
    expect([headers.get('content-encoding'), headers.get('vary'), body.length]).toEqual([null, null, 2_000]);
  });

  test('a file with a compressed one beside it: that is sent', async () => {
    put('a.txt');
    put('a.txt.gz', 'GZIP');
    expect((await ask(serve(), '/a.txt', { headers: BOTH })).body).toBe('GZIP');
  });

  test('what comes while as many are compressed as may be', async () => {
    put('a.txt');
    put('b.txt');
    const handler = serve({ compress: { maxConcurrent: 0 } });
    const { body, headers } = await ask(handler, '/a.txt', { headers: BOTH });
    expect([headers.get('content-encoding'), headers.get('vary'), body]).toEqual([null, 'Accept-Encoding', TEXT]);
  });
});

test('as many contents are compressed at the same time as are allowed, and each only once', async () => {
  const compressor = new Compressor({ ...DEFAULT_COMPRESSION, maxConcurrent: 2 });
  const subjects = [{}, {}, {}];
  let reads = 0;
  const read = (): Promise<Uint8Array> => {
    reads += 1;
    return Promise.resolve(Buffer.from(TEXT));
  };
  const begun = [...subjects, ...subjects].map((subject) => compressor.compress(subject, 'gzip', read));
  expect(begun.map((each) => each !== undefined)).toEqual([true, true, false, true, true, false]);
  expect(
    (await Promise.all(begun.map(async (each) => each))).map((bytes) => bytes && zlib.gunzipSync(bytes).length),
  ).toEqual([TEXT.length, TEXT.length, undefined, TEXT.length, TEXT.length, undefined]);
  expect(reads).toBe(2);
  await expect(compressor.compress({}, 'gzip', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  expect(compressor.compress(subjects[2] ?? {}, 'br', read)).toBeDefined();
});

test('text is compressible, also by other names; what is compressed already is not', () => {
  const types = [
    'text/html;charset=utf-8',
    'image/svg+xml;charset=utf-8',
    'application/json',
    'application/ld+json',
    'application/wasm',
  ];
  expect(types.map(isCompressible)).toEqual(types.map(() => true));
  const others = [
    'image/png',
    'font/woff2',
    'application/zip',
    'video/mp4',
    'application/octet-stream',
    'application/pdf',
  ];
  expect(others.map(isCompressible)).toEqual(others.map(() => false));
});
