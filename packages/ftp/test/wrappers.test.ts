// What each wrapper adds to the promises of every file system (file-system.test.ts runs those).

import { describe, expect, test } from 'vitest';
import type { Entry, FileSystem, WriteTarget } from '../src/file-system.ts';
import { atomicUploads } from '../src/storage/atomic-uploads.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { mount } from '../src/storage/mount.ts';
import { quota } from '../src/storage/quota.ts';
import { readOnly } from '../src/storage/read-only.ts';
import { uploadSink, type SinkUpload } from '../src/storage/upload-sink.ts';

const refused = (error: string) => ({ ok: false, error });
const done = { ok: true, value: undefined };

async function open(files: FileSystem, path: string, more: object = {}): Promise<WriteTarget | string> {
  const target = await files.write?.(path, { mode: 'replace', ...more });
  return target === undefined ? 'missing' : target.ok ? target.value : target.error;
}

async function store(files: FileSystem, path: string, bytes: number, more: object = {}): Promise<string> {
  const target = await open(files, path, more);
  if (typeof target === 'string') return target;
  const written = await target.write([new Uint8Array(bytes)]);
  if (!written.ok) await target.abort();
  const ended = written.ok ? await target.commit() : written;
  return ended.ok ? 'stored' : ended.error;
}

async function entries(files: FileSystem, path: string): Promise<Entry[] | string> {
  const listed = await files.list(path);
  if (!listed.ok) return listed.error;
  const found: Entry[] = [];
  for await (const portion of listed.value) found.push(...portion);
  return found;
}

const names = async (files: FileSystem, path: string): Promise<string[] | string> => {
  const found = await entries(files, path);
  return typeof found === 'string' ? found : found.map(({ name }) => name).sort();
};

test('what is read only refuses every change, and offers no times and modes', async () => {
  const files = readOnly(memoryFileSystem({ files: { '/a': 'a' } }));
  expect(await store(files, '/b', 1)).toBe('denied');
  for (const change of [
    files.removeFile?.('/a'),
    files.makeDirectory?.('/d'),
    files.removeDirectory?.('/d'),
    files.rename?.('/a', '/b'),
  ])
    expect(await change).toEqual(refused('denied'));
  expect(Object.keys(files)).not.toContain('setTimes');
  expect(Object.keys(files)).not.toContain('setMode');
  expect(await names(files, '/')).toEqual(['a']);
});

describe('a quota', () => {
  const limited = (more = {}) => quota(memoryFileSystem({ files: { '/old': '12345' } }), { maxBytes: 10, ...more });

  test('counts what is there, takes as many bytes as it may and not one more', async () => {
    expect(await store(limited(), '/new', 5)).toBe('stored');
    expect(await store(limited(), '/new', 6)).toBe('over-quota');
    expect(await store(limited(), '/new', 1, { expectedBytes: 6 })).toBe('over-quota');
  });

  test('counts while bytes come: two uploads at the same time do not get past it', async () => {
    const files = limited();
    const first = await open(files, '/a');
    const second = await open(files, '/b');
    if (typeof first === 'string' || typeof second === 'string') throw new Error('not opened');
    expect(await first.write([new Uint8Array(3)])).toEqual(done);
    expect(await second.write([new Uint8Array(3)])).toEqual(refused('over-quota'));
    await second.abort();
    expect(await first.write([new Uint8Array(2)])).toEqual(done);
    expect(await first.commit()).toEqual(done);
  });

  test('gives back what is removed, replaced or aborted', async () => {
    const files = limited();
    expect(await store(files, '/new', 5)).toBe('stored');
    expect(await files.removeFile?.('/old')).toEqual(done);
    expect(await store(files, '/other', 5)).toBe('stored');
    // Both are there until the new one is whole.
    expect(await store(files, '/other', 1)).toBe('over-quota');
    expect(await files.rename?.('/new', '/other')).toEqual(done);
    expect(await store(files, '/third', 5)).toBe('stored');
    expect(await files.space?.('/')).toEqual({ ok: true, value: { freeBytes: 0, totalBytes: 10 } });
  });

  test('lets a file grow as far as it may', async () => {
    const files = limited();
    expect(await store(files, '/old', 5, { mode: 'append' })).toBe('stored');
    expect(await store(files, '/old', 1, { mode: 'append' })).toBe('over-quota');
    expect(await files.space?.('/')).toMatchObject({ value: { freeBytes: 0 } });
  });

  test('lets a file that is full be written again from its middle', async () => {
    const files = limited();
    expect(await store(files, '/old', 5, { mode: 'append' })).toBe('stored');
    expect(await store(files, '/old', 4, { startBytes: 6 })).toBe('stored');
    expect(await store(files, '/old', 5, { startBytes: 6 })).toBe('over-quota');
  });

  test('of entries holds for files and directories', async () => {
    const files = limited({ maxEntries: 3 });
    expect(await files.makeDirectory?.('/d')).toEqual(done);
    expect(await store(files, '/new', 1)).toBe('stored');
    expect(await store(files, '/more', 1)).toBe('over-quota');
    expect(await files.makeDirectory?.('/e')).toEqual(refused('over-quota'));
    expect(await files.removeDirectory?.('/d')).toEqual(done);
    expect(await store(files, '/more', 1)).toBe('stored');
  });

  test('sees after a while what others have changed', async () => {
    const inner = memoryFileSystem({ files: { '/old': '12345' } });
    let nowMs = 0;
    const files = quota(inner, { maxBytes: 10, recountMs: 1000, nowMs: () => nowMs });
    expect(await files.space?.('/')).toMatchObject({ value: { freeBytes: 5 } });
    await inner.removeFile('/old');
    expect(await files.space?.('/')).toMatchObject({ value: { freeBytes: 5 } });
    nowMs = 1000;
    expect(await files.space?.('/')).toMatchObject({ value: { freeBytes: 10 } });
  });

  test.each([
    [1, 1000],
    [100, 2000],
    [10_000, 60_000],
  ])('that takes %i ms to count is trusted for %i ms', async (countMs, trustedMs) => {
    const inner = memoryFileSystem({ files: { '/old': '12345' } });
    let nowMs = 0;
    const list: FileSystem['list'] = (path, more) => {
      nowMs += countMs;
      return inner.list(path, more);
    };
    const files = quota({ ...inner, list }, { maxBytes: 10, nowMs: () => nowMs });
    expect(await files.space?.('/')).toMatchObject({ value: { freeBytes: 5 } });
    await inner.removeFile('/old');
    nowMs += trustedMs - 1;
    expect(await store(files, '/new', 6)).toBe('over-quota');
    nowMs += 1;
    expect(await store(files, '/new', 6)).toBe('stored');
  });
});

