import { once } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { fail, ok, type Result } from '@wellknown/core';
import { describe, expect, test } from 'vitest';
import type { Entry, FileProblem, FileSystem } from '../src/file-system.ts';
import { readSourceFrom, writeTargetTo } from '../src/index.ts';
import { nameOf } from '../src/path.ts';
import { describeFileSystem } from '../src/testing/index.ts';

/** Files as a service has them that speaks streams: by name, whole, with no directories of their own. */
function streamed(stored: Map<string, Buffer>, kind: 'node' | 'web'): FileSystem {
  const entry = (path: string): Entry | undefined => {
    const content = stored.get(path);
    if (content !== undefined) return { name: nameOf(path), type: 'file', sizeBytes: content.length, mtimeMs: 0 };
    const isDirectory = path === '/' || [...stored.keys()].some((name) => name.startsWith(`${path}/`));
    return isDirectory ? { name: nameOf(path), type: 'directory', sizeBytes: 0, mtimeMs: 0 } : undefined;
  };
  return {
    async stat(path) {
      const found = entry(path);
      return found === undefined ? fail('not-found') : ok(found);
    },
    async list(path) {
      const found = entry(path);
      if (found?.type !== 'directory') return fail(found === undefined ? 'not-found' : 'not-directory');
      const above = path === '/' ? '/' : `${path}/`;
      const below = [...stored.keys()].filter((name) => name.startsWith(above));
      const names = new Set(below.map((name) => name.slice(above.length).split('/')[0] ?? ''));
      const entries = [...names].flatMap((name) => entry(above + name) ?? []);
      return ok(
        (async function* () {
          yield entries;
        })(),
      );
    },
    async read(path, { startBytes }) {
      const content = stored.get(path);
      if (content === undefined) return fail(entry(path) === undefined ? 'not-found' : 'is-directory');
      if (startBytes > content.length) return fail('bad-start');
      // Byte by byte.
      const bytes = Readable.from([...content.subarray(startBytes)].map((byte) => Buffer.from([byte])));
      return ok(readSourceFrom(kind === 'node' ? bytes : Readable.toWeb(bytes), content.length));
    },
    async write(path, { mode, startBytes = 0 }) {
      const old = entry(path);
      if (old?.type === 'directory') return fail('is-directory');
      if (mode === 'create' && old !== undefined) return fail('exists');
      if (startBytes > 0 || (mode === 'append' && old !== undefined)) return fail('unsupported');
      if (entry(path.slice(0, path.lastIndexOf('/')) || '/')?.type !== 'directory') return fail('not-found');
      const chunks: Buffer[] = [];
      const stream = new Writable({
        highWaterMark: 1,
        write(chunk: Buffer, _, done) {
          chunks.push(chunk);
          setImmediate(done);
        },
      });
      const commit = async (): Promise<Result<void, FileProblem>> => {
        if (mode === 'create' && stored.has(path)) return fail('exists');
        stored.set(path, Buffer.concat(chunks));
        return ok(undefined);
      };
      return ok(writeTargetTo(stream, { commit }));
    },
    async removeFile(path) {
      const found = entry(path);
      if (found?.type !== 'file') return fail(found === undefined ? 'not-found' : 'is-directory');
      stored.delete(path);
      return ok(undefined);
    },
  };
}

for (const kind of ['node', 'web'] as const)
  describeFileSystem(
    {
      name: `a file system of streams (${kind})`,
      create: async (files) =>
        streamed(new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])), kind),
      hasNoEmptyDirectories: true,
      isNeverContinued: true,
    },
    { describe, test },
  );

describe('a source from a stream', () => {
  test('takes no more than is read, and gives the stream up in the middle or before its beginning', async () => {
    let given = 0;
    const stream = new Readable({
      highWaterMark: 1000,
      read() {
        given += 1000;
        this.push(Buffer.alloc(1000));
      },
    });
    const source = readSourceFrom(stream, 1e9);
    expect(await source.read(new Uint8Array(1500))).toEqual(ok(1500));
    expect(given).toBeLessThan(10_000);
    await source.close();
    expect(stream.destroyed).toBe(true);
    const untouched = Readable.from([Buffer.alloc(10)]);
    await readSourceFrom(untouched, 10).close();
    expect(untouched.destroyed).toBe(true);
  });

  test('does not take a broken stream for one that has ended', async () => {
    const stream = new PassThrough();
    const source = readSourceFrom(stream, 10);
    stream.write('half');
    const read = source.read(new Uint8Array(10));
    stream.destroy(new Error('cut'));
    await expect(read).rejects.toThrow('cut');
    await source.close();
  });
});

describe('a target to a stream', () => {
  test('waits for a stream that is slow, and for its last byte', async () => {
    const stream = new PassThrough({ highWaterMark: 4 });
    const target = writeTargetTo(stream);
    let isWritten = false;
    const written = target.write([Buffer.from('more than four')]).then(() => (isWritten = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isWritten).toBe(false);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await written;
    expect(await target.commit()).toEqual(ok(undefined));
    expect(Buffer.concat(chunks).toString()).toBe('more than four');
  });

  test('rejects with what the stream fails with, in a write', async () => {
    const stream = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => setImmediate(done, new Error('full')),
    });
    const target = writeTargetTo(stream);
    await expect(target.write([Buffer.from('x')])).rejects.toThrow('full');
    await expect(target.write([Buffer.from('x')])).rejects.toThrow('full');
    await target.abort();
  });

  test('rejects with what the stream fails with at its end, and then has nothing left to abort', async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(),
      final: (done) => done(new Error('full')),
    });
    let discarded = 0;
    const target = writeTargetTo(stream, { discard: async () => void (discarded += 1) });
    expect(await target.write([Buffer.from('x')])).toEqual(ok(undefined));
    await expect(target.commit()).rejects.toThrow('full');
    expect(discarded).toBe(1);
  });

  test('that is aborted destroys its stream, and what is there of it is discarded', async () => {
    const stream = new PassThrough();
    let discarded = 0;
    const target = writeTargetTo(stream, { discard: async () => void (discarded += 1) });
    await target.write([Buffer.from('half')]);
    const closed = once(stream, 'close');
    await target.abort();
    await closed;
    expect([stream.destroyed, stream.writableFinished, discarded]).toEqual([true, false, 1]);
  });

  test('that can not be stored after all is discarded, with the problem as the answer', async () => {
    let discarded = 0;
    const target = writeTargetTo(new PassThrough().resume(), {
      commit: async () => fail('over-quota'),
      discard: async () => void (discarded += 1),
    });
    expect(await target.commit()).toEqual(fail('over-quota'));
    expect(discarded).toBe(1);
  });
});
