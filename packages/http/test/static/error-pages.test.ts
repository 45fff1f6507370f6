// Error pages from memory: what an error costs, and when a change of its page is seen.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock, type Clock } from '@wellknown/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FetchHandler } from '../../src/handler.ts';
import { serveFiles, type ServeFilesOptions } from '../../src/static/serve-files.ts';
import { ask } from '../ask.ts';

const OLD = new Date('2025-01-01T00:00:00Z');
let base = '';
let root = '';
let wall = { ms: 0 };

beforeEach(() => {
  base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-errors-')));
  root = path.join(base, 'site');
  fs.mkdirSync(root);
  wall = { ms: Date.now() };
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(base, { recursive: true });
});

/** Writes a page that has rested since long ago. */
function put(content: string, at: Date = OLD): void {
  const file = path.join(root, '404.html');
  fs.writeFileSync(file, content);
  fs.utimesSync(file, at, at);
}

const serve = (options: ServeFilesOptions = {}): FetchHandler =>
  serveFiles(root, {
    errorPages: { 404: '/404.html' },
    clock: { ...systemClock, wallMs: () => wall.ms } satisfies Clock,
    ...options,
  });
const secondLater = (): void => {
  wall.ms += 1_000;
};
const bodyOf = async (handler: FetchHandler): Promise<string> => (await ask(handler, '/nothing')).body;

/** How often the page is opened while `work` runs. */
async function opensDuring(work: () => Promise<unknown>): Promise<number> {
  const open = vi.spyOn(fs, 'open');
  await work();
  const opened = open.mock.calls.filter(([file]) => String(file).endsWith('404.html'));
  open.mockRestore();
  return opened.length;
}

describe('an error page', () => {
  test('is read once, for all errors that ask at the same time and in the second after', async () => {
    put('lost');
    const handler = serve();
    expect(await opensDuring(() => Promise.all(Array.from({ length: 20 }, () => bodyOf(handler))))).toBe(1);
    wall.ms += 999;
    expect(await opensDuring(() => bodyOf(handler))).toBe(0);
    secondLater();
    // Looked at, and not read again.
    expect(await opensDuring(async () => expect(await bodyOf(handler)).toBe('lost'))).toBe(0);
  });

  test('that is not there is looked for once a second too, and found when it comes', async () => {
    const handler = serve();
    expect(await opensDuring(() => Promise.all(Array.from({ length: 20 }, () => bodyOf(handler))))).toBe(1);
    put('lost');
    expect(await bodyOf(handler)).toBe('Not found.\n');
    secondLater();
    expect(await bodyOf(handler)).toBe('lost');
  });

  test.each<readonly [how: string, change: () => void, after: string]>([
    ['written over', () => put('found again'), 'found again'],
    ['deleted', () => fs.rmSync(path.join(root, '404.html')), 'Not found.\n'],
    [
      'replaced by a link that leads out',
      () => {
        fs.renameSync(path.join(root, '404.html'), path.join(base, 'out.html'));
        fs.symlinkSync('../out.html', path.join(root, '404.html'));
      },
      'Not found.\n',
    ],
  ])('%s is another a second later', async (_, change, after) => {
    put('lost');
    const handler = serve();
    expect(await bodyOf(handler)).toBe('lost');
    change();
    expect(await bodyOf(handler)).toBe('lost');
    secondLater();
    expect(await bodyOf(handler)).toBe(after);
  });

  test('in the making, or where nothing is kept, is read for each error', async () => {
    put('lo', new Date(wall.ms));
    const handler = serve();
    expect(await bodyOf(handler)).toBe('lo');
    put('lost', new Date(wall.ms));
    expect(await bodyOf(handler)).toBe('lost');
    put('at rest');
    const forgetful = serve({ cache: { maxBytes: 0 } });
    expect(await opensDuring(async () => [await bodyOf(forgetful), await bodyOf(forgetful)])).toBe(2);
    fs.rmSync(path.join(root, '404.html'));
    expect(await opensDuring(async () => [await bodyOf(forgetful), await bodyOf(forgetful)])).toBe(2);
  });
});
