// Uploads that go to a function and not to files: cameras and scanners put in, and nothing is there to be seen.

import { ok, type Result } from '@wellknown/core';
import type { Caller, Entry, FileProblem, FileSystem, WriteTarget } from '../file-system.ts';
import { nameOf, type AbsolutePath } from '../path.ts';
import { refuse } from './wrap.ts';

/** One upload, as it comes. */
export interface SinkUpload {
  /** Who stores it; undefined where the file system is used without a server. */
  readonly caller: Caller | undefined;
  /** Where they store it, as they see it: any path. */
  readonly path: AbsolutePath;
  /**
   * The bytes, in order. It ends when the upload is whole, and throws an error with the name `AbortError` when it will
   * never be.
   */
  readonly content: AsyncIterable<Uint8Array>;
}

export interface UploadSinkOptions {
  /**
   * Takes one upload. 226 goes out once it has resolved, having seen the end of `content`; what it throws, or a problem that
   * it resolves with, refuses the upload. One that returns before the end lets the rest go nowhere.
   */
  readonly receive:
    ((upload: SinkUpload) => Promise<FileProblem | undefined>) | ((upload: SinkUpload) => Promise<void>);
  /** Called with what `receive` threw, besides an upload that was aborted. */
  readonly failed?: (error: unknown) => void;
}

const directory = (path: AbsolutePath): Entry => ({ name: nameOf(path), type: 'directory', sizeBytes: 0, mtimeMs: 0 });

/**
 * A file system that any path may be entered in: devices make and enter their own directories first, and expect them
 * to be there. Each STOR, STOU or APPE is an upload of its own. Nothing can be listed, fetched, resumed or removed.
 */
export function uploadSink({ receive, failed }: UploadSinkOptions): FileSystem {
  return {
    // Who asks about a file before storing it hears that it is none, as if it were not there.
    stat: (path) => Promise.resolve(ok(directory(path))),
    list: () => Promise.resolve(ok(nothing())),
    read: () => refuse('denied'),
    makeDirectory: () => Promise.resolve(ok(undefined)),
    removeFile: () => refuse('denied'),
    removeDirectory: () => refuse('denied'),
    write(path, { startBytes = 0, caller }) {
      if (startBytes > 0) return refuse('bad-start');
      return Promise.resolve(ok(sinkTarget({ path, caller }, receive, failed)));
    },
  };
}

async function* nothing(): AsyncGenerator<readonly Entry[]> {
  // No entries, ever.
}

interface Waiting {
  readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

function sinkTarget(
  upload: Omit<SinkUpload, 'content'>,
  receive: UploadSinkOptions['receive'],
  failed: UploadSinkOptions['failed'],
): WriteTarget {
  const chunks: Uint8Array[] = [];
  let end: 'whole' | 'aborted' | undefined;
  let waiting: Waiting | undefined;
  /** Set while a write waits for the reader to come for more. */
  let taken: (() => void) | undefined;
  let isOver = false;

  const aborted = (): Error => Object.assign(new Error('the upload was aborted'), { name: 'AbortError' });
  const serve = (): void => {
    if (waiting === undefined) return;
    const { resolve, reject } = waiting;
    const chunk = chunks.shift();
    if (chunk === undefined && end === undefined) {
      taken?.();
      return;
    }
    waiting = undefined;
    if (chunk !== undefined) resolve({ done: false, value: chunk });
    else if (end === 'whole') resolve({ done: true, value: undefined });
    else reject(aborted());
  };
  const content: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise((resolve, reject) => {
          waiting = { resolve, reject };
          serve();
        }),
    }),
  };

  const received: Promise<Result<void, FileProblem>> = Promise.resolve(receive({ ...upload, content })).then(
    (problem) => (problem === undefined ? ok(undefined) : { ok: false, error: problem }),
    (error: unknown) => {
      if (end !== 'aborted') failed?.(error);
      return { ok: false, error: 'failed' };
    },
  );
  const over = received.then((result) => {
    isOver = true;
    taken?.();
    return result;
  });

  return {
    async write(more) {
      if (!isOver) {
        chunks.push(...more);
        await new Promise<void>((resolve) => {
          taken = resolve;
          serve();
        });
        taken = undefined;
      }
      // A receiver that has had enough, or has refused, takes no more; the latter is said at once.
      if (!isOver) return ok(undefined);
      return over;
    },
    commit() {
      end = 'whole';
      serve();
      return over;
    },
    async abort() {
      end = 'aborted';
      chunks.length = 0;
      serve();
      await over;
    },
  };
}
