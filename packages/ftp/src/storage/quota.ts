// How much a file system may hold. Bytes are counted while they come, so that no number of uploads at the same time gets
// past the limit.

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
   * How long a count is trusted at most, in milliseconds: what others have changed since, another worker among them, is seen
   * after that. Default one minute; a tree that is counted in a moment is counted again sooner, as often as once a second.
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

/** `inner` with a limit. What is there is counted before the first upload, and again when the count has become old. */
export function quota(inner: FileSystem, options: QuotaOptions): FileSystem {
  const { maxBytes = Number.POSITIVE_INFINITY, maxEntries = Number.POSITIVE_INFINITY, recountMs = 60_000 } = options;
  const nowMs = options.nowMs ?? ((): number => performance.now());
  let usage: Usage = { bytes: 0, entries: 0 };
  /** Of uploads under way: on top of what is counted, which does not see them yet. */
  let coming = 0;
  let countedAtMs = Number.NEGATIVE_INFINITY;
  let trustedMs = 0;
  let counting: Promise<void> | undefined;

  const upToDate = (): Promise<void> => {
    const beganMs = nowMs();
    if (beganMs - countedAtMs < trustedMs) return Promise.resolve();
    counting ??= count(inner, '/')
      .then((counted) => {
        usage = counted;
        countedAtMs = nowMs();
        trustedMs = Math.min(recountMs, Math.max(MIN_RECOUNT_MS, TRUSTED_PER_COUNT * (countedAtMs - beganMs)));
      })
      .finally(() => (counting = undefined));
    return counting;
  };

  const sizeOf = async (path: AbsolutePath): Promise<Entry | undefined> => {
    const entry = await inner.stat(path, { followLinks: false });
    return entry.ok ? entry.value : undefined;
  };

  /** Takes what goes away out of the count once it has gone. */
  const removing = async (path: AbsolutePath, remove: () => Answer<void>): Answer<void> => {
    const old = await sizeOf(path);
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
        const old = await sizeOf(path);
        if (old === undefined && usage.entries >= maxEntries) return fail('over-quota');
        const oldBytes = old?.type === 'file' ? old.sizeBytes : 0;
        const keptBytes = more.mode === 'append' ? oldBytes : Math.min(more.startBytes ?? 0, oldBytes);
        // An upload that goes on in the middle of a file takes its end away; one that replaces it leaves it until it is whole.
        const freedBytes = (more.startBytes ?? 0) > 0 ? oldBytes - keptBytes : 0;
        const isTooMuch = (bytes: number): boolean => usage.bytes + coming + bytes - freedBytes > maxBytes;
        if (isTooMuch(more.expectedBytes ?? 0)) return fail('over-quota');
        const opened = await write(path, more);
        if (!opened.ok) return opened;
        let newBytes = 0;
        const settle = (): void => {
          coming -= newBytes;
          newBytes = 0;
        };
        return ok(
          aroundTarget(opened.value, {
            write(chunks, go) {
              const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
              if (isTooMuch(length)) return Promise.resolve(fail('over-quota'));
              coming += length;
              newBytes += length;
              return go();
            },
            async commit(go) {
              const done = await go();
              if (done.ok) {
                usage.bytes += keptBytes + newBytes - oldBytes;
                if (old === undefined) usage.entries += 1;
              } else countedAtMs = Number.NEGATIVE_INFINITY;
              settle();
              return done;
            },
            async abort(go) {
              await go();
              settle();
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
      const freeBytes = Math.max(0, Math.min(below.value.freeBytes, maxBytes - usage.bytes - coming));
      return ok({ freeBytes, ...(Number.isFinite(maxBytes) && { totalBytes: maxBytes }) });
    },
  };
}

/** What is at and below a directory, the directory itself not counted. What can't be read counts nothing. */
async function count(inner: FileSystem, top: AbsolutePath): Promise<Usage> {
  const usage: Usage = { bytes: 0, entries: 0 };
  const directories = [top];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const listed = await inner.list(directory);
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
