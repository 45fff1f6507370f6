// Files that change, vanish or can't be read at the worst moment, and what a client sees of that.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock, type Clock } from '@wellknown/core';
import type { FetchHandler } from '../../src/handler.ts';
import { serveFiles, type ServeFilesOptions } from '../../src/static/serve-files.ts';
import { ask } from '../ask.ts';

const OLD = new Date('2025-01-01T00:00:00Z');
const GZIP = { 'Accept-Encoding': 'gzip' };
let base = '';
let root = '';
let wall = { ms: 0 };

beforeEach(() => {
  base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-changes-')));
  root = path.join(base, 'site');
  fs.mkdirSync(root);
  wall = { ms: Date.now() };
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(base, { recursive: true });
});

/** Writes a file that has rested since long ago. */
function put(name: string, content: string, at: Date = OLD): string {
  const file = path.join(root, name);
  fs.writeFileSync(file, content);
  fs.utimesSync(file, at, at);
  return file;
}

const serve = (options: ServeFilesOptions = {}): FetchHandler =>
  serveFiles(root, { clock: { ...systemClock, wallMs: () => wall.ms } satisfies Clock, ...options });
const secondLater = (): void => {
  wall.ms += 1_000;
};

describe('a file in memory', () => {
  test.each<readonly [how: string, change: (file: string) => void, after: readonly [status: number, body: string]]>([
    ['written over, its time set back', () => void put('a.txt', 'after!'), [200, 'after!']],
    ['replaced by a rename', (file) => fs.renameSync(put('b.txt', 'after!'), file), [200, 'after!']],
    ['deleted', (file) => fs.rmSync(file), [404, 'Not found.\n']],
    [
      'replaced by a directory',
      (file) => {
        fs.rmSync(file);
        fs.mkdirSync(file);
      },
      [308, ''],
    ],
    [
      'replaced by a link that leads out',
      (file) => {
        fs.renameSync(file, path.join(base, 'out.txt'));
        fs.symlinkSync('../out.txt', file);
      },
      [404, 'Not found.\n'],
    ],
    [
      'replaced by a link that stays inside',
      (file) => {
        fs.rmSync(file);
        put('b.txt', 'after!');
        fs.symlinkSync('b.txt', file);
      },
      [200, 'after!'],
    ],
  ])('that is %s is seen within a second', async (_, change, after) => {
    const file = put('a.txt', 'before');
    const handler = serve();
    await ask(handler, '/a.txt');
    change(file);
    expect((await ask(handler, '/a.txt')).body).toBe('before');
    secondLater();
    const { status, body } = await ask(handler, '/a.txt');
    expect([status, body]).toEqual(after);
  });

  test('that gains or loses a compressed form is sent accordingly', async () => {
    put('a.js', 'plain');
    const handler = serve();
    const get = async (): Promise<string> => (await ask(handler, '/a.js', { headers: GZIP })).body;
    expect(await get()).toBe('plain');
    const sidecar = put('a.js.gz', 'GZIP');
    secondLater();
    expect(await get()).toBe('GZIP');
    fs.rmSync(sidecar);
    secondLater();
    expect(await get()).toBe('plain');
  });

  test('is sent without a look at the disk, whatever the query says', async () => {
    put('a.js', 'plain');
    const handler = serve();
    await ask(handler, '/a.js?v=1');
    const [open, stat] = [vi.spyOn(fs, 'open'), vi.spyOn(fs, 'stat')];
    expect((await ask(handler, '/a.js?v=2')).body).toBe('plain');
    expect([open.mock.calls.length, stat.mock.calls.length]).toEqual([0, 0]);
  });

  test('is looked at once for all who ask at the same time', async () => {
    const file = put('a.js', 'plain');
    const handler = serve();
    await ask(handler, '/a.js');
    secondLater();
    const stat = vi.spyOn(fs, 'stat');
    const bodies = await Promise.all(Array.from({ length: 20 }, async () => (await ask(handler, '/a.js')).body));
    expect(new Set(bodies)).toEqual(new Set(['plain']));
    expect(stat.mock.calls.filter(([looked]) => looked === file).length).toBe(1);
  });
});

