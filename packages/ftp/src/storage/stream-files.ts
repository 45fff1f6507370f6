// For a storage that speaks streams, as clouds and databases do: one to read from as a source, one to write to as a target.

import type { Writable } from 'node:stream';
import { ok, type Result } from '@wellknown/core';
import type { FileProblem, ReadSource, WriteTarget } from '../file-system.ts';

/** A `Readable`, a `ReadableStream`, or whatever else gives its bytes piece by piece. */
type ByteStream = AsyncIterable<Uint8Array> & { readonly destroy?: () => unknown };

/**
 * A stream as a file to read. `sizeBytes` is the size of the whole file, also where the stream begins in the middle
 * (`startBytes`). It is taken as fast as the client takes it, and given up when the transfer is; an error of it is what the
 * read rejects with.
 */
export function readSourceFrom(stream: ByteStream, sizeBytes: number): ReadSource {
  const pieces = stream[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  let hasEnded = false;
  return {
    sizeBytes,
    async read(into) {
      let filled = 0;
      while (filled < into.length) {
        if (rest.length === 0) {
          const next = await pieces.next();
          hasEnded = next.done === true;
          if (next.done === true) break;
          rest = next.value;
        }
        const piece = rest.subarray(0, into.length - filled);
        into.set(piece, filled);
        filled += piece.length;
        rest = rest.subarray(piece.length);
      }
      return ok(filled);
    },
    close() {
      // An iterator that has not begun leaves a stream of Node as it is, and one that is asked for more answers that first.
      if (stream.destroy !== undefined) stream.destroy();
      else if (!hasEnded) pieces.return?.().catch(() => undefined);
      return Promise.resolve();
    },
  };
}

/** How an upload into a stream ends, where the stream itself does not know. */
export interface WriteTargetEnds {
  /** The stream has finished: the upload gets its name, say. Resolves with a problem where it can't be stored. */
  readonly commit?: () => Promise<Result<void, FileProblem>> | Promise<void>;
  /** The upload was cut, or could not be stored, and the stream is destroyed: what is there of it goes away. */
  readonly discard?: () => Promise<void>;
}

/**
 * A stream to write to. An upload that is whole ends it and waits until it has finished; one that was cut destroys it, so it
 * should keep nothing then, or `discard` removes it. An error of the stream is what a write or the commit rejects with.
 */
export function writeTargetTo(stream: Writable, { commit, discard }: WriteTargetEnds = {}): WriteTarget {
  let wake: (() => void) | undefined;
  for (const event of ['drain', 'finish', 'error', 'close']) stream.on(event, () => wake?.());
  /** Resolves when `isThere`; rejects when the stream is broken. */
  const until = async (isThere: () => boolean): Promise<void> => {
    for (;;) {
      if (stream.errored !== null) throw stream.errored;
      if (isThere()) return;
      if (stream.closed) throw new Error('the stream closed before its end');
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const letGo = async (): Promise<void> => {
    stream.destroy();
    await discard?.().catch(() => undefined);
  };
  return {
    async write(chunks) {
      for (const chunk of chunks) stream.write(chunk);
      await until(() => !stream.writableNeedDrain);
      return ok(undefined);
    },
    async commit() {
      try {
        stream.end();
        await until(() => stream.writableFinished);
        const done = (await commit?.()) ?? ok(undefined);
        if (!done.ok) await letGo();
        return done;
      } catch (error) {
        await letGo();
        throw error;
      }
    },
    abort: letGo,
  };
}
