// What is not there: told without a thread, and never from memory.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { eventually } from '@wellknown/core/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { serveFiles } from '../../src/static/serve-files.ts';

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-missing-'));
  fs.mkdirSync(path.join(root, 'sub'));
  fs.writeFileSync(path.join(root, 'sub', 'there.txt'), 'there');
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(root, { recursive: true });
});

type Handler = ReturnType<typeof serveFiles>;
const respond = (handler: Handler, target: string) => handler(new Request(`http://a${target}`), undefined as never);
const isAtOnce = (handler: Handler, target: string): boolean => respond(handler, target) instanceof Response;
/** Asks until the answer needs no thread. */
const untilAtOnce = (handler: Handler, target: string): Promise<void> =>
  eventually(async () => {
    const response = respond(handler, target);
    await response;
    return response instanceof Response;
  });

test('after one that a thread did not find, others near it are answered at once, below what is not there too', async () => {
  const handler = serveFiles(root);
  expect(isAtOnce(handler, '/missing.txt')).toBe(false);
  await untilAtOnce(handler, '/missing.txt');
  for (const target of ['/other.txt', '/nowhere/a/b.txt', '/nowhere/'])
    expect([target, isAtOnce(handler, target)]).toEqual([target, true]);
  expect((await respond(handler, '/other.txt')).status).toBe(404);
  expect(isAtOnce(handler, '/sub/missing.txt')).toBe(false);
  await untilAtOnce(handler, '/sub/missing.txt');
});

test('a file that comes to be is found by the next request, and one that goes is not', async () => {
  const handler = serveFiles(root, { cache: { revalidateMs: 0 } });
  await untilAtOnce(handler, '/new.txt');
  fs.writeFileSync(path.join(root, 'new.txt'), 'new');
  expect(await (await respond(handler, '/new.txt')).text()).toBe('new');
  fs.rmSync(path.join(root, 'new.txt'));
  expect((await respond(handler, '/new.txt')).status).toBe(404);
  fs.symlinkSync('sub/there.txt', path.join(root, 'new.txt'));
  expect(await (await respond(handler, '/new.txt')).text()).toBe('there');
});

test('what lies below a file, and what links lead to, is asked of a thread', async () => {
  const handler = serveFiles(root);
  await untilAtOnce(handler, '/missing.txt');
  fs.symlinkSync('/nowhere-at-all', path.join(root, 'broken.txt'));
  expect(isAtOnce(handler, '/broken.txt')).toBe(false);
  expect(isAtOnce(handler, '/sub/there.txt/below')).toBe(false);
});

test('nothing is asked at once on a file system that may hang', async () => {
  vi.spyOn(fs, 'statfsSync').mockReturnValue({ type: 0x6969 } as fs.StatsFs);
  const handler = serveFiles(root);
  const look = vi.spyOn(fs, 'lstatSync');
  for (let request = 0; request < 5; request += 1) expect((await respond(handler, '/missing.txt')).status).toBe(404);
  expect(look).not.toHaveBeenCalled();
});

test('the fallback of an application and the page for an error are given for it as before', async () => {
  fs.writeFileSync(path.join(root, 'index.html'), 'home');
  fs.writeFileSync(path.join(root, '404.html'), 'none');
  const handler = serveFiles(root, { spa: true, errorPages: { 404: '/404.html' } });
  await untilAtOnce(handler, '/app.js');
  expect(await (await respond(handler, '/app.js')).text()).toBe('none');
  const page = await handler(new Request('http://a/deep', { headers: { Accept: 'text/html' } }), undefined as never);
  expect(await page.text()).toBe('home');
});