describe('a mount', () => {
  const mounted = () =>
    mount({
      '/': memoryFileSystem({ files: { '/a': 'a', '/archive/covered': 'x' } }),
      '/archive': readOnly(memoryFileSystem({ files: { '/old/b': 'b' } })),
      '/deep/er': memoryFileSystem({ files: { '/c': 'c' } }),
    });

  test('shows mount points where they are, and covers what is below them', async () => {
    const files = mounted();
    expect(await names(files, '/')).toEqual(['a', 'archive', 'deep']);
    expect(await names(files, '/archive')).toEqual(['old']);
    expect(await names(files, '/deep')).toEqual(['er']);
    expect(await names(files, '/deep/er')).toEqual(['c']);
    expect(await files.stat('/deep')).toMatchObject({ value: { name: 'deep', type: 'directory' } });
    expect(await files.stat('/archive')).toMatchObject({ value: { name: 'archive', type: 'directory' } });
    expect(await files.stat('/archive/old/b')).toMatchObject({ value: { name: 'b', sizeBytes: 1 } });
  });

  test('leaves each its own rules, and its mount points in place', async () => {
    const files = mounted();
    expect(await store(files, '/archive/x', 1)).toBe('denied');
    expect(await store(files, '/deep/er/x', 1)).toBe('stored');
    expect(await files.removeDirectory?.('/deep/er')).toEqual(refused('denied'));
    expect(await files.rename?.('/archive', '/x')).toEqual(refused('denied'));
    expect(await files.makeDirectory?.('/deep')).toEqual(refused('exists'));
    expect(await store(files, '/deep', 1)).toBe('is-directory');
    expect(await files.setMode?.('/a', 0o600)).toEqual(done);
    expect(await files.setMode?.('/archive/old/b', 0o600)).toEqual(refused('unsupported'));
  });

  test('moves from one to another, files and trees', async () => {
    const files = mounted();
    expect(await files.rename?.('/a', '/deep/er/a')).toEqual(done);
    expect(await names(files, '/')).toEqual(['archive', 'deep']);
    await files.makeDirectory?.('/tree');
    await files.makeDirectory?.('/tree/sub');
    expect(await store(files, '/tree/sub/file', 600_000)).toBe('stored');
    expect(await files.rename?.('/tree', '/deep/er/tree')).toEqual(done);
    expect(await files.stat('/deep/er/tree/sub/file')).toMatchObject({ value: { sizeBytes: 600_000 } });
    expect(await files.stat('/tree')).toEqual(refused('not-found'));
    expect(await files.rename?.('/deep/er/c', '/archive/c')).toEqual(refused('denied'));
    expect(await files.stat('/deep/er/c')).toMatchObject({ ok: true });
  });

  test('needs nothing at the root', async () => {
    const files = mount({ '/in': memoryFileSystem(), '/out': memoryFileSystem() });
    expect(await names(files, '/')).toEqual(['in', 'out']);
    expect(await files.stat('/')).toMatchObject({ value: { type: 'directory' } });
    expect(await files.stat('/none')).toEqual(refused('not-found'));
    expect(await store(files, '/file', 1)).toBe('not-found');
  });

  test('at what is no path is a mistake', () => {
    expect(() => mount({ '/a\n': memoryFileSystem() })).toThrow('no absolute path');
  });
});

