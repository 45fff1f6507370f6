// A bucket, or what is below a prefix in it, as a file system.

import {
  CopyObjectCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type ListObjectsV2CommandOutput,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { WellknownError } from '@wellknown/core';
import type { AbsolutePath, Entry, FileSystem, WriteTarget } from '@wellknown/ftp';
import { answer, problemOf, Refusal } from './errors.ts';
import { keysBelow } from './keys.ts';
import { openObject } from './reading.ts';
import { objectTarget } from './writing.ts';

export interface S3FileSystemOptions {
  readonly bucket: string;
  /** What all keys begin with, such as `ftp/`; by default the whole bucket is the root. */
  readonly prefix?: string;
  /** How to reach the server: endpoint, region, credentials; or a client that is there already and stays the caller's. */
  readonly client: S3ClientConfig | S3Client;
  /** The size of the parts of large uploads, each held in memory while it is sent. At least, and by default, 8 MiB. */
  readonly partBytes?: number;
  /** How many entries of a directory are asked for at once; S3 gives at most 1000, the default. */
  readonly pageEntries?: number;
  /** The most objects that a rename of a directory copies; beyond it is refused. At most, and by default, 999. */
  readonly maxRenamedObjects?: number;
}

// S3 takes no smaller parts than 5 MiB.
const MIN_PART_BYTES = 5 * 1024 * 1024;
const DEFAULT_PART_BYTES = 8 * 1024 * 1024;

const NOTHING = new Uint8Array(0);

// The marker of a directory has no name in it, two slashes in a row make a directory that no path names, and dots mean others.
const UNNAMEABLE: readonly string[] = ['', '.', '..'];

const directoryEntry = (name: string): Entry => ({ name, type: 'directory', sizeBytes: 0, mtimeMs: 0 });
const lastName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const parentOf = (path: AbsolutePath): AbsolutePath => path.slice(0, path.lastIndexOf('/')) || '/';

/**
 * Of a file and a directory with the same name one is there: the file, unless it is empty. Some tools write an empty object
 * where there is a directory.
 */
function oneOfEachName(directories: readonly Entry[], files: readonly Entry[]): readonly Entry[] {
  const parents = new Set(directories.map(({ name }) => name));
  const [empty, full] = [new Set<string>(), new Set<string>()];
  for (const { name, sizeBytes } of files) (sizeBytes === 0 ? empty : full).add(name);
  return [
    ...directories.filter(({ name }) => !full.has(name)),
    ...files.filter(({ name }) => !(empty.has(name) && parents.has(name))),
  ];
}

/** The objects of a bucket as files. Throws OPTION_INVALID for parts that are too small. */
export function s3FileSystem(options: S3FileSystemOptions): FileSystem {
  const { bucket, partBytes = DEFAULT_PART_BYTES, maxRenamedObjects = 999, pageEntries = 1000 } = options;
  if (pageEntries < 1 || pageEntries > 1000 || maxRenamedObjects < 1 || maxRenamedObjects > 999)
    throw new WellknownError('OPTION_INVALID', 'pageEntries is from 1 to 1000, maxRenamedObjects from 1 to 999', {
      fault: 'local',
    });
  if (partBytes < MIN_PART_BYTES)
    throw new WellknownError('OPTION_INVALID', `partBytes is ${partBytes}; S3 takes no parts below 5 MiB`, {
      fault: 'local',
    });
  const client = options.client instanceof S3Client ? options.client : new S3Client(options.client);
  const keys = keysBelow(
    options.prefix === undefined || options.prefix === '' ? '' : options.prefix.replace(/\/*$/, '/'),
  );

  /** The file of this name; undefined when there is none. */
  const fileAt = async (path: AbsolutePath): Promise<Entry | undefined> => {
    if (path === '/') return undefined;
    try {
      const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: keys.file(path) }));
      return {
        name: lastName(path),
        type: 'file',
        sizeBytes: head.ContentLength ?? 0,
        mtimeMs: head.LastModified?.getTime() ?? 0,
        ...(head.ETag !== undefined && { unique: head.ETag.replaceAll('"', '') }),
      };
    } catch (error) {
      if (problemOf(error) === 'not-found') return undefined;
      throw error;
    }
  };

  /** The first keys below a directory, its own marker among them. */
  const someBelow = async (path: AbsolutePath, count: number): Promise<readonly string[]> => {
    const listed = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: keys.directory(path), MaxKeys: count }),
    );
    return (listed.Contents ?? []).map(({ Key = '' }) => Key);
  };
  const isDirectory = async (path: AbsolutePath): Promise<boolean> =>
    path === '/' || (await someBelow(path, 1)).length > 0;

  const entryAt = async (path: AbsolutePath): Promise<Entry | undefined> => {
    const file = await fileAt(path);
    if (file !== undefined && file.sizeBytes > 0) return file;
    return (await isDirectory(path)) ? directoryEntry(lastName(path)) : file;
  };
  const existing = async (path: AbsolutePath): Promise<Entry> => {
    const entry = await entryAt(path);
    if (entry === undefined) throw new Refusal('not-found');
    return entry;
  };

  /** Nothing is made below a file, where nobody could reach it. */
  const requireNoFileAbove = async (path: AbsolutePath): Promise<void> => {
    const above: AbsolutePath[] = [];
    for (let at = parentOf(path); at !== '/'; at = parentOf(at)) above.push(at);
    const files = await Promise.all(above.map(fileAt));
    if (files.some((file) => file !== undefined && file.sizeBytes > 0)) throw new Refusal('not-directory');
  };

  const putMarker = async (path: AbsolutePath): Promise<void> => {
    if (path === '/') return;
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: keys.directory(path), Body: NOTHING }));
  };
  /** A directory does not go away with the last file in it. */
  const keepDirectory = async (path: AbsolutePath): Promise<void> => {
    if (!(await isDirectory(path))) await putMarker(path);
  };
  const deleteKey = async (key: string): Promise<void> => {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  };
  const copyKey = async (from: string, to: string): Promise<void> => {
    const source = `${bucket}/${from}`.split('/').map(encodeURIComponent).join('/');
    await client.send(new CopyObjectCommand({ Bucket: bucket, Key: to, CopySource: source }));
  };

  async function* portions(path: AbsolutePath, first: ListObjectsV2CommandOutput): AsyncGenerator<readonly Entry[]> {
    const prefix = keys.directory(path);
    // The key `a` comes before `a/b`, with such as `a-` in between: the directory may come with a later page.
    let held: readonly Entry[] = [];
    for (let page = first; ;) {
      const directories = (page.CommonPrefixes ?? []).map(({ Prefix = '' }) =>
        directoryEntry(Prefix.slice(prefix.length, -1)),
      );
      const files = (page.Contents ?? []).map(({ Key = '', Size = 0, LastModified, ETag }): Entry => ({
        name: Key.slice(prefix.length),
        type: 'file',
        sizeBytes: Size,
        mtimeMs: LastModified?.getTime() ?? 0,
        ...(ETag !== undefined && { unique: ETag.replaceAll('"', '') }),
      }));
      const isLast = page.NextContinuationToken === undefined;
      const ends = [page.Contents?.at(-1)?.Key, page.CommonPrefixes?.at(-1)?.Prefix].map((key) =>
        key?.slice(prefix.length),
      );
      const known = [...held, ...files];
      held = known.filter(({ name }) => !isLast && ends.every((end) => end === undefined || end < `${name}/`));
      yield oneOfEachName(directories, known)
        .filter((entry) => !held.includes(entry))
        .filter(({ name }) => !UNNAMEABLE.includes(name));
      if (isLast) return;
      page = await client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          Delimiter: '/',
          MaxKeys: pageEntries,
          ContinuationToken: page.NextContinuationToken,
        }),
      );
    }
  }

  /** What is kept of a file that is continued goes through here: S3 can't change an object. */
  const keep = async (
    path: AbsolutePath,
    etag: string | undefined,
    keptBytes: number,
    target: WriteTarget,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    if (keptBytes === 0) return;
    const key = keys.file(path);
    const source = await openObject({ client, bucket, key, etag, sizeBytes: keptBytes, startBytes: 0, signal });
    try {
      for (let left = keptBytes; left > 0;) {
        const buffer = new Uint8Array(Math.min(left, 256 * 1024));
        const read = await source.read(buffer);
        if (!read.ok || read.value < buffer.length) throw new Refusal('failed');
        left -= buffer.length;
        const written = await target.write([buffer]);
        if (!written.ok) throw new Refusal(written.error);
      }
    } catch (error) {
      await target.abort();
      throw error;
    } finally {
      await source.close();
    }
  };

  return {
    stat: (path) => answer(() => existing(path)),
    list: (path) =>
      answer(async () => {
        const prefix = keys.directory(path);
        const first = await client.send(
          new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: '/', MaxKeys: pageEntries }),
        );
        const isEmpty = (first.Contents ?? []).length === 0 && (first.CommonPrefixes ?? []).length === 0;
        if (isEmpty && path !== '/')
          throw new Refusal((await fileAt(path)) === undefined ? 'not-found' : 'not-directory');
        return portions(path, first);
      }),
    read: (path, { startBytes, signal }) =>
      answer(async () => {
        const { type, sizeBytes, unique: etag } = await existing(path);
        if (type === 'directory') throw new Refusal('is-directory');
        if (startBytes > sizeBytes) throw new Refusal('bad-start');
        return openObject({ client, bucket, key: keys.file(path), etag, sizeBytes, startBytes, signal });
      }),
    write: (path, { mode, startBytes = 0, signal }) =>
      answer(async () => {
        const [old] = await Promise.all([entryAt(path), requireNoFileAbove(path)]);
        if (old?.type === 'directory') throw new Refusal('is-directory');
        if (old !== undefined && mode === 'create') throw new Refusal('exists');
        if (startBytes > (old?.sizeBytes ?? 0)) throw new Refusal('bad-start');
        const target = objectTarget({
          client,
          bucket,
          key: keys.file(path),
          partBytes,
          mustBeNew: mode === 'create',
          isFree: async () => (await entryAt(path)) === undefined,
          signal,
        });
        await keep(path, old?.unique, mode === 'append' ? (old?.sizeBytes ?? 0) : startBytes, target, signal);
        return target;
      }),
    removeFile: (path) =>
      answer(async () => {
        if ((await existing(path)).type === 'directory') throw new Refusal('is-directory');
        await deleteKey(keys.file(path));
        await keepDirectory(parentOf(path));
      }),
    makeDirectory: (path) =>
      answer(async () => {
        const [old] = await Promise.all([entryAt(path), requireNoFileAbove(path)]);
        if (old !== undefined) throw new Refusal('exists');
        await putMarker(path);
      }),
    removeDirectory: (path) =>
      answer(async () => {
        if (path === '/') throw new Refusal('denied');
        if ((await existing(path)).type === 'file') throw new Refusal('not-directory');
        const marker = keys.directory(path);
        if ((await someBelow(path, 2)).some((key) => key !== marker)) throw new Refusal('not-empty');
        await deleteKey(marker);
        await keepDirectory(parentOf(path));
      }),
    rename: (from, to) =>
      answer(async () => {
        if (from === '/' || to === '/') throw new Refusal('denied');
        const { type } = await existing(from);
        if (from === to) return;
        if (to.startsWith(`${from}/`)) throw new Refusal('bad-name');
        const [old] = await Promise.all([entryAt(to), requireNoFileAbove(to)]);
        if (old !== undefined && (old.type === 'directory' || type === 'directory')) throw new Refusal('exists');
        if (type === 'file') {
          await copyKey(keys.file(from), keys.file(to));
          await deleteKey(keys.file(from));
        } else {
          const below = await someBelow(from, maxRenamedObjects + 1);
          if (below.length > maxRenamedObjects) throw new Refusal('unsupported');
          const prefix = keys.directory(from);
          for (const key of below) await copyKey(key, keys.directory(to) + key.slice(prefix.length));
          for (const key of below) await deleteKey(key);
        }
        await keepDirectory(parentOf(from));
      }),
  };
}
