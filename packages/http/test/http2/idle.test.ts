// The deadlines of an HTTP/2 session, by a clock that the test moves.

import { describe, expect, test } from 'vitest';
import { HttpResponse, type FetchHandler } from '../../src/index.ts';
import { serveHttp2, type MemoryHttp2 } from './memory-http2.ts';
import { errorCodeOf, FLAG, frame, FRAME, get, isEndOf, isGoaway, POST_BLOCK } from './raw-http2.ts';

const hello: FetchHandler = () => new HttpResponse('hello');
const goawayOf = ({ frames }: MemoryHttp2): number | undefined => errorCodeOf(frames.find(isGoaway));

describe('a session', () => {
  test('that asks nothing is ended with GOAWAY after the time for a head, and not before', async () => {
    const client = await serveHttp2(hello, { headTimeoutMs: 10_000 });
    await client.pass(9_900);
    expect(goawayOf(client)).toBeUndefined();
    await client.pass(300);
    expect(goawayOf(client)).toBe(0);
    expect(client.peer.sawEnd).toBe(true);
  });

  test('that is idle is ended with GOAWAY after the keep-alive time, and not before', async () => {
    const client = await serveHttp2(hello, { keepAliveTimeoutMs: 10_000 });
    await client.pass(5_000);
    client.send(get(1));
    await client.until(isEndOf(1));
    await client.pass(9_900);
    expect(goawayOf(client)).toBeUndefined();
    await client.pass(300);
    expect(goawayOf(client)).toBe(0);
    expect(client.peer.sawEnd).toBe(true);
  });

  test('whose handler takes longer than both is not', async () => {
    let respond: (response: HttpResponse) => void = () => undefined;
    const client = await serveHttp2(() => new Promise((resolve) => (respond = resolve)), {
      keepAliveTimeoutMs: 1_000,
      headTimeoutMs: 1_000,
    });
    client.send(get(1));
    await client.pass(10_000);
    expect(goawayOf(client)).toBeUndefined();
    respond(new HttpResponse('late'));
    await client.until(isEndOf(1));
  });
});

describe('content', () => {
  const LIMITS = { bodyCheckMs: 1_000, minBodyBytesPerSecond: 100 };
  const post = frame(FRAME.headers, FLAG.endHeaders, 1, POST_BLOCK);
  const data = (byteLength: number, flags = 0): Buffer => frame(FRAME.data, flags, 1, Buffer.alloc(byteLength, 'a'));
  const bodyOf = ({ frames }: MemoryHttp2): string =>
    Buffer.concat(
      frames.filter(({ streamId, type }) => streamId === 1 && type === FRAME.data).map(({ payload }) => payload),
    ).toString();

  test('is not judged by the moments between its begin and a look at the rates', async () => {
    const client = await serveHttp2(async (request) => new HttpResponse(await request.text()), LIMITS);
    client.send(frame(FRAME.headers, FLAG.endHeaders, 1, POST_BLOCK), data(500));
    await client.pass(900);
    client.send(frame(FRAME.headers, FLAG.endHeaders, 3, POST_BLOCK));
    await client.pass(900);
    client.send(frame(FRAME.data, FLAG.endStream, 3, Buffer.from('x')));
    await client.until(isEndOf(3));
    const sent = client.frames.filter(({ streamId, type }) => streamId === 3 && type === FRAME.data);
    expect(Buffer.concat(sent.map(({ payload }) => payload)).toString()).toBe('x');
  });

  test('that comes too slowly is given up with 408, while other streams go on', async () => {
    const failures: unknown[] = [];
    const client = await serveHttp2(async (request) => {
      if (request.method === 'POST') await request.text().catch((error: unknown) => failures.push(error));
      return new HttpResponse('x');
    }, LIMITS);
    client.send(post, data(99));
    await client.pass(1_200);
    expect(bodyOf(client)).toBe('the content did not arrive in time\n');
    expect(failures).toHaveLength(1);
    client.send(get(3));
    await client.until(isEndOf(3));
  });

  test('that comes just fast enough is taken', async () => {
    const client = await serveHttp2(async (request) => new HttpResponse(await request.text()), LIMITS);
    client.send(post);
    for (let second = 0; second < 5; second += 1) {
      client.send(data(110));
      await client.pass(1_000);
    }
    client.send(data(0, FLAG.endStream));
    await client.until(isEndOf(1));
    expect(bodyOf(client)).toBe('a'.repeat(550));
  });

  test('that the handler does not read is not slow: the server itself pauses', async () => {
    let read: () => void = () => undefined;
    const client = await serveHttp2(async (request) => {
      await new Promise<void>((resolve) => (read = resolve));
      return new HttpResponse(String((await request.arrayBuffer()).byteLength));
    }, LIMITS);
    client.send(post);
    // More than is kept for a handler that does not read; the window of the stream is smaller, and grows as we take.
    for (let part = 0; part < 5; part += 1) {
      client.send(data(16_000));
      await client.settle();
    }
    await client.pass(10_000);
    expect(client.frames.filter(({ streamId, type }) => streamId === 1 && type !== FRAME.windowUpdate)).toEqual([]);
    read();
    await client.settle();
    client.send(data(1, FLAG.endStream));
    await client.until(isEndOf(1));
    expect(bodyOf(client)).toBe('80001');
  });
});

describe('a response', () => {
  const noWindow = frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));
  const windowUpdate = (bytes: number): Buffer => {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    return frame(FRAME.windowUpdate, 0, 1, payload);
  };
  const large: FetchHandler = () => new HttpResponse('x'.repeat(10_000));

  test('that a client asks for and does not take is given up, whatever else it sends (CVE-2019-9517)', async () => {
    const client = await serveHttp2(large, { bodyCheckMs: 1_000 });
    client.send(noWindow, get(1));
    // Their answers are more bytes than the least that a client has to take.
    const pings = Array.from({ length: 3 }, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
    // It counts once it has been blocked for a whole interval.
    for (let tenth = 0; tenth < 18; tenth += 1) {
      client.send(...pings);
      await client.pass(100);
    }
    expect(client.closeReason).toBeUndefined();
    for (let tenth = 0; tenth < 5; tenth += 1) {
      client.send(...pings);
      await client.pass(100);
    }
    expect(client.closeReason).toBe('write-rate');
    expect(client.frames.some(({ type }) => type === FRAME.data)).toBe(false);
  });

  test('that a client takes slowly is sent to its end', async () => {
    const client = await serveHttp2(large, { bodyCheckMs: 1_000 });
    client.send(noWindow, get(1));
    for (let second = 0; second < 50; second += 1) {
      await client.pass(1_000);
      client.send(windowUpdate(200));
    }
    await client.until(isEndOf(1));
  });
});
