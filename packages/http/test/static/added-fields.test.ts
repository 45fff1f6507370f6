// Header fields and error pages of the operator.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RequestContext } from '../../src/handler.ts';
import { serveFiles, type ServeFilesOptions } from '../../src/static/serve-files.ts';
import { ask } from '../ask.ts';

const OLD = new Date('2025-01-01T00:00:00Z');
let root = '';
beforeAll(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-fields-'));
  for (const directory of ['assets', 'list']) fs.mkdirSync(path.join(root, directory));
  const files = {
    'index.html': '<p>home',
    '404.html': '<p>lost',
    'assets/a.js': 'js',
    'assets/big.bin': 'x'.repeat(200_000),
    'list/a.txt': 'a',
  };
  for (const [name, text] of Object.entries(files)) {
    fs.writeFileSync(path.join(root, name), text);
    fs.utimesSync(path.join(root, name), OLD, OLD);
  }
});
afterAll(() => fs.rmSync(root, { recursive: true }));

test('a file that never changes is one by any spelling of its path', async () => {
  const handler = serveFiles(root, { immutable: /^\/assets\/.*\.js$/ });
  const told = await Promise.all(
    ['/assets/a.js', '/%61ssets/a%2Ejs', '//assets/a.js', '/assets/big.bin'].map(async (target) =>
      (await ask(handler, target)).headers.get('cache-control'),
    ),
  );
  const forever = 'public, max-age=31536000, immutable';
  expect(told).toEqual([forever, forever, forever, 'no-cache']);
});

