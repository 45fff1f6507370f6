// Files whose names or dates nobody expects: each fails no more than itself.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mediaTypeOf } from '../../src/static/file-finder.ts';
import { serveFiles } from '../../src/static/serve-files.ts';
import { ask } from '../ask.ts';

// A file system in memory takes dates that one on a disk cuts off.
const FOLDER = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(path.join(FOLDER, 'wellknown-http-odd-'));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const put = (name: string, content = 'content', seconds?: number): string => {
  const file = path.join(root, name);
  fs.writeFileSync(file, content);
  // Not `utimes`, which takes no such numbers.
  if (seconds !== undefined) execFileSync('touch', ['-d', `@${seconds}`, file]);
  return file;
};

/** What every object of the language has. */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);

describe('a name that every object has a member of', () => {
  test.each(INHERITED)('is no media type: x.%s', async (name) => {
    put(`x.${name}`);
    put(name);
    expect(mediaTypeOf(`x.${name}`)).toBe('application/octet-stream');
    for (const target of [`/x.${name}`, `/${name}`]) {
      const { status, body, headers } = await ask(serveFiles(root), target);
      expect([status, body, headers.get('content-type')]).toEqual([200, 'content', 'application/octet-stream']);
    }
  });
});

describe('a date', () => {
  test.each([
    ['no calendar has', 99_999_999_999_999],
    ['has five digits', 300_000_000_000],
    ['lies before the first year', -99_999_999_999],
  ])('that %s is not told, and the file and its listing are served', async (_, seconds) => {
    put('odd.txt', 'odd', seconds);
    put('plain.txt', 'plain', 1);
    const handler = serveFiles(root);
    for (const headers of [{}, { 'If-Modified-Since': 'Thu, 01 Jan 2015 00:00:00 GMT' }, { Range: 'bytes=0-0' }]) {
      const received = await ask(handler, '/odd.txt', { headers });
      expect(received.status).toBeLessThan(400);
      expect(received.headers.get('last-modified') ?? 'Thu, 01 Jan 1970 00:00:00 GMT').toMatch(
        /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
      );
    }
    for (const query of ['', '?sort=time', '?sort=time&order=desc']) {
      const { status, body } = await ask(handler, `/${query}`);
      expect([status, body.includes('odd.txt'), body.includes('1970-01-01')]).toEqual([200, true, true]);
    }
  });

  test('in the future is sent as now, and the file is kept in memory like another', async () => {
    put('future.txt', 'x', 4_000_000_000);
    const { headers } = await ask(serveFiles(root), '/future.txt');
    expect(Date.parse(headers.get('last-modified') ?? '')).toBeLessThanOrEqual(Date.now());
    expect(headers.get('etag')).toMatch(/^"/);
  });
});

describe('files that all have the same date, as archives and package managers make them', () => {
  test('have another tag for another content, in place and by a rename', async () => {
    const handler = (): ReturnType<typeof serveFiles> => serveFiles(root);
    const tags = new Set<string | null>();
    put('a.txt', 'before', 1);
    const first = (await ask(handler(), '/a.txt')).headers.get('etag') ?? '';
    tags.add(first);
    fs.renameSync(put('b.txt', 'after!', 1), path.join(root, 'a.txt'));
    const replaced = await ask(handler(), '/a.txt', { headers: { 'If-None-Match': first } });
    expect([replaced.status, replaced.body]).toEqual([200, 'after!']);
    tags.add(replaced.headers.get('etag'));
    put('a.txt', 'again.', 1);
    const resumed = await ask(handler(), '/a.txt', { headers: { Range: 'bytes=3-', 'If-Range': first } });
    expect([resumed.status, resumed.body]).toEqual([200, 'again.']);
    tags.add(resumed.headers.get('etag'));
    expect(tags.size).toBe(3);
  });

  test('keep their tag as long as they are what they were', async () => {
    put('a.txt', 'same', 1);
    const tag = async (): Promise<string | null> => (await ask(serveFiles(root), '/a.txt')).headers.get('etag');
    expect(await tag()).toMatch(/^"[\w-]{16}"$/);
    expect(await tag()).toBe(await tag());
  });
});
