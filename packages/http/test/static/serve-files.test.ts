import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock, type Clock } from '@wellknown/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FetchHandler } from '../../src/handler.ts';
import { serveFiles, type ServeFilesOptions } from '../../src/static/serve-files.ts';
import { ask as askHandler, type Question } from '../ask.ts';
import type { ReadResponse } from '../serve.ts';

const TEXT = Array.from({ length: 100 }, (_, line) => `line ${String(line).padStart(4, '0')}`).join('\n') + '\n';
let base = '';
let root = '';

beforeAll(() => {
  base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-')));
  root = path.join(base, 'site');
  for (const directory of ['sub', 'page', '.git', '.well-known', '../site-old'])
    fs.mkdirSync(path.join(root, directory), { recursive: true });
  const files: Record<string, string> = {
    't.txt': TEXT,
    'empty.txt': '',
    'é.txt': 'accent',
    'sub/a.txt': 'a',
    'page/index.html': '<p>page',
    'index.html': '<p>root',
    '.env': 'SECRET',
    '.git/config': 'SECRET',
    '.well-known/security.txt': 'contact',
    '../site-old/x.txt': 'SECRET',
    '../outside.txt': 'SECRET',
  };
  for (const [name, text] of Object.entries(files)) {
    fs.writeFileSync(path.join(root, name), text);
    fs.utimesSync(path.join(root, name), new Date('2025-01-01T00:00:00.250Z'), new Date('2025-01-01T00:00:00.250Z'));
  }
  fs.symlinkSync('../outside.txt', path.join(root, 'out.txt'));
  fs.symlinkSync('../site-old', path.join(root, 'old'));
  fs.symlinkSync('t.txt', path.join(root, 'in.txt'));
  fs.symlinkSync('nowhere', path.join(root, 'broken.txt'));
  execFileSync('mkfifo', [path.join(root, 'fifo')]);
  fs.writeFileSync(path.join(root, 'big.bin'), Buffer.alloc(300_000, 'abcdefghij'));
});
afterAll(() => fs.rmSync(base, { recursive: true }));

const ask = (
  target: string,
  { options = {}, handler, ...question }: Question & { options?: ServeFilesOptions; handler?: FetchHandler } = {},
): Promise<ReadResponse> => askHandler(handler ?? serveFiles(root, options), target, question);

