// What a handler of this package gives is its caller's: middleware may change it, read it or throw it away, and nobody
// else sees that.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basicAuth, redirectToHttps, serveFiles, type FetchHandler } from '../../src/index.ts';
import { ask, type Question } from '../ask.ts';

const OLD = new Date('2025-01-01T00:00:00Z');
let root = '';

beforeAll(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-own-')));
  fs.mkdirSync(path.join(root, 'folder'));
  const put = (name: string, content: string): void => {
    fs.writeFileSync(path.join(root, name), content);
    fs.utimesSync(path.join(root, name), OLD, OLD);
  };
  put('small.txt', 'hello\n');
  put('index.html', '<p>here</p>');
  put('middle.txt', 'm'.repeat(100_000));
  put('large.txt', 'l'.repeat(2_000_000));
  put('lost.html', '<p>lost</p>');
  put('folder/a.txt', 'a');
});
afterAll(() => fs.rmSync(root, { recursive: true }));

const files: () => FetchHandler = () => serveFiles(root, { errorPages: { 404: '/lost.html' } });
const withFields: () => FetchHandler = () => serveFiles(root, { securityHeaders: true });

const CASES: readonly (readonly [what: string, make: () => FetchHandler, target: string, question: Question])[] = [
  ['a small file', files, '/small.txt', {}],
  ['a small file with fields of its path', withFields, '/small.txt', {}],
  ['a small file of a form that is asked about', files, '/small.txt', { headers: { 'If-None-Match': '"x"' } }],
  ['a part of a small file', files, '/small.txt', { headers: { Range: 'bytes=1-2' } }],
  ['the head of a small file', files, '/small.txt', { method: 'HEAD' }],
  ['an index page', files, '/', {}],
  ['a file that is not copied', files, '/middle.txt', {}],
  ['a large file', files, '/large.txt', {}],
  ['an error', withFields, '/nothing', {}],
  ['an error page', files, '/nothing', {}],
  ['a method that is not allowed', files, '/small.txt', { method: 'DELETE' }],
  ['a listing', files, '/folder/', {}],
  ['a redirect to a folder', files, '/folder', {}],
  ['a redirect to HTTPS', () => redirectToHttps(), '/small.txt', {}],
  ['a question for a password', () => basicAuth(files(), { users: new Map() }), '/small.txt', {}],
];

const DEEDS: readonly (readonly [string, (response: Response) => unknown])[] = [
  ['changes its fields', (response) => response.headers.append('Set-Cookie', 'session=mine')],
  ['deletes its fields', (response) => [...response.headers.keys()].forEach((name) => response.headers.delete(name))],
  ['reads it', (response) => response.text()],
  ['reads its bytes and writes into them', async (response) => new Uint8Array(await response.arrayBuffer()).fill(0)],
  [
    'reads its stream and writes into that',
    async (response) => {
      const stream = response.body as ReadableStream<Uint8Array> | null;
      (await stream?.getReader().read())?.value?.fill(0);
    },
  ],
  ['cancels it', (response) => response.body?.cancel()],
  ['holds it', (response) => response.body?.getReader()],
];

describe.each(CASES)('%s', (_, make, target, question) => {
  test.each(DEEDS)('is the same for the next when one who got it %s', async (_deed, act) => {
    const handler = make();
    let isMiddleware = false;
    const outer: FetchHandler = async (request, context) => {
      const response = await handler(request, context);
      if (!isMiddleware) return response;
      await act(response);
      return new Response('done');
    };
    const before = await ask(outer, target, question);
    // The first reads the disk, and later ones may have it from memory.
    for (let time = 0; time < 3; time += 1) {
      isMiddleware = true;
      expect((await ask(outer, target, question)).status).toBe(200);
      isMiddleware = false;
      const after = await ask(outer, target, question);
      expect({ ...after, headers: withoutDate(after.headers) }).toEqual({
        ...before,
        headers: withoutDate(before.headers),
      });
    }
  });
});

const withoutDate = (headers: Headers): [string, string][] => [...headers].filter(([name]) => name !== 'date');

test('middleware that adds a cookie adds it to the response of one client', async () => {
  const handler = files();
  const outer: FetchHandler = async (request, context) => {
    const response = await handler(request, context);
    response.headers.append('Set-Cookie', `session=${request.headers.get('x-user')}`);
    return response;
  };
  for (const user of ['alice', 'bob', 'carol', 'dave']) {
    const { headers, body } = await ask(outer, '/small.txt', { headers: { 'X-User': user } });
    expect([headers.get('set-cookie'), body]).toEqual([`session=${user}`, 'hello\n']);
  }
});
