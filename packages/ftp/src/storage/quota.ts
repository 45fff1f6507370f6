// How much a file system may hold. Bytes are counted while they come, so that no number of uploads at the same time gets
// past the limit. Other processes, such as other workers, are seen on the disk: each counts again once its count is old, also in
// the middle of an upload, with the uploads that others have under way. So no more gets past the limit than others take in
// while a count is trusted. To agree on each byte would take a message to the primary for each write, or a lock.

import { fail, ok, type Result } from '@wellknown/core';
import type { Entry, FileProblem, FileSystem } from '../file-system.ts';
import type { AbsolutePath } from '../path.ts';
import { aroundTarget, passed, type Answer } from './wrap.ts';

export interface QuotaOptions {
  /** All files together; an upload beyond it hears 552. */
  readonly maxBytes?: number;
  /** Files and directories together. */
  readonly maxEntries?: number;
  /**
   * How long a count is trusted at most, in milliseconds: what others have changed or taken in since, another worker
   * among them, is seen after that. Default one minute; a tree that is counted in a moment is counted again sooner, as
   * often as once a second.
   */
  readonly recountMs?: number;
  /** A clock that never goes back, for tests. */
  readonly nowMs?: () => number;
}

// Between two counts passes 20 times as long as one takes: a server that counts all the time spends a twentieth of it on that.
const TRUSTED_PER_COUNT = 20;
const MIN_RECOUNT_MS = 1_000;

interface Usage {
  bytes: number;
  entries: number;
}

/** An upload under way. */
interface Upload {
  readonly path: AbsolutePath;
  /** Of the old file. */
  readonly keptBytes: number;
  newBytes: number;
  /** What the last count has seen under its path; undefined for nothing. */
  seenBytes: number | undefined;
  /** It grows under its own name. What replaces a file may, or may grow beside it until it is whole. */
  isInPlace: boolean;
}

/** What it takes beside what was counted. */
const takenBytes = ({ isInPlace, keptBytes, newBytes, seenBytes = 0 }: Upload): number =>
  isInPlace ? keptBytes + newBytes - seenBytes : newBytes;