test('an atomic upload has a hidden name, which nobody may use', async () => {
  const inner = memoryFileSystem();
  const files = atomicUploads(inner, { suffix: () => '0123456789abcdef' });
  const hidden = '.wellknown-upload-0123456789abcdef';
  await inner.write(`/${hidden}`, { mode: 'replace' }).then(async (target) => target.ok && target.value.commit());
  expect(await names(files, '/')).toEqual([]);
  expect(await files.stat(`/${hidden}`)).toEqual(refused('not-found'));
  expect(await store(files, `/${hidden}`, 1)).toBe('bad-name');
  expect(await files.rename?.(`/${hidden}`, '/x')).toEqual(refused('bad-name'));
});

describe('an upload sink', () => {
  interface Received {
    readonly upload: SinkUpload;
    bytes: number;
    end: string;
  }

  /** A sink that reads all, and what it has seen. */
  function sink(answer?: 'denied') {
    const received: Received[] = [];
    const files = uploadSink({
      async receive(upload): Promise<'denied' | undefined> {
        const one = { upload, bytes: 0, end: 'open' };
        received.push(one);
        try {
          for await (const chunk of upload.content) one.bytes += chunk.length;
          one.end = 'whole';
        } catch (error) {
          one.end = error instanceof Error ? error.name : '';
          throw error;
        }
        return answer;
      },
    });
    return { files, received };
  }

  test('may be entered anywhere, shows nothing, and gives each upload to the function', async () => {
    const { files, received } = sink();
    expect(await files.stat('/2026.11.28/camera')).toMatchObject({ value: { type: 'directory' } });
    expect(await files.makeDirectory?.('/2026')).toEqual(done);
    expect(await names(files, '/anywhere')).toEqual([]);
    const caller = { user: 'cam', remoteAddress: '192.0.2.1', secure: false };
    expect(await store(files, '/2026/a.jpg', 5, { caller })).toBe('stored');
    expect(received).toMatchObject([{ upload: { path: '/2026/a.jpg', caller }, bytes: 5, end: 'whole' }]);
    expect(await files.read('/2026/a.jpg', { startBytes: 0 })).toEqual(refused('denied'));
    expect(await store(files, '/2026/a.jpg', 5, { startBytes: 1 })).toBe('bad-start');
  });

  test('tells the function of an upload that will never be whole', async () => {
    const { files, received } = sink();
    const target = await open(files, '/a');
    if (typeof target === 'string') throw new Error(target);
    await target.write([new Uint8Array(3)]);
    await target.abort();
    expect(received).toMatchObject([{ bytes: 3, end: 'AbortError' }]);
  });

  test('refuses what the function refuses, and what it fails at', async () => {
    expect(await store(sink('denied').files, '/a', 1)).toBe('denied');
    const failures: unknown[] = [];
    const failing = uploadSink({
      receive: async (): Promise<void> => Promise.reject(new Error('no disk')),
      failed: (error) => failures.push(error),
    });
    expect(await store(failing, '/a', 1)).toBe('failed');
    expect(failures).toEqual([new Error('no disk')]);
  });

  test('makes the client wait for a function that is slow', async () => {
    let goOn: (() => void) | undefined;
    const files = uploadSink({
      async receive({ content }): Promise<void> {
        for await (const chunk of content) {
          expect(chunk).toHaveLength(2);
          await new Promise<void>((resolve) => (goOn = resolve));
        }
      },
    });
    const target = await open(files, '/a');
    if (typeof target === 'string') throw new Error(target);
    let isTaken = false;
    const written = target.write([new Uint8Array(2)]).then((result) => {
      isTaken = true;
      return result;
    });
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(isTaken).toBe(false);
    goOn?.();
    expect(await written).toEqual(done);
    expect(await target.commit()).toEqual(done);
  });

  test('lets the rest of an upload go nowhere when the function has had enough', async () => {
    const files = uploadSink({ receive: async (): Promise<void> => undefined });
    const target = await open(files, '/a');
    if (typeof target === 'string') throw new Error(target);
    expect(await target.write([new Uint8Array(2)])).toEqual(done);
    expect(await target.write([new Uint8Array(2)])).toEqual(done);
    expect(await target.commit()).toEqual(done);
  });
});
