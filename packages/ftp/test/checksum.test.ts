import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { countChecksum, type ChecksumRequest } from '../src/checksum.ts';
import type { FileSystem, HashAlgorithm } from '../src/file-system.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';

const BIG = Buffer.alloc(700_000, 'abcdefghijk');
const files = memoryFileSystem({ files: { '/big': BIG, '/empty': '', '/check': '123456789', '/dir/x': '' } });
const count = (request: Partial<ChecksumRequest>, fileSystem: FileSystem = files) =>
  countChecksum(fileSystem, {
    path: '/big',
    algorithm: 'sha256',
    startBytes: 0,
    endBytes: undefined,
    signal: new AbortController().signal,
    ...request,
  });

describe('a checksum', () => {
  test.each(['md5', 'sha1', 'sha256', 'sha512'] as const)('by %s is that of the whole file', async (algorithm) => {
    const hash = createHash(algorithm).update(BIG).digest('hex');
    expect(await count({ algorithm })).toEqual({ ok: true, value: { hash, startBytes: 0, endBytes: BIG.length } });
  });

  test('by crc32 has eight digits, and is the one of the standard check value', async () => {
    expect(await count({ algorithm: 'crc32', path: '/check' })).toMatchObject({ value: { hash: 'cbf43926' } });
    expect(await count({ algorithm: 'crc32', path: '/empty' })).toMatchObject({ value: { hash: '00000000' } });
  });

  test.each([
    [0, 1],
    [5, 5],
    [300_000, 600_000],
    [699_999, 700_000],
  ])('from %i to %i is of that part alone', async (startBytes, endBytes) => {
    const algorithm: HashAlgorithm = 'crc32';
    const hash = crc32(BIG.subarray(startBytes, endBytes)).toString(16).padStart(8, '0');
    expect(await count({ algorithm, startBytes, endBytes })).toMatchObject({ value: { hash } });
  });

  test.each([
    [{ path: '/none' }, 'not-found'],
    [{ path: '/dir' }, 'is-directory'],
    [{ startBytes: 700_001 }, 'bad-start'],
    [{ startBytes: 5, endBytes: 4 }, 'bad-start'],
    [{ endBytes: 700_001 }, 'bad-start'],
    [{ signal: AbortSignal.abort() }, 'failed'],
  ])('of %j is %s', async (request, error) => {
    expect(await count(request)).toEqual({ ok: false, error });
  });

  test('of a file that can not be opened, or not be read, says why', async () => {
    const problem = Promise.resolve({ ok: false, error: 'denied' } as const);
    const shut: FileSystem = { ...files, read: () => problem };
    expect(await count({}, shut)).toEqual({ ok: false, error: 'denied' });
    let closed = 0;
    const close = async (): Promise<void> => void (closed += 1);
    const broken: FileSystem = {
      ...files,
      read: () => Promise.resolve({ ok: true, value: { sizeBytes: BIG.length, read: () => problem, close } }),
    };
    expect(await count({}, broken)).toEqual({ ok: false, error: 'denied' });
    expect(closed).toBe(1);
  });

  test('is left to a file system that knows it', async () => {
    const known: FileSystem = { ...files, hash: () => Promise.resolve({ ok: true, value: 'known' }) };
    expect(await count({}, known)).toMatchObject({ value: { hash: 'known' } });
  });
});