/** `inner` with a limit. What is there is counted before the first upload, and again when the count has become old. */
export function quota(inner: FileSystem, options: QuotaOptions): FileSystem {
  const { maxBytes = Number.POSITIVE_INFINITY, maxEntries = Number.POSITIVE_INFINITY, recountMs = 60_000 } = options;
  const nowMs = options.nowMs ?? ((): number => performance.now());
  let usage: Usage = { bytes: 0, entries: 0 };
  const uploads = new Set<Upload>();
  let countedAtMs = Number.NEGATIVE_INFINITY;
  let trustedMs = 0;
  let counting: Promise<void> | undefined;

  const upToDate = (): Promise<void> => {
    const beganMs = nowMs();
    if (beganMs - countedAtMs < trustedMs) return Promise.resolve();
    counting ??= count(inner, '/')
      .then(async (counted) => {
        for (const upload of uploads) {
          const seenBytes = await bytesAt(upload.path);
          upload.isInPlace ||= seenBytes !== upload.seenBytes;
          upload.seenBytes = seenBytes;
        }
        usage = counted;
        countedAtMs = nowMs();
        trustedMs = Math.min(recountMs, Math.max(MIN_RECOUNT_MS, TRUSTED_PER_COUNT * (countedAtMs - beganMs)));
      })
      .finally(() => (counting = undefined));
    return counting;
  };

  const entryAt = async (path: AbsolutePath): Promise<Entry | undefined> => {
    const entry = await inner.stat(path, { followLinks: false });
    return entry.ok ? entry.value : undefined;
  };

  /** Of a file; 0 for what is none, undefined where nothing is. */
  const bytesAt = async (path: AbsolutePath): Promise<number | undefined> => {
    const entry = await entryAt(path);
    return entry?.type === 'file' ? entry.sizeBytes : entry && 0;
  };

  const takenByAll = (): number => {
    let bytes = usage.bytes;
    for (const upload of uploads) bytes += takenBytes(upload);
    return bytes;
  };

  /** Takes what goes away out of the count once it has gone. */
  const removing = async (path: AbsolutePath, remove: () => Answer<void>): Answer<void> => {
    const old = await entryAt(path);
    const done = await remove();
    if (done.ok && old !== undefined) {
      usage.entries -= 1;
      if (old.type === 'file') usage.bytes -= old.sizeBytes;
    }
    return done;
  };

  const { write, makeDirectory, removeFile, removeDirectory, rename } = passed(
    inner,
    'write',
    'makeDirectory',
    'removeFile',
    'removeDirectory',
    'rename',
  );
  return {
    ...passed(inner, 'setTimes', 'setMode', 'hash'),
    stat: (path, more) => inner.stat(path, more),
    list: (path, more) => inner.list(path, more),
    read: (path, more) => inner.read(path, more),
    ...(write !== undefined && {
      async write(path, more) {
        await upToDate();
        const oldBytes = await bytesAt(path);
        if (oldBytes === undefined && usage.entries >= maxEntries) return fail('over-quota');
        const { mode, startBytes = 0, expectedBytes = 0 } = more;
        const upload: Upload = {
          path,
          keptBytes: mode === 'append' ? (oldBytes ?? 0) : Math.min(startBytes, oldBytes ?? 0),
          newBytes: 0,
          seenBytes: oldBytes,
          isInPlace: mode === 'append' || startBytes > 0,
        };
        const isTooMuch = (bytes: number): boolean => takenByAll() + bytes > maxBytes;
        if (isTooMuch(takenBytes(upload) + expectedBytes)) return fail('over-quota');
        const opened = await write(path, more);
        if (!opened.ok) return opened;
        uploads.add(upload);
        return ok(
          aroundTarget(opened.value, {
            async write(chunks, go) {
              // Others may store something in the time that a large file takes.
              await upToDate();
              const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
              if (isTooMuch(length)) return fail('over-quota');
              upload.newBytes += length;
              return go();
            },
            async commit(go) {
              const done = await go().finally(() => uploads.delete(upload));
              if (done.ok) {
                usage.bytes += upload.keptBytes + upload.newBytes - (upload.seenBytes ?? 0);
                if (upload.seenBytes === undefined) usage.entries += 1;
              } else countedAtMs = Number.NEGATIVE_INFINITY;
              return done;
            },
            async abort(go) {
              await go().finally(() => uploads.delete(upload));
              // What stays of an upload in place is seen by the next count.
              countedAtMs = Number.NEGATIVE_INFINITY;
            },
          }),
        );
      },
    }),
    ...(makeDirectory !== undefined && {
      async makeDirectory(path, more) {
        await upToDate();
        if (usage.entries >= maxEntries) return fail('over-quota');
        const done = await makeDirectory(path, more);
        if (done.ok) usage.entries += 1;
        return done;
      },
    }),
    ...(removeFile !== undefined && { removeFile: (path) => removing(path, () => removeFile(path)) }),
    ...(removeDirectory !== undefined && { removeDirectory: (path) => removing(path, () => removeDirectory(path)) }),
    // What is replaced goes away.
    ...(rename !== undefined && {
      rename: (from, to) => (from === to ? rename(from, to) : removing(to, () => rename(from, to))),
    }),
    async space(path) {
      await upToDate();
      const below: Result<{ readonly freeBytes: number }, FileProblem> =
        (await inner.space?.(path)) ?? ok({ freeBytes: maxBytes });
      if (!below.ok) return below;
      const freeBytes = Math.max(0, Math.min(below.value.freeBytes, maxBytes - takenByAll()));
      return ok({ freeBytes, ...(Number.isFinite(maxBytes) && { totalBytes: maxBytes }) });
    },
  };
}

/** What is at and below a directory, the directory itself not counted. What can't be read counts nothing. */
async function count(inner: FileSystem, top: AbsolutePath): Promise<Usage> {
  const usage: Usage = { bytes: 0, entries: 0 };
  const directories = [top];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const listed = await inner.list(directory, { withUploads: true });
    if (!listed.ok) continue;
    for await (const portion of listed.value) {
      for (const { name, type, sizeBytes } of portion) {
        usage.entries += 1;
        if (type === 'file') usage.bytes += sizeBytes;
        if (type === 'directory') directories.push(directory === '/' ? `/${name}` : `${directory}/${name}`);
      }
    }
  }
  return usage;
}
