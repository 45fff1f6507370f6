import { createHash, randomBytes } from 'node:crypto';
import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { createFtpServer, type Entry, type FileSystem, type WriteTarget } from '@wellknown/ftp';
import { describeFileSystem } from '@wellknown/ftp/testing';
import { Client } from 'basic-ftp';
import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { problemOf } from '../src/errors.ts';
import { s3FileSystem } from '../src/index.ts';
import { startS3Server, type S3Server } from './s3-server.ts';

let server: S3Server;
let prefixes = 0;
beforeAll(async () => {
  server = await startS3Server();
});
afterAll(() => server.stop());

const refused = (error: string) => ({ ok: false, error });
const done = { ok: true, value: undefined };

/** A file system below a prefix of its own. */
function fresh(): { readonly files: FileSystem; readonly prefix: string } {
  prefixes += 1;
  const prefix = `tree-${prefixes}`;
  const { client, bucket } = server;
  return { prefix, files: s3FileSystem({ client, bucket, prefix, partBytes: 5 * 1024 * 1024 }) };
}

async function open(files: FileSystem, path: string, more: object = {}): Promise<WriteTarget> {
  const target = await files.write?.(path, { mode: 'replace', ...more });
  if (target?.ok !== true) throw new Error(target?.error ?? 'missing');
  return target.value;
}

async function store(files: FileSystem, path: string, content: string | Uint8Array, more: object = {}): Promise<void> {
  const target = await open(files, path, more);
  expect(await target.write([Buffer.from(content)])).toEqual(done);
  expect(await target.commit()).toEqual(done);
}

async function read(files: FileSystem, path: string): Promise<Buffer> {
  const source = await files.read(path, { startBytes: 0 });
  if (!source.ok) throw new Error(source.error);
  const pieces: Buffer[] = [];
  for (;;) {
    const buffer = Buffer.alloc(100_000);
    const length = await source.value.read(buffer);
    if (!length.ok) throw new Error(length.error);
    pieces.push(buffer.subarray(0, length.value));
    if (length.value < buffer.length) break;
  }
  await source.value.close();
  return Buffer.concat(pieces);
}

async function names(files: FileSystem, path: string): Promise<string[]> {
  const listed = await files.list(path);
  if (!listed.ok) return [listed.error];
  const found: Entry[] = [];
  for await (const portion of listed.value) found.push(...portion);
  return found.map(({ name }) => name).sort();
}

const keys = async (prefix: string): Promise<(string | undefined)[]> => {
  const { client, bucket } = server;
  const listed = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  return (listed.Contents ?? []).map(({ Key }) => Key);
};

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describeFileSystem(
  {
    name: 'object storage',
    hasNoEmptyDirectories: true,
    async create(content) {
      const { files } = fresh();
      for (const [path, text] of Object.entries(content)) await store(files, path, text);
      return files;
    },
  },
  { describe, test },
);

describe('a large upload', () => {
  const large = randomBytes(12 * 1024 * 1024 + 7);

  test('goes out in parts, and is there only when it is whole', async () => {
    const { files, prefix } = fresh();
    const target = await open(files, '/large');
    for (let at = 0; at < large.length; at += 1_000_000)
      expect(await target.write([large.subarray(at, at + 1_000_000)])).toEqual(done);
    expect(await keys(prefix)).toEqual([]);
    expect(await target.commit()).toEqual(done);
    expect(digest(await read(files, '/large'))).toBe(digest(large));
  });

  test('that is aborted leaves nothing', async () => {
    const { files, prefix } = fresh();
    await store(files, '/large', 'old');
    const target = await open(files, '/large');
    await target.write([large]);
    await target.abort();
    expect(String(await read(files, '/large'))).toBe('old');
    expect(await keys(prefix)).toEqual([`${prefix}/large`]);
  });

  test('may be resumed', async () => {
    const { files } = fresh();
    await store(files, '/large', large.subarray(0, 6_000_000));
    await store(files, '/large', large.subarray(6_000_000), { startBytes: 6_000_000 });
    expect(digest(await read(files, '/large'))).toBe(digest(large));
  });
});