describe('a file that is written while it is read', () => {
  test('into memory is read again, and not taken for missing', async () => {
    put('a.txt', 'before');
    const read = fs.read;
    const spy = vi.spyOn(fs, 'read').mockImplementationOnce((...args: Parameters<typeof fs.read>) => {
      put('a.txt', 'after!', new Date('2025-01-02T00:00:00Z'));
      read(...args);
    });
    expect(await ask(serve(), '/a.txt')).toMatchObject({ status: 200, body: 'after!' });
    expect(spy).toHaveBeenCalledTimes(2);
  });

  test('over and over is said to be busy', async () => {
    put('a.txt', 'before');
    const read = fs.read;
    let day = 1;
    vi.spyOn(fs, 'read').mockImplementation((...args: Parameters<typeof fs.read>) => {
      put('a.txt', 'after!', new Date(Date.UTC(2025, 1, (day += 1))));
      read(...args);
    });
    const { status, headers } = await ask(serve(), '/a.txt');
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  });

  test.each<readonly [what: string, headers: Readonly<Record<string, string>>, options: ServeFilesOptions]>([
    ['a small part of a large one', { Range: 'bytes=-10' }, {}],
    ['the whole of a small one that is not to be kept', {}, { cache: { maxBytes: 0 } }],
  ])('is looked at again, as long as nothing was said of it: %s', async (what, headers, options) => {
    put('a.log', `${'a'.repeat(what.includes('large') ? 100_000 : 0)}0123456789`);
    const read = fs.read;
    const spy = vi.spyOn(fs, 'read').mockImplementationOnce((...args: Parameters<typeof fs.read>) => {
      fs.appendFileSync(path.join(root, 'a.log'), 'more');
      read(...args);
    });
    const { body, headers: answered } = await ask(serve(options), '/a.log', { headers });
    expect(body.slice(-10)).toBe('456789more');
    expect(Number(answered.get('content-length'))).toBe(body.length);
    expect(spy).toHaveBeenCalledTimes(2);
  });

  test('a moment after it was written is read again as well, and not kept', async () => {
    const justNow = new Date(wall.ms);
    put('a.txt', 'before', justNow);
    const read = fs.read;
    const spy = vi.spyOn(fs, 'read').mockImplementationOnce((...args: Parameters<typeof fs.read>) => {
      put('a.txt', 'after, and longer', justNow);
      read(...args);
    });
    const handler = serve();
    expect(await ask(handler, '/a.txt')).toMatchObject({ status: 200, body: 'after, and longer' });
    expect(await ask(handler, '/a.txt')).toMatchObject({ status: 200, body: 'after, and longer' });
    expect(spy).toHaveBeenCalledTimes(3);
  });
});

describe('a compressed form that can’t be sent leaves the original as it is', () => {
  test.each<readonly [why: string, spoil: (sidecar: string) => void]>([
    [
      'it leads out of the root',
      (sidecar) => {
        fs.renameSync(sidecar, path.join(base, 'secret.gz'));
        fs.symlinkSync('../secret.gz', sidecar);
      },
    ],
    ['it may not be read', (sidecar) => refuseToOpen(sidecar)],
    ['it is gone since it was found', (sidecar) => fs.rmSync(sidecar)],
  ])('%s', async (_, spoil) => {
    put('a.js', 'plain');
    const sidecar = put('a.js.gz', 'SECRET');
    const handler = serve();
    // Known with both forms; the compressed one has not been opened yet.
    await ask(handler, '/a.js');
    spoil(sidecar);
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await ask(handler, '/a.js', { headers: GZIP })).toMatchObject({ status: 200, body: 'plain' });
      secondLater();
    }
  });

  /** As for a user without the right to; tests may run as root, who has every right. */
  function refuseToOpen(refused: string): void {
    const open = fs.open;
    vi.spyOn(fs, 'open').mockImplementation(((
      file: string,
      flags: number,
      done: (error: Error | null, descriptor?: number) => void,
    ) => {
      if (file === refused) done(Object.assign(new Error('no'), { code: 'EACCES' }));
      else open(file, flags, done);
    }) as typeof fs.open);
  }
});

describe('what is said to caches', () => {
  test('a pattern with the flag g matches every time', async () => {
    put('app.abc123.js', 'x');
    const handler = serve({ immutable: /\.[0-9a-f]{6}\./g, cache: { maxBytes: 0 } });
    for (let turn = 0; turn < 3; turn += 1)
      expect((await ask(handler, '/app.abc123.js')).headers.get('cache-control')).toBe(
        'public, max-age=31536000, immutable',
      );
  });

  test('the fallback of a single-page application varies with Accept, and so does its absence; assets and the page itself don’t', async () => {
    put('index.html', '<p>root');
    put('index.html.gz', 'GZIP');
    const handler = serve({ spa: true });
    const varyOf = async (target: string, accept: string): Promise<readonly unknown[]> => {
      const { status, headers } = await ask(handler, target, { headers: { Accept: accept } });
      return [status, headers.get('vary')];
    };
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await varyOf('/route', 'text/html')).toEqual([200, 'Accept, Accept-Encoding']);
      expect(await varyOf('/route', 'application/json')).toEqual([404, 'Accept']);
      expect(await varyOf('/missing.js', 'text/html')).toEqual([404, null]);
      expect(await varyOf('/', 'text/html')).toEqual([200, 'Accept-Encoding']);
    }
  });

  test('the fallback is kept in memory like any page', async () => {
    put('index.html', '<p>root');
    const handler = serve({ spa: true });
    const page = { headers: { Accept: 'text/html' } };
    await ask(handler, '/route', page);
    const read = vi.spyOn(fs, 'read');
    expect((await ask(handler, '/other', page)).body).toBe('<p>root');
    expect(read).not.toHaveBeenCalled();
  });

  test('only GET and HEAD get the fallback', async () => {
    put('index.html', '<p>root');
    const handler = serve({ spa: true });
    expect(
      (await ask(handler, '/route', { method: 'POST', headers: { Accept: 'text/html', 'Content-Length': '0' } }))
        .status,
    ).toBe(405);
    expect((await ask(handler, '/route', { method: 'HEAD', headers: { Accept: 'text/html' } })).status).toBe(200);
  });
});