describe('a file', () => {
  test('is served with type, length, validators and Accept-Ranges', async () => {
    const { status, body, headers } = await ask('/t.txt');
    expect([status, body]).toEqual([200, TEXT]);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/plain;charset=utf-8',
      'content-length': '1000',
      'last-modified': 'Wed, 01 Jan 2025 00:00:00 GMT',
      'accept-ranges': 'bytes',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(headers.get('etag')).toMatch(/^"[^"]+"$/);
  });

  test.each([
    ['/empty.txt', ''],
    ['/%C3%A9.txt', 'accent'],
    ['/.well-known/security.txt', 'contact'],
    ['/page/', '<p>page'],
    ['/', '<p>root'],
    ['/t.txt?query', TEXT],
    ['http://a/sub/a.txt', 'a'],
    ['/in.txt', TEXT],
  ])('%s is found', async (target, body) => {
    expect(await ask(target)).toMatchObject({ status: 200, body });
  });

  test('larger than a buffer arrives whole', async () => {
    const { body } = await ask('/big.bin');
    expect(body === 'abcdefghij'.repeat(30_000)).toBe(true);
  });

  test('HEAD has the head of GET and no content', async () => {
    const get = await ask('/t.txt');
    const head = await ask('/t.txt', { method: 'HEAD' });
    expect(Object.fromEntries(head.headers)).toEqual({
      ...Object.fromEntries(get.headers),
      date: head.headers.get('date'),
    });
    expect(head.body).toBe('');
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    '%s is refused with 405 and Allow (RFC 9110 §15.5.6)',
    async (method) => {
      const { status, headers } = await ask('/t.txt', { method });
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    },
  );

  test('that was just written has a weak tag: another write may leave no trace in its time', async () => {
    fs.writeFileSync(path.join(root, 'fresh.txt'), 'x');
    const clock = { ...(await import('@wellknown/core')).systemClock };
    const { headers } = await ask('/fresh.txt', { options: { clock } });
    fs.rmSync(path.join(root, 'fresh.txt'));
    expect(headers.get('etag')).toMatch(/^W\/"/);
  });
});

describe('what is not served', () => {
  test.each([
    ['/nothing', 404],
    ['/t.txt/', 404],
    ['/t.txt/x', 404],
    ['/.env', 404],
    ['/.git/config', 404],
    ['/out.txt', 404],
    ['/old/x.txt', 404],
    ['/broken.txt', 404],
    ['/fifo', 404],
    ['/../outside.txt', 400],
    ['/%2e%2e/outside.txt', 400],
    ['/..%2foutside.txt', 400],
    ['/%00', 400],
    ['/%', 400],
    [`/${'x'.repeat(300)}`, 404],
  ])('%s: %i', async (target, status) => {
    const response = await ask(target);
    expect(response.status).toBe(status);
    expect(response.body).not.toContain('SECRET');
  });

  test('links are refused, or followed, as the policy says', async () => {
    expect((await ask('/in.txt', { options: { symlinks: 'deny' } })).status).toBe(404);
    expect((await ask('/t.txt', { options: { symlinks: 'deny' } })).status).toBe(200);
    expect((await ask('/out.txt', { options: { symlinks: 'follow' } })).body).toBe('SECRET');
    expect((await ask('/.env', { options: { dotfiles: 'allow' } })).body).toBe('SECRET');
  });

  test('a root that is no directory throws at once', () => {
    expect(() => serveFiles(path.join(root, 't.txt'))).toThrow('is not a directory');
    expect(() => serveFiles(path.join(root, 'nothing'))).toThrow('ENOENT');
  });
});

// What other static servers got wrong: two of these ended a process, most of the others sent the wrong bytes.
describe('ranges', () => {
  test.each([
    ['bytes=0-0', 206, 'bytes 0-0/1000', TEXT.slice(0, 1)],
    ['bytes=-10', 206, 'bytes 990-999/1000', TEXT.slice(990)],
    ['bytes=-99999', 206, 'bytes 0-999/1000', TEXT],
    ['bytes=5-2', 200, null, TEXT],
    ['bytes=0-99999999999999999999', 206, 'bytes 0-999/1000', TEXT],
    ['bytes=a-b', 200, null, TEXT],
    ['items=0-1', 200, null, TEXT],
    ['bytes=0-1,4-5', 206, 'bytes 0-5/1000', TEXT.slice(0, 6)],
    ['bytes=1000-', 416, 'bytes */1000', 'The file has no such range.\n'],
  ])('%s: %i', async (range, status, contentRange, body) => {
    const response = await ask('/t.txt', { headers: { Range: range } });
    expect([response.status, response.headers.get('content-range'), response.body]).toEqual([
      status,
      contentRange,
      body,
    ]);
    expect(response.headers.get('content-length')).toBe(String(body.length));
  });

  test('several parts come as multipart/byteranges, each with its type and place (RFC 9110 §14.6)', async () => {
    for (let turn = 0; turn < 2; turn += 1) {
      const { status, headers, body } = await ask('/t.txt', { headers: { Range: 'bytes=-2, 0-1' } });
      const boundary =
        /^multipart\/byteranges; boundary=([0-9a-f-]{36})$/.exec(headers.get('content-type') ?? '')?.[1] ?? '';
      const part = (range: string, text: string): string =>
        `--${boundary}\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Range: bytes ${range}/1000\r\n\r\n${text}\r\n`;
      expect([status, headers.get('content-range'), body]).toEqual([
        206,
        null,
        `${part('998-999', '9\n')}${part('0-1', 'li')}--${boundary}--\r\n`,
      ]);
    }
  });

  test('parts of a file that is not kept in memory come from the disk', async () => {
    const { status, body } = await ask('/big.bin', { headers: { Range: 'bytes=0-9,100000-100009,-10' } });
    expect(status).toBe(206);
    expect(body.match(/abcdefghij/g)).toHaveLength(3);
  });

  test('If-Range lets a part through only while the file is the same', async () => {
    const etag = (await ask('/t.txt')).headers.get('etag') ?? '';
    expect((await ask('/t.txt', { headers: { Range: 'bytes=0-0', 'If-Range': etag } })).status).toBe(206);
    expect((await ask('/t.txt', { headers: { Range: 'bytes=0-0', 'If-Range': '"other"' } })).status).toBe(200);
  });

  test('HEAD has no ranges', async () => {
    expect((await ask('/t.txt', { method: 'HEAD', headers: { Range: 'bytes=0-0' } })).status).toBe(200);
  });
});

describe('preconditions', () => {
  test('a client that has the file is told so, with its validators', async () => {
    const { headers } = await ask('/t.txt');
    for (const condition of [
      { 'If-None-Match': headers.get('etag') ?? '' },
      { 'If-Modified-Since': headers.get('last-modified') ?? '' },
    ]) {
      const received = await ask('/t.txt', { headers: condition });
      expect([received.status, received.headers.get('etag'), received.headers.get('cache-control')]).toEqual([
        304,
        headers.get('etag'),
        'no-cache',
      ]);
    }
  });

  test('a precondition that fails is answered with 412', async () => {
    expect((await ask('/t.txt', { headers: { 'If-Match': '"x"' } })).status).toBe(412);
    expect((await ask('/t.txt', { headers: { 'If-Unmodified-Since': 'Tue, 31 Dec 2024 00:00:00 GMT' } })).status).toBe(
      412,
    );
  });
});

describe('compressed files beside the original', () => {
  const old = new Date('2025-01-01T00:00:00Z');
  beforeAll(() => {
    for (const [name, text, at] of [
      ['app.js', 'original', old],
      ['app.js.br', 'BR', old],
      ['app.js.gz', 'GZIP', old],
      ['lib.js', 'changed', new Date('2025-02-01T00:00:00Z')],
      ['lib.js.gz', 'STALE', old],
    ] as const) {
      fs.writeFileSync(path.join(root, name), text);
      fs.utimesSync(path.join(root, name), at, at);
    }
  });

  test.each([
    ['br, gzip', 'br', 'BR'],
    ['gzip', 'gzip', 'GZIP'],
    ['gzip;q=0', null, 'original'],
    ['', null, 'original'],
  ])('Accept-Encoding: %s gets %s', async (accepted, coding, body) => {
    const received = await ask('/app.js', { headers: { 'Accept-Encoding': accepted } });
    expect([
      received.headers.get('content-encoding'),
      received.body,
      received.headers.get('vary'),
      received.headers.get('content-type'),
    ]).toEqual([coding, body, 'Accept-Encoding', 'text/javascript;charset=utf-8']);
  });

  test('each representation has a tag of its own, and a 304 names Vary', async () => {
    const plain = (await ask('/app.js')).headers.get('etag') ?? '';
    const compressed = (await ask('/app.js', { headers: { 'Accept-Encoding': 'br' } })).headers.get('etag') ?? '';
    expect(compressed).not.toBe(plain);
    const known = await ask('/app.js', { headers: { 'Accept-Encoding': 'br', 'If-None-Match': compressed } });
    expect([known.status, known.headers.get('vary')]).toEqual([304, 'Accept-Encoding']);
    expect((await ask('/app.js', { headers: { 'Accept-Encoding': 'br', 'If-None-Match': plain } })).status).toBe(200);
  });

  test('one that is older than the original holds what the file once was, and is not sent', async () => {
    expect(await ask('/lib.js', { headers: { 'Accept-Encoding': 'gzip' } })).toMatchObject({ body: 'changed' });
  });

  test('they are not looked for where that is switched off', async () => {
    const { headers, body } = await ask('/app.js', {
      headers: { 'Accept-Encoding': 'br' },
      options: { precompressed: false },
    });
    expect([body, headers.get('vary')]).toEqual(['original', null]);
  });
});

describe('files kept in memory', () => {
  const old = new Date('2025-01-01T00:00:00Z');
  const clockAt = (wall: { ms: number }): Clock => ({ ...systemClock, wallMs: () => wall.ms });

  test('are looked at again after the interval, and not before', async () => {
    const name = path.join(root, 'changing.txt');
    fs.writeFileSync(name, 'before');
    fs.utimesSync(name, old, old);
    const wall = { ms: Date.now() };
    const handler = serveFiles(root, { clock: clockAt(wall) });
    expect((await ask('/changing.txt', { handler })).body).toBe('before');
    fs.writeFileSync(name, 'after!');
    fs.utimesSync(name, old, old);
    expect((await ask('/changing.txt', { handler })).body).toBe('before');
    wall.ms += 1_000;
    expect((await ask('/changing.txt', { handler })).body).toBe('after!');
    fs.rmSync(name);
    wall.ms += 1_000;
    expect((await ask('/changing.txt', { handler })).status).toBe(404);
  });

  test('answer preconditions and ranges like those on the disk', async () => {
    const handler = serveFiles(root);
    const { headers } = await ask('/t.txt', { handler });
    expect((await ask('/t.txt', { handler, headers: { 'If-None-Match': headers.get('etag') ?? '' } })).status).toBe(
      304,
    );
    expect((await ask('/t.txt', { handler, headers: { Range: 'bytes=0-3' } })).body).toBe('line');
    expect((await ask('/t.txt', { handler, method: 'HEAD' })).headers.get('content-length')).toBe('1000');
    expect((await ask('/t.txt', { handler })).body).toBe(TEXT);
  });

  test('are let go when others need the room', async () => {
    const handler = serveFiles(root, { cache: { maxBytes: 5_000 } });
    for (let turn = 0; turn < 3; turn += 1)
      for (const target of ['/t.txt', '/sub/a.txt', '/page/', '/'])
        expect((await ask(target, { handler })).status).toBe(200);
  });

  test('may be none at all', async () => {
    const handler = serveFiles(root, { cache: { maxBytes: 0 } });
    for (let turn = 0; turn < 2; turn += 1) expect((await ask('/t.txt', { handler })).body).toBe(TEXT);
  });
});

test('paths that never change say so', async () => {
  const options = { immutable: /^\/sub\// };
  expect((await ask('/sub/a.txt', { options })).headers.get('cache-control')).toBe(
    'public, max-age=31536000, immutable',
  );
  expect((await ask('/t.txt', { options })).headers.get('cache-control')).toBe('no-cache');
});

describe('directories', () => {
  test.each([
    ['/sub', './sub/'],
    ['/page?x=1', './page/?x=1'],
    ['//sub', './sub/'],
  ])('%s redirects to %s, which can be no other host', async (target, location) => {
    const { status, headers } = await ask(target);
    expect([status, headers.get('location')]).toEqual([308, location]);
  });

  test('one without index.html is listed, without what may not be served', async () => {
    fs.renameSync(path.join(root, 'index.html'), path.join(root, 'kept.html'));
    const { status, headers, body } = await ask('/');
    fs.renameSync(path.join(root, 'kept.html'), path.join(root, 'index.html'));
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html;charset=utf-8']);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(body).toContain('href="./t.txt"');
    expect(body).toContain('href="./sub/"');
    expect(body).toContain('href="./in.txt"');
    expect(body).toContain('href="./.well-known/"');
    for (const hidden of ['.env', '.git', 'out.txt', 'broken', 'fifo', './old'])
      expect(body).not.toContain(`href="./${hidden.replace('./', '')}`);
  });

  test('one without index.html is not found where listing is off', async () => {
    expect((await ask('/sub/', { options: { listing: false } })).status).toBe(404);
  });
});

describe('the fallback of a single-page application', () => {
  const page = { Accept: 'text/html,*/*' };
  test('answers a page that is not there', async () => {
    expect(await ask('/app/route', { headers: page, options: { spa: true } })).toMatchObject({
      status: 200,
      body: '<p>root',
    });
  });
  test.each([
    ['text/html', 200],
    ['application/json;q=0.9, TEXT/HTML ; charset=utf-8;q=0.001', 200],
    ['text/html;q=0', 404],
    ['*/*, text/html ; level=1 ; q=0.000', 404],
    ['*/*', 404],
    ['x-text/html, text/html5', 404],
  ])('answers who takes a page: Accept: %s', async (accept, status) => {
    expect((await ask('/app/route', { headers: { Accept: accept }, options: { spa: true } })).status).toBe(status);
  });
  test('never answers a missing asset, a script’s request, or a refused path', async () => {
    expect((await ask('/missing.js', { headers: page, options: { spa: true } })).status).toBe(404);
    expect((await ask('/api', { headers: { Accept: 'application/json' }, options: { spa: true } })).status).toBe(404);
    expect((await ask('/.env', { headers: page, options: { spa: true } })).status).toBe(404);
  });
});

test('no file stays open after any of these', async () => {
  const targetOf = (descriptor: string): string => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      // That of the reading of the directory, which is closed by now.
      return '';
    }
  };
  // Of the site alone: the table of mounts may be read at the same time.
  const open = (): string[] =>
    fs
      .readdirSync('/proc/self/fd')
      .map(targetOf)
      .filter((file) => file.startsWith(base));
  await ask('/t.txt');
  for (const target of ['/t.txt', '/t.txt/', '/sub', '/sub/', '/out.txt', '/fifo', '/nothing']) await ask(target);
  await ask('/t.txt', { method: 'HEAD' });
  await ask('/t.txt', { headers: { Range: 'bytes=5000-' } });
  await ask('/t.txt', { headers: { 'If-None-Match': '*' } });
  expect(open()).toEqual([]);
});

test('a handler made of files can be called without an engine', async () => {
  const handler = serveFiles(root) as (request: Request) => ReturnType<FetchHandler>;
  const response = await handler(new Request('http://a/sub/a.txt'));
  expect([response.status, await response.text()]).toEqual([200, 'a']);
});
