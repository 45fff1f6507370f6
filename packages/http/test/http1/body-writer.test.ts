import { expect, test } from 'vitest';
import { BufferPool } from '@wellknown/core/files';
import { writeBody, type BodySink } from '../../src/http1/body-writer.ts';
import type { ContentSource } from '../../src/fetch/content.ts';

/** Keeps what is sent; `keepsUp` says whether the peer takes a piece at once. */
class RecordingSink implements BodySink {
  readonly pieces: number[] = [];
  text = '';
  unsentBytes = 0;
  readonly gone = false;
  readonly buffers = new BufferPool();
  keptBytes = 0;
  readonly #keepsUp: (piece: number) => boolean;

  constructor(keepsUp: (piece: number) => boolean) {
    this.#keepsUp = keepsUp;
  }

  send(data: string | Uint8Array): boolean {
    if (typeof data === 'string') return true;
    const hasRoom = this.#keepsUp(this.pieces.length);
    this.pieces.push(data.length);
    this.text += Buffer.from(data).toString('latin1');
    this.unsentBytes = hasRoom ? 0 : data.length;
    return hasRoom;
  }

  sendSoon = (text: string): boolean => this.send(text);

  room(): Promise<void> {
    this.unsentBytes = 0;
    return Promise.resolve();
  }

  keep(content: string | Uint8Array): () => void {
    this.keptBytes += content.length;
    return () => (this.keptBytes -= content.length);
  }

  cork = (): void => undefined;
  uncork = (): void => undefined;
}

/** Bytes that tell where they were read. */
function sourceOf(byteLength: number): ContentSource & { closed: boolean } {
  let at = 0;
  return {
    byteLength,
    closed: false,
    read(into) {
      const count = Math.min(into.length, byteLength - at);
      for (let index = 0; index < count; index += 1) into[index] = (at + index) % 251;
      at += count;
      return Promise.resolve(count);
    },
    close() {
      this.closed = true;
    },
  };
}

const NO_EVENTS = { onCancel: () => undefined, onHead: () => undefined };

const expected = (byteLength: number): string =>
  Buffer.from(Array.from({ length: byteLength }, (_, index) => index % 251)).toString('latin1');
const write = (sink: BodySink, source: ContentSource) =>
  writeBody(
    sink,
    { head: 'HTTP/1.1 200 OK\r\n\r\n', content: source, transfer: 'length', byteLength: source.byteLength },
    NO_EVENTS,
  );

const KIB = 1024;

test('a peer that keeps up gets a large file in large pieces', async () => {
  const sink = new RecordingSink(() => true);
  const source = sourceOf(1_300 * KIB);
  expect(await write(sink, source)).toEqual({ at: 'complete', contentBytes: 1_300 * KIB });
  expect(sink.pieces.map((bytes) => bytes / KIB)).toEqual([128, 512, 512, 128, 20]);
  expect(sink.text).toBe(expected(1_300 * KIB));
  expect(source.closed).toBe(true);
});

test('a peer that does not keep up holds small pieces', async () => {
  const sink = new RecordingSink(() => false);
  expect(await write(sink, sourceOf(600 * KIB))).toEqual({ at: 'complete', contentBytes: 600 * KIB });
  expect(sink.pieces.map((bytes) => bytes / KIB)).toEqual([128, 128, 128, 128, 88]);
  expect(sink.text).toBe(expected(600 * KIB));
});

test('a buffer that the peer still has to take when all is written is used again once it has', async () => {
  const sink = new RecordingSink(() => false);
  const acquired: Uint8Array[] = [];
  const acquire = sink.buffers.acquire.bind(sink.buffers);
  sink.buffers.acquire = (size) => {
    const buffer = acquire(size);
    acquired.push(buffer);
    return buffer;
  };
  await write(sink, sourceOf(100 * KIB));
  await Promise.resolve();
  const isTheSame = sink.buffers.acquire('small') === acquired[0];
  expect([isTheSame, acquired.length]).toEqual([true, 2]);
});

test('a source that reads at once is written like one that takes its time', async () => {
  const sink = new RecordingSink(() => true);
  const source = sourceOf(600 * KIB);
  let at = 0;
  const read = (into: Uint8Array): number => {
    for (let index = 0; index < into.length; index += 1) into[index] = (at + index) % 251;
    at += into.length;
    return into.length;
  };
  await write(sink, { byteLength: source.byteLength, read, close: () => undefined });
  expect(sink.text).toBe(expected(600 * KIB));
});

test('a peer that falls behind gets small pieces from then on', async () => {
  const sink = new RecordingSink((piece) => piece === 0);
  await write(sink, sourceOf(900 * KIB));
  expect(sink.pieces.map((bytes) => bytes / KIB)).toEqual([128, 512, 128, 128, 4]);
});

test('buffers that are released are acquired again, and only so many are kept', () => {
  const pool = new BufferPool();
  const large = Array.from({ length: 17 }, () => pool.acquire('large'));
  for (const buffer of large) pool.release(buffer);
  const again = Array.from({ length: 17 }, () => pool.acquire('large'));
  expect(again.filter((buffer) => large.includes(buffer))).toHaveLength(16);
  expect(pool.acquire('small').length).toBeLessThan(large[0]?.length ?? 0);
});

test('content that waits for the peer is said to be kept, until the last of it is sent', async () => {
  const kept: number[] = [];
  const sink = new RecordingSink((piece) => {
    kept.push(sink.keptBytes);
    return piece !== 1;
  });
  const content = Buffer.alloc(3584 * KIB, 'x');
  await writeBody(
    sink,
    { head: 'HTTP/1.1 200 OK\r\n\r\n', content, transfer: 'length', byteLength: content.length },
    NO_EVENTS,
  );
  expect(kept).toEqual([0, 0, 3584 * KIB, 3584 * KIB]);
  expect(sink.keptBytes).toBe(0);
});

test.each([
  ['one chunk, with its length', [3584]],
  ['chunks, each of pieces that are chunks', [3584, 2048]],
])('a large chunk of a stream is sent piece by piece: %s', async (_, sizes) => {
  const sink = new RecordingSink((piece) => piece !== 1);
  const content = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const size of sizes) controller.enqueue(Buffer.alloc(size * KIB, 'x'));
      controller.close();
    },
  });
  const end = await writeBody(
    sink,
    { head: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', content, transfer: 'chunked', byteLength: 0 },
    NO_EVENTS,
  );
  const whole = sizes.reduce((sum, size) => sum + size, 0) * KIB;
  expect(end).toEqual({ at: 'complete', contentBytes: whole });
  expect(sink.text.match(/x/g)).toHaveLength(whole);
  expect(Math.max(...sink.pieces)).toBe(1024 * KIB);
  expect(sink.keptBytes).toBe(0);
});