describe('fields by path', () => {
  const options: ServeFilesOptions = {
    headers: [
      { headers: { 'X-All': 'yes', 'X-Twice': 'first' } },
      { path: /^\/assets\//g, headers: { 'Access-Control-Allow-Origin': '*', 'cache-control': 'max-age=60' } },
      { path: /\.js$/, headers: { 'X-Twice': 'last', 'X-Content-Type-Options': '' } },
    ],
  };
  const added = async (target: string, headers: Record<string, string> = {}): Promise<readonly unknown[]> => {
    const handler = serveFiles(root, options);
    // From the disk, and from memory.
    const answers = [await ask(handler, target, { headers }), await ask(handler, target, { headers })];
    const told = answers.map((answer) =>
      ['x-all', 'x-twice', 'access-control-allow-origin', 'cache-control', 'x-content-type-options'].map((name) =>
        answer.headers.get(name),
      ),
    );
    expect(told[1]).toEqual(told[0]);
    return [answers[0]?.status, ...(told[0] ?? [])];
  };

  test.each<readonly [what: string, target: string, fields: Record<string, string>, told: readonly unknown[]]>([
    ['a small file', '/assets/a.js', {}, [200, 'yes', 'last', '*', 'max-age=60', null]],
    ['a large one', '/assets/big.bin', {}, [200, 'yes', 'first', '*', 'max-age=60', 'nosniff']],
    ['a part of it', '/assets/big.bin', { Range: 'bytes=0-1' }, [206, 'yes', 'first', '*', 'max-age=60', 'nosniff']],
    ['a file that is known', '/assets/a.js', { 'If-None-Match': '*' }, [304, 'yes', 'last', '*', 'max-age=60', null]],
    ['a path with an encoded letter', '/%61ssets/a.js', {}, [200, 'yes', 'last', '*', 'max-age=60', null]],
    ['one with an encoded dot', '/assets/a%2Ejs', {}, [200, 'yes', 'last', '*', 'max-age=60', null]],
    ['one with more slashes', '//assets//a.js', {}, [200, 'yes', 'last', '*', 'max-age=60', null]],
    ['a missing one with more slashes', '//assets//none', {}, [404, 'yes', 'first', '*', 'max-age=60', null]],
    ['a page', '/', {}, [200, 'yes', 'first', null, 'no-cache', 'nosniff']],
    ['a query is none of the path', '/?/assets/a.js', {}, [200, 'yes', 'first', null, 'no-cache', 'nosniff']],
    ['what is missing', '/assets/none.js', {}, [404, 'yes', 'last', '*', 'max-age=60', null]],
    ['a bad path', '/%', {}, [400, 'yes', 'first', null, null, null]],
    ['a redirect', '/assets', {}, [308, 'yes', 'first', null, null, null]],
    ['a listing', '/list/', {}, [200, 'yes', 'first', null, 'no-cache', 'nosniff']],
    [
      'a range that is none',
      '/assets/big.bin',
      { Range: 'bytes=900000-' },
      [416, 'yes', 'first', '*', 'max-age=60', null],
    ],
  ])('reach %s', async (_, target, fields, told) => {
    expect(await added(target, fields)).toEqual(told);
  });

  test('reach other methods', async () => {
    const { status, headers } = await ask(serveFiles(root, options), '/', { method: 'DELETE' });
    expect([status, headers.get('x-all')]).toEqual([405, 'yes']);
  });

  test('the fallback of an application has those of the path that was asked for', async () => {
    const handler = serveFiles(root, { spa: true, headers: [{ path: /^\/app/, headers: { 'X-App': 'yes' } }] });
    const page = { headers: { Accept: 'text/html' } };
    for (let turn = 0; turn < 2; turn += 1) {
      expect((await ask(handler, '/app/route', page)).headers.get('x-app')).toBe('yes');
      expect((await ask(handler, '/other', page)).headers.get('x-app')).toBeNull();
    }
  });

  test.each([
    [{ 'X Y': 'a' }],
    [{ 'X-A': 'a\r\nX-B: b' }],
    [{ 'X-A': '\u2713' }],
    [{ 'Content-Length': '1' }],
    [{ ETag: '"x"' }],
    [{ vary: 'x' }],
  ])('%j is refused at the start', (headers) => {
    expect(() => serveFiles(root, { headers: [{ headers }] })).toThrow(TypeError);
  });
});

describe('security headers', () => {
  const named = async (secure: boolean, options: ServeFilesOptions = {}): Promise<Headers> => {
    const handler = serveFiles(root, { securityHeaders: true, ...options });
    const context = { rawTarget: '/assets/a.js', client: { scheme: secure ? 'https' : 'http' } } as RequestContext;
    await handler(new Request('http://a/assets/a.js'), context);
    return (await handler(new Request('http://a/assets/a.js'), context)).headers;
  };

  test('are the usual ones, and those for TLS come over TLS alone (RFC 6797 §7.2)', async () => {
    const inClear = await named(false);
    expect(Object.fromEntries(inClear)).toMatchObject({
      'content-security-policy': "base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'strict-origin-when-cross-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
    });
    expect(inClear.has('strict-transport-security')).toBe(false);
    expect((await named(true)).get('strict-transport-security')).toBe('max-age=31536000');
  });

  test('from memory follow the connection, not the one that asked first', async () => {
    const handler = serveFiles(root, { securityHeaders: true });
    const get = async (scheme: string): Promise<boolean> => {
      const context = { rawTarget: '/assets/a.js', client: { scheme } } as RequestContext;
      const { headersOf } = await import('../../src/fetch/response.ts');
      const response = await handler(new Request('http://a/'), context);
      return [...headersOf(response as never)].some(([name]) => name.toLowerCase() === 'strict-transport-security');
    };
    expect([await get('https'), await get('http'), await get('https')]).toEqual([true, false, true]);
  });

  test('give way to a rule, and a listing keeps its stricter policy', async () => {
    const headers = await named(true, {
      headers: [{ headers: { 'X-Frame-Options': '', 'Referrer-Policy': 'no-referrer' } }],
    });
    expect([headers.get('x-frame-options'), headers.get('referrer-policy')]).toEqual([null, 'no-referrer']);
    const listing = await ask(serveFiles(root, { securityHeaders: true }), '/list/');
    expect(listing.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
  });
});

describe('an error page', () => {
  const options: ServeFilesOptions = { errorPages: { 404: '/404.html', 405: '/404.html', 416: '/none.html' } };

  test.each([
    ['GET', '/nothing', {}, 404],
    ['POST', '/', { 'Content-Length': '0' }, 405],
  ])('takes the place of the sentence: %s %s', async (method, target, headers, status) => {
    const received = await ask(serveFiles(root, options), target, { method, headers });
    expect([received.status, received.body, received.headers.get('content-type')]).toEqual([
      status,
      '<p>lost',
      'text/html;charset=utf-8',
    ]);
    expect([received.headers.get('etag'), received.headers.get('last-modified')]).toEqual([null, null]);
  });

  test('keeps what the error says beside its content', async () => {
    const { headers } = await ask(serveFiles(root, options), '/', {
      method: 'POST',
      headers: { 'Content-Length': '0' },
    });
    expect(headers.get('allow')).toBe('GET, HEAD');
  });

  test('has no content for HEAD', async () => {
    const { status, body, headers } = await ask(serveFiles(root, options), '/nothing', { method: 'HEAD' });
    expect([status, body, headers.get('content-length')]).toEqual([404, '', '7']);
  });

  test('that is not there leaves the sentence', async () => {
    const { status, body } = await ask(serveFiles(root, options), '/assets/big.bin', {
      headers: { Range: 'bytes=900000-' },
    });
    expect([status, body]).toEqual([416, 'The file has no such range.\n']);
  });

  test('is a file like another when it is asked for', async () => {
    expect(await ask(serveFiles(root, options), '/404.html')).toMatchObject({ status: 200, body: '<p>lost' });
  });

  test.each([[{ 200: '/404.html' }], [{ 404: '404.html' }], [{ 404: '/../x' }], [{ 404: '/dir/' }]])(
    '%j is refused at the start',
    (errorPages) => {
      expect(() => serveFiles(root, { errorPages: errorPages as Record<404, string> })).toThrow(TypeError);
    },
  );
});
