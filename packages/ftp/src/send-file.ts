// A file on its way to a client: read into buffers that are used again, a few of them ahead of what the client takes.

import type { Result } from '@wellknown/core';
import type { BufferPool, PieceSize } from '@wellknown/core/files';
import type { LineEndConverter } from './ascii.ts';
import type { FileProblem, ReadSource } from './file-system.ts';
import type { Pace } from './throttle.ts';

// Three small ones behind each other, 384 KiB, are enough for a client at some distance.
const MAX_BUFFERS = 3;

/** The way to the client. */
export interface FileSink {
  /** Undefined when nothing is left unsent; otherwise resolves when the buffer is free. Throws or rejects when it will not be sent. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Resolves when the system has taken all that was written. Rejects when it will not. */
  flushed(): Promise<void>;
}

export interface SendOptions {
  readonly source: Pick<ReadSource, 'read'>;
  /** What the file is said to have from where it begins. */
  readonly restBytes: number;
  readonly sink: FileSink;
  readonly buffers: BufferPool;
  readonly lineEnds: LineEndConverter | undefined;
  readonly pace: Pace;
  readonly signal: AbortSignal;
  /** Bytes have left. */
  readonly sent: (byteLength: number) => void;
}

/** Resolves with how many bytes were read once all has left. Rejects when the connection breaks. */
export async function sendFile(options: SendOptions): Promise<Result<number, FileProblem>> {
  const { source, restBytes, sink, buffers, lineEnds, pace, signal, sent } = options;
  let readBytes = 0;
  let size: PieceSize = 'small';
  let buffer = buffers.acquire(size);
  /** Each resolves with a buffer that the system has taken, in the order they were written. */
  const underWay: Promise<Uint8Array>[] = [];
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
      const written = buffer;
      const taken = sink.write(converted);
      if (taken === undefined) sent(converted.length);
      else {
        isTaken = false;
        const free = taken.then(() => {
          sent(converted.length);
          return written;
        });
        // A failure is met when the buffer's turn comes; until then it is not unhandled.
        free.catch(() => undefined);
        underWay.push(free);
      }
      if (!pace.isFree) await pace.moved(converted.length, signal);
    }
    if (length < into.length) {
      if (isTaken) buffers.release(buffer);
      break;
    }
    // A client that keeps up is worth a large piece; one that does not holds on to what it is given.
    if (isTaken && size === 'small' && restBytes - readBytes > buffer.length) {
      buffers.release(buffer);
      size = 'large';
      buffer = buffers.acquire(size);
    }
    if (isTaken) continue;
    size = 'small';
    buffer = underWay.length < MAX_BUFFERS ? buffers.acquire(size) : ((await underWay.shift()) ?? buffer);
  }
  for (const free of underWay) buffers.release(await free);
  await sink.flushed();
  return { ok: true, value: readBytes };
}