describe('directories', () => {
  test('stay when the last file in them goes', async () => {
    const { files } = fresh();
    await store(files, '/a/file', 'x');
    expect(await files.removeFile?.('/a/file')).toEqual(done);
    expect(await names(files, '/a')).toEqual([]);
    await store(files, '/c/file', 'x');
    expect(await files.rename?.('/c/file', '/moved')).toEqual(done);
    expect(await names(files, '/')).toEqual(['a', 'c', 'moved']);
  });

  test('are listed over several pages', async () => {
    const { prefix } = fresh();
    const files = s3FileSystem({ client: server.client, bucket: server.bucket, prefix, pageEntries: 3 });
    for (let at = 0; at < 7; at += 1) await store(files, `/many/${at}`, 'x');
    expect(await names(files, '/many')).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  test('of more objects than may be copied are not renamed', async () => {
    const { prefix } = fresh();
    const files = s3FileSystem({ client: server.client, bucket: server.bucket, prefix, maxRenamedObjects: 2 });
    for (const name of ['a', 'b']) await store(files, `/dir/${name}`, '');
    expect(await files.rename?.('/dir', '/two')).toEqual(done);
    await store(files, '/two/c', '');
    expect(await files.rename?.('/two', '/three')).toEqual(refused('unsupported'));
    expect(await names(files, '/two')).toEqual(['a', 'b', 'c']);
  });
});

test('one prefix does not see another that begins like it', async () => {
  const { client, bucket } = server;
  await store(s3FileSystem({ client, bucket, prefix: 'apart-2' }), '/theirs', 'x');
  expect(await names(s3FileSystem({ client, bucket, prefix: 'apart' }), '/')).toEqual([]);
});

describe('a file and a directory of the same name, which other programs may leave', () => {
  const put = async (prefix: string, objects: Readonly<Record<string, string>>): Promise<void> => {
    const { client, bucket } = server;
    for (const [key, Body] of Object.entries(objects))
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/${key}`, Body }));
  };

  test('are one thing: the file, or the directory where the file is empty', async () => {
    const { files, prefix } = fresh();
    await put(prefix, { full: 'x', 'full/in': 'x', empty: '', 'empty/in': 'x' });
    expect(await names(files, '/')).toEqual(['empty', 'full']);
    expect(await files.stat('/full')).toMatchObject({ value: { type: 'file' } });
    expect(await files.stat('/empty')).toMatchObject({ value: { type: 'directory' } });
    expect(await names(files, '/empty')).toEqual(['in']);
  });

  test('are not made here', async () => {
    const { files } = fresh();
    await store(files, '/a', 'x');
    await store(files, '/b/c', 'x');
    for (const path of ['/a/b', '/a/b/c']) {
      expect(await files.write?.(path, { mode: 'replace' })).toEqual(refused('not-directory'));
      expect(await files.makeDirectory?.(path)).toEqual(refused('not-directory'));
      expect(await files.rename?.('/b', path)).toEqual(refused('not-directory'));
    }
    expect(await files.write?.('/b', { mode: 'replace' })).toEqual(refused('is-directory'));
  });
});

test('a name that no key can be is refused', async () => {
  const { files } = fresh();
  for (const name of ['gr\udcfcn', 'x'.repeat(1100)])
    expect(await files.write?.(`/${name}`, { mode: 'replace' })).toEqual(refused('bad-name'));
});

test('what only the log should hear is thrown, and what a client may hear is a problem', async () => {
  const error = (name: string, status: number) =>
    new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode: status }, message: 'secret' });
  expect(problemOf(error('NoSuchKey', 404))).toBe('not-found');
  expect(problemOf(error('Forbidden', 403))).toBe('denied');
  expect(problemOf(error('SlowDown', 503))).toBe('busy');
  expect(problemOf(error('NoSuchBucketPolicy', 400))).toBeUndefined();
  expect(problemOf(error('NoSuchBucket', 404))).toBeUndefined();
  expect(problemOf(error('SignatureDoesNotMatch', 403))).toBeUndefined();
  expect(problemOf(new Error('ECONNREFUSED'))).toBeUndefined();
  const { files } = fresh();
  const broken = s3FileSystem({ client: server.client, bucket: 'no-such-bucket' });
  expect((await files.stat('/')).ok).toBe(true);
  await expect(broken.list('/')).rejects.toThrow('bucket does not exist');
  const nowhere = s3FileSystem({
    bucket: 'files',
    client: {
      endpoint: 'http://127.0.0.1:1',
      region: 'x',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      maxAttempts: 1,
    },
  });
  await expect(nowhere.list('/')).rejects.toThrow('ECONNREFUSED');
});

test('parts that are too small are a mistake', () => {
  const { client, bucket } = server;
  expect(() => s3FileSystem({ client, bucket, partBytes: 5 * 1024 * 1024 - 1 })).toThrow('5 MiB');
});

test('no part of an upload that was aborted stays at the server', async () => {
  const { client, bucket } = server;
  const { files } = fresh();
  const target = await open(files, '/x');
  await target.write([randomBytes(6_000_000)]);
  await target.abort();
  const left = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket })).catch(() => ({ Uploads: [] }));
  expect(left.Uploads ?? []).toEqual([]);
});

test('a client of FTP stores, lists, resumes, renames and fetches', async () => {
  const { files } = fresh();
  await using ftp = createFtpServer({
    fileSystem: files,
    accounts: [{ name: 'ann', password: 'secret', rights: 'full' }],
    listen: 'tcp://127.0.0.1:0',
  });
  const [bound] = await ftp.listen();
  const client = new Client();
  try {
    await client.access({
      host: '127.0.0.1',
      port: Number(new URL(bound?.url ?? '').port),
      user: 'ann',
      password: 'secret',
    });
    const content = randomBytes(7_000_000);
    await client.ensureDir('/reports/2026');
    await client.uploadFrom(Readable.from([content.subarray(0, 3_000_000)]), 'data.bin');
    await client.appendFrom(Readable.from([content.subarray(3_000_000)]), 'data.bin');
    await client.rename('data.bin', '/reports/final.bin');
    expect((await client.list('/reports')).map(({ name, size }) => [name, size])).toEqual([
      ['2026', 0],
      ['final.bin', content.length],
    ]);
    const hash = createHash('sha256');
    await client.downloadTo(
      new Writable({
        write(chunk: Buffer, _, next) {
          hash.update(chunk);
          next();
        },
      }),
      '/reports/final.bin',
    );
    expect(hash.digest('hex')).toBe(digest(content));
    await client.removeDir('/reports');
    expect(await client.list('/')).toEqual([]);
  } finally {
    client.close();
  }
});
