// Reads of files that the kernel has in memory: at once, as long as the guess holds.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { serveFiles } from '../../src/static/serve-files.ts';
import { ask } from '../ask.ts';
import { serveHandler } from '../serve.ts';
import { eventually } from '@wellknown/core/testing';

const SIZE = 3_000_000;
let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-pace-'));
  fs.writeFileSync(path.join(root, 'big.bin'), Buffer.alloc(SIZE, 'abcdefghij'));
  fs.utimesSync(path.join(root, 'big.bin'), 1, 1);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  fs.rmSync(root, { recursive: true });
});

/** How often the file was read by threads, and at once, for one request. */
async function readsOf(
  handler: ReturnType<typeof serveFiles>,
): Promise<{ later: number; atOnce: number; body: string }> {
  const [later, atOnce] = [vi.spyOn(fs, 'read'), vi.spyOn(fs, 'readSync')];
  const { body } = await ask(handler, '/big.bin');
  const counts = { later: later.mock.calls.length, atOnce: atOnce.mock.calls.length, body };
  later.mockRestore();
  atOnce.mockRestore();
  return counts;
}

// What is asked for again would come from memory.
const FROM_DISK = { cache: { maxFileBytes: 1_000_000 } };

describe('a file that was read a moment ago', () => {
  test('is read at once, and others have their turn in between', async () => {
    const handler = serveFiles(root, FROM_DISK);
    const first = await readsOf(handler);
    const second = await readsOf(handler);
    expect(first.atOnce).toBe(0);
    expect(second.atOnce).toBeGreaterThan(second.later);
    // At least once for each MiB.
    expect(second.later).toBeGreaterThanOrEqual(2);
    expect([first.body.length, second.body === first.body]).toEqual([SIZE, true]);
  });

  test('breaks off when it changes, as any other', async () => {
    const handler = serveFiles(root, FROM_DISK);
    await readsOf(handler);
    const readSync = fs.readSync;
    vi.spyOn(fs, 'readSync').mockImplementationOnce((...args: Parameters<typeof fs.readSync>) => {
      fs.truncateSync(path.join(root, 'big.bin'), 10);
      return readSync(...args);
    });
    const { peer, errors } = serveHandler(handler);
    peer.send('GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => peer.take() === '' && peer.closed);
    expect(errors).toEqual([expect.stringContaining(`it was cut from ${SIZE} to 10 bytes`)]);
  });
});

test('a file on a file system that may hang is read by threads alone', async () => {
  vi.spyOn(fs, 'statfsSync').mockReturnValue({ type: 0x6969 } as fs.StatsFs);
  const handler = serveFiles(root);
  await readsOf(handler);
  expect((await readsOf(handler)).atOnce).toBe(0);
});

test('a file that a precondition keeps from being sent is not opened again for that', async () => {
  const handler = serveFiles(root);
  const { headers } = await ask(handler, '/big.bin', { method: 'HEAD' });
  const open = vi.spyOn(fs, 'open');
  const { status } = await ask(handler, '/big.bin', { headers: { 'If-None-Match': headers.get('etag') ?? '' } });
  expect([status, open.mock.calls.length]).toEqual([304, 0]);
  await ask(handler, '/big.bin');
  expect(open).toHaveBeenCalledOnce();
});

describe('of a file that was looked at a moment ago', () => {
  const PAGES = { errorPages: { 412: '/changed.html', 416: '/changed.html' } };
  const respond = (handler: ReturnType<typeof serveFiles>, headers: Record<string, string>) =>
    handler(new Request('http://a/small.txt', { headers }), undefined as never);
  beforeEach(() => {
    for (const name of ['small.txt', 'changed.html']) {
      fs.writeFileSync(path.join(root, name), 'abcdefghij');
      fs.utimesSync(path.join(root, name), 1, 1);
    }
  });

  test.each([
    ['whole', {}, 200, 'abcdefghij'],
    ['a range', { Range: 'bytes=2-4' }, 206, 'cde'],
    ['that it is the same', { 'If-None-Match': '*' }, 304, ''],
    ['that it is another', { 'If-Match': '"x"' }, 412, 'A precondition does not hold.\n'],
    ['that there is no such range', { Range: 'bytes=20-' }, 416, 'The file has no such range.\n'],
  ])('the response is given at once: %s', async (_, headers, status, text) => {
    const handler = serveFiles(root);
    await respond(handler, {});
    const response = respond(handler, headers);
    expect(response).toBeInstanceOf(Response);
    expect((await response).status).toBe(status);
    expect(await (await response).text()).toBe(text);
  });

  test('an error has its page, at once when that is known', async () => {
    const handler = serveFiles(root, PAGES);
    await respond(handler, {});
    const first = await respond(handler, { Range: 'bytes=20-' });
    expect([first.status, await first.text()]).toEqual([416, 'abcdefghij']);
    const second = respond(handler, { Range: 'bytes=20-' });
    expect(second).toBeInstanceOf(Response);
    expect([(await second).status, await (await second).text()]).toEqual([416, 'abcdefghij']);
  });

  test('the fields of its path are on each', async () => {
    const handler = serveFiles(root, { headers: [{ path: /small/, headers: { 'X-Path': 'small' } }] });
    await respond(handler, {});
    for (const headers of [{}, { Range: 'bytes=2-4' }, { 'If-None-Match': '*' }, { 'If-Match': '"x"' }])
      expect((await respond(handler, headers)).headers.get('x-path')).toBe('small');
  });
});
