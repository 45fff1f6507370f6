// A file on its way to a client: read into buffers that are used again, a few of them ahead of what the client takes.

import type { Clock, Result } from '@wellknown/core';
import type { BufferPool, PieceSize } from '@wellknown/core/files';
import type { LineEndConverter } from './ascii.ts';
import type { FileProblem, ReadSource } from './file-system.ts';
import type { Pace } from './throttle.ts';

// The disk reads while the client takes. What is in memory already gains nothing by it, and leaves the processor's caches.
const MAX_BUFFERS = 3;
// A client that takes half a MiB in this time is no slow one, and a buffer that it holds for no longer is no burden.
const QUICK_MS = 100;
const PROVEN_TAKES = 4;

/** The way to the client. */
export interface FileSink {
  /**
   * Undefined when nothing is left unsent; otherwise resolves when the buffer is free. Throws or rejects when it will
   * not be sent.
   */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Resolves when the system has taken all that was written. Rejects when it will not. */
  flushed(): Promise<void>;
}

export interface SendOptions {
  readonly source: Pick<ReadSource, 'read' | 'isInMemory'>;
  /** What the file is said to have from where it begins. */
  readonly restBytes: number;
  readonly sink: FileSink;
  readonly buffers: BufferPool;
  readonly lineEnds: LineEndConverter | undefined;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Bytes have left. */
  readonly sent: (byteLength: number) => void;
}

/** Resolves with how many bytes were read once all has left. Rejects when the connection breaks. */
export async function sendFile(options: SendOptions): Promise<Result<number, FileProblem>> {
  const { source, restBytes, sink, buffers, lineEnds, pace, clock, signal, sent } = options;
  const maxBuffers = source.isInMemory === true ? 1 : MAX_BUFFERS;
  let readBytes = 0;
  let buffer = buffers.acquire('small');
  let quickTakes = 0;
  /** A client that takes its pieces quickly is worth large ones; one that does not holds on to what it is given. */
  const size = (): PieceSize => (quickTakes >= PROVEN_TAKES && lineEnds === undefined ? 'large' : 'small');
  /** Each resolves with a buffer that the system has taken, in the order they were written. */
  const underWay: Promise<Uint8Array>[] = [];

  /** Writes, and says whether the system has taken all of it at once. */
  const write = (chunk: Uint8Array, owner: Uint8Array): boolean => {
    const taken = sink.write(chunk);
    if (taken === undefined) {
      sent(chunk.length);
      quickTakes += 1;
      return true;
    }
    const writtenMs = clock.nowMs();
    const free = taken.then(() => {
      sent(chunk.length);
      quickTakes = clock.nowMs() - writtenMs < QUICK_MS ? quickTakes + 1 : 0;
      return owner;
    });
    // A failure is met when the buffer's turn comes; until then it is not unhandled.
    free.catch(() => undefined);
    underWay.push(free);
    return false;
  };

  for (;;) {
    // One byte more than the file has, so that a small file is one read and its end is seen at once. It may have grown.
    const leftBytes = readBytes <= restBytes ? restBytes - readBytes + 1 : buffer.length;
    const wanted = Math.min(buffer.length, leftBytes, pace.portionBytes);
    const into = wanted < buffer.length ? buffer.subarray(0, wanted) : buffer;
    const read = await source.read(into);
    if (!read.ok) return read;
    const length = read.value;
    readBytes += length;
    let isTaken = true;
    if (length > 0) {
      const chunk = length < into.length ? into.subarray(0, length) : into;
      const converted = lineEnds === undefined ? chunk : lineEnds.push(chunk);
      isTaken = write(converted, buffer);
      if (!pace.isFree) await pace.moved(converted.length, signal);
    }
    if (length < into.length) {
      if (isTaken) buffers.release(buffer);
      break;
    }
    if (isTaken || underWay.length === maxBuffers) {
      const free = isTaken ? buffer : ((await underWay.shift()) ?? buffer);
      if (buffers.isOf(size(), free) || restBytes - readBytes < free.length) buffer = free;
      else {
        buffers.release(free);
        buffer = buffers.acquire(size());
      }
    } else buffer = buffers.acquire(size());
  }
  for (const free of underWay) buffers.release(await free);
  await sink.flushed();
  return { ok: true, value: readBytes };
}
