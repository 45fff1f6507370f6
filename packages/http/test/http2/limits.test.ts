// What an HTTP/2 peer may not do: flood, break the protocol, or send more than is allowed; and how a session ends in
// order.

import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createHttpServer, HttpResponse, type FetchHandler, type HttpServerOptions } from '../../src/index.ts';
import { makeCertificate, type TestCertificate } from '../../../../test/certificates.ts';
import {
  connectRaw,
  errorCodeOf,
  FLAG,
  frame,
  FRAME,
  get,
  GET_BLOCK,
  isEndOf,
  isGoaway,
  literal,
  POST_BLOCK,
  type Frame,
  type RawHttp2,
} from './raw-http2.ts';
import { eventually } from '@wellknown/core/testing';

let folder = '';
let certificate: TestCertificate;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http2-limits-'));
  certificate = makeCertificate('localhost');
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(
  handler: FetchHandler,
  limits: HttpServerOptions['limits'] = {},
  log?: HttpServerOptions['log'],
): Promise<{
  server: ReturnType<typeof createHttpServer>;
  client: RawHttp2;
  connect: () => Promise<RawHttp2>;
  port: number;
}> {
  const server = createHttpServer(handler, {
    listen: 'tls://127.0.0.1:0',
    tls: certificate,
    limits,
    ...(log === undefined ? {} : { log }),
  });
  closing.push(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  const port = Number(/:(\d+)$/.exec(bound?.url ?? '')?.[1]);
  const connect = async (): Promise<RawHttp2> => {
    const client = await connectRaw(port);
    closing.push(() => client.socket.destroy());
    return client;
  };
  return { server, client: await connect(), connect, port };
}

const PROTOCOL_ERROR = 1;
const ENHANCE_YOUR_CALM = 11;
const reset = (streamId: number): Buffer => frame(FRAME.rstStream, 0, streamId, Buffer.from([0, 0, 0, 8]));
const hello: FetchHandler = () => new HttpResponse('hello');
describe('a session', () => {
  test('answers what was on its way when a drain began, and says so twice (RFC 9113 §6.8)', async () => {
    const { server, client } = await start(hello);
    client.send(get(1));
    await client.until(isEndOf(1));
    const closed = server.close({ graceMs: 10_000 });
    client.send(get(3));
    expect(await client.until(isEndOf(3))).toBeDefined();
    await closed;
    await client.closed;
    const lastStreams = client.frames.filter(isGoaway).map(({ payload }) => payload.readUInt32BE(0));
    expect(lastStreams[0]).toBe(2 ** 31 - 1);
    expect(lastStreams.at(-1)).toBe(3);
  });
});

describe('a session that had asked nothing when the drain began', () => {
  test('has a moment for its first request, and a notice', async () => {
    const { server, client } = await start(hello);
    const closed = server.close({ graceMs: 10_000 });
    client.send(get(1), get(3));
    expect(await client.until(isEndOf(1))).toBeDefined();
    expect(await client.until(isEndOf(3))).toBeDefined();
    await closed;
    expect(client.frames.filter(isGoaway).map(({ payload }) => payload.readUInt32BE(0))).toEqual([2 ** 31 - 1, 3]);
  });

  test('nor ended its handshake: its SETTINGS still come before the notice (RFC 9113 §3.4)', async () => {
    const { server, port } = await start(hello);
    const socket = net.connect(port, '127.0.0.1');
    closing.push(() => socket.destroy());
    await eventually(async () => ((await server.status()).services[0]?.connections.open ?? 0) >= 2);
    const closed = server.close({ graceMs: 10_000 });
    const late = await connectRaw(port, { socket, first: Buffer.concat([get(1), get(3)]) });
    expect(await late.until(isEndOf(1))).toBeDefined();
    expect(await late.until(isEndOf(3))).toBeDefined();
    await closed;
    expect(late.frames[0]?.type).toBe(FRAME.settings);
    expect(late.frames.filter(isGoaway).map(({ payload }) => payload.readUInt32BE(0))).toEqual([2 ** 31 - 1, 3]);
  });
});

describe('a session whose client breaks the protocol', () => {
  const broken: Readonly<Record<string, Buffer>> = {
    'a PING of seven bytes': frame(FRAME.ping, 0, 0, Buffer.alloc(7)),
    'a frame larger than agreed': Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]),
    'CONTINUATION of nothing': frame(FRAME.continuation, FLAG.endHeaders, 3, GET_BLOCK),
  };

  test.each(Object.entries(broken))(
    'with %s is told why and ends at once, with all of its streams, whatever limits there are',
    async (_, bytes) => {
      let aborted: (() => void) | undefined;
      const wasAborted = new Promise<void>((resolve) => (aborted = resolve));
      const { server, client } = await start(
        ({ signal }) => new Promise(() => signal.addEventListener('abort', () => aborted?.())),
      );
      client.send(get(1));
      await eventually(async () => (await server.status()).services[0]?.counters.requests === 1);
      client.send(bytes);
      await client.closed;
      await wasAborted;
      expect([errorCodeOf(client.frames.find(isGoaway)), client.failure()]).toEqual([
        expect.toSatisfy((code: number) => code > 0),
        undefined,
      ]);
      await eventually(async () => (await server.status()).services[0]?.connections.open === 0);
      // The client may see the end before the server has counted it.
      await eventually(async () =>
        expect((await server.status()).services[0]?.connections.closed).toEqual({ 'protocol-error': 1 }),
      );
    },
  );

  test('in the chunk with a request that is answered at once ends as well', async () => {
    const { client } = await start(hello);
    client.send(get(1), broken['a PING of seven bytes'] ?? Buffer.alloc(0));
    await client.closed;
    expect(errorCodeOf(client.frames.find(isGoaway))).toBe(6);
  });
});

describe('a flood', () => {
  /** Sends until the server ends the session, and checks that another client is served meanwhile. */
  async function flood(
    bytes: (round: number) => Buffer,
    reads = true,
  ): Promise<{ calls: number; goaway: Frame | undefined; closed: unknown }> {
    let calls = 0;
    const { server, client, connect } = await start(
      (request) => {
        calls += 1;
        return request.url.endsWith('/') ? new HttpResponse('x') : new HttpResponse('y');
      },
      { headTimeoutMs: 1_000 },
    );
    let round = 0;
    const sendMore = async (): Promise<void> => {
      while (!client.socket.destroyed && round < 200) {
        client.send(bytes(round));
        round += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    if (!reads) client.socket.pause();
    await Promise.race([sendMore(), client.closed]);
    const other = await connect();
    other.send(get(1));
    expect(await other.until(isEndOf(1))).toBeDefined();
    client.socket.resume();
    await client.closed;
    await eventually(async () => (await server.status()).services[0]?.connections.open === 1);
    const closed = (await server.status()).services[0]?.connections.closed;
    return { calls, goaway: client.frames.find(isGoaway), closed };
  }

  test('of requests that are reset at once is cut short, and costs no handler a call (CVE-2023-44487)', async () => {
    let streamId = -1;
    const { calls, goaway } = await flood(() =>
      Buffer.concat(
        Array.from({ length: 500 }, () => {
          streamId += 2;
          return Buffer.concat([get(streamId), reset(streamId)]);
        }),
      ),
    );
    expect(errorCodeOf(goaway)).toBe(ENHANCE_YOUR_CALM);
    // The one of the other client.
    expect(calls).toBe(1);
  });

  const ping = frame(FRAME.ping, 0, 0, Buffer.alloc(8));
  test('of pings does not keep a session that asks nothing', async () => {
    const { calls, goaway } = await flood(() => ping);
    expect([errorCodeOf(goaway), calls]).toEqual([0, 1]);
  });

  test('of pings ends a session that reads no answers (CVE-2019-9512)', async () => {
    const { calls, closed } = await flood(() => Buffer.concat(Array.from({ length: 5_000 }, () => ping)), false);
    // Who reads nothing may lose the GOAWAY to the reset that what it goes on sending brings about.
    expect([closed, calls]).toEqual([{ 'protocol-error': 1 }, 1]);
  });

  test('of settings ends the session (CVE-2019-9515)', async () => {
    const settings = frame(FRAME.settings, 0, 0);
    const { calls, closed } = await flood(() => Buffer.concat(Array.from({ length: 5_000 }, () => settings)), false);
    expect([closed, calls]).toEqual([{ 'protocol-error': 1 }, 1]);
  });

  test('of CONTINUATION ends the session (CVE-2024-27983)', async () => {
    const { calls, goaway } = await flood((round) =>
      round === 0
        ? frame(FRAME.headers, FLAG.endStream, 1, GET_BLOCK)
        : Buffer.concat(
            Array.from({ length: 100 }, () =>
              frame(FRAME.continuation, 0, 1, Buffer.from([0x00, 0x01, 0x61, 0x01, 0x62])),
            ),
          ),
    );
    // nghttp2's own limit, whose error code is its own.
    expect(errorCodeOf(goaway)).not.toBe(0);
    expect(calls).toBe(1);
  });
});

describe('what brings nothing is counted', () => {
  // An interval that does not end within the test.
  const LIMITS = { maxResets: 20, maxControlFrames: 20, floodIntervalMs: 3_600_000 };
  // SETTINGS, and the acknowledgement of the server's.
  const SAID_AT_FIRST = 2;
  const nothing: Readonly<Record<string, Buffer>> = {
    'PING (CVE-2019-9512)': frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
    'SETTINGS (CVE-2019-9515)': frame(FRAME.settings, 0, 0),
    'PRIORITY (CVE-2019-9513)': frame(FRAME.priority, 0, 1, Buffer.from([0, 0, 0, 3, 1])),
    'empty DATA (CVE-2019-9518)': frame(FRAME.data, 0, 1),
  };

  async function begin(): Promise<{
    server: ReturnType<typeof createHttpServer>;
    client: RawHttp2;
    calls: () => number;
    warnings: unknown[];
  }> {
    const warnings: unknown[] = [];
    let calls = 0;
    const ignore = (): void => undefined;
    const { server, client } = await start(
      async (request) => {
        calls += 1;
        return new HttpResponse(await request.text());
      },
      LIMITS,
      { debug: ignore, info: ignore, error: ignore, warn: (facts) => warnings.push(facts) },
    );
    await client.until(({ type, flags }) => type === FRAME.settings && flags === 0);
    return { server, client, calls: () => calls, warnings };
  }

  test.each(Object.entries(nothing))(
    '%s: as many as allowed are taken, one more ends the session with ENHANCE_YOUR_CALM',
    async (_, sent) => {
      const { server, client, warnings } = await begin();
      client.send(
        frame(FRAME.headers, FLAG.endHeaders, 1, POST_BLOCK),
        ...Array.from({ length: LIMITS.maxControlFrames - SAID_AT_FIRST }, () => sent),
        get(3),
      );
      expect(await client.until(isEndOf(3))).toBeDefined();
      client.send(sent);
      const goaway = await client.until(isGoaway);
      expect([errorCodeOf(goaway), goaway?.payload.readUInt32BE(0)]).toEqual([ENHANCE_YOUR_CALM, 3]);
      await client.closed;
      expect(warnings).toEqual([expect.objectContaining({ flood: 'control-frames', max: 20 })]);
      // The client may see the end before the server has counted it.
      await eventually(async () =>
        expect((await server.status()).services[0]?.connections.closed).toEqual({ 'protocol-error': 1 }),
      );
    },
  );

  test('streams that are reset are counted, and one that is reset in the chunk that opens it costs no handler a call', async () => {
    const { server, client, calls, warnings } = await begin();
    const rounds = Array.from({ length: LIMITS.maxResets }, (_, round) => 2 * round + 1);
    client.send(...rounds.flatMap((streamId) => [get(streamId), reset(streamId)]), get(101));
    expect(await client.until(isEndOf(101))).toBeDefined();
    client.send(get(103), reset(103));
    const goaway = await client.until(isGoaway);
    expect([errorCodeOf(goaway), goaway?.payload.readUInt32BE(0)]).toEqual([ENHANCE_YOUR_CALM, 101]);
    await client.closed;
    expect(calls()).toBe(1);
    expect(warnings).toEqual([expect.objectContaining({ flood: 'resets', max: 20 })]);
    // The client may see the end before the server has counted it.
    await eventually(async () =>
      expect((await server.status()).services[0]?.connections.closed).toEqual({ 'protocol-error': 1 }),
    );
  });

  // Content of another length than announced is an error of the stream (RFC 9113 §8.1.1), which its handler has got.
  const POST_OF_TWO = Buffer.concat([POST_BLOCK, literal('content-length', '2')]);

  test('streams that we have to reset are counted: less content than Content-Length says (CVE-2025-8671)', async () => {
    const { client, calls, warnings } = await begin();
    const isReset = (streamId: number) => (one: Frame) => one.type === FRAME.rstStream && one.streamId === streamId;
    let streamId = 1;
    for (; streamId <= 2 * LIMITS.maxResets; streamId += 2) {
      client.send(frame(FRAME.headers, FLAG.endHeaders, streamId, POST_OF_TWO));
      await eventually(() => calls() === (streamId + 1) / 2);
      client.send(frame(FRAME.data, FLAG.endStream, streamId));
      expect((await client.until(isReset(streamId)))?.payload.readUInt32BE(0)).toBe(PROTOCOL_ERROR);
    }
    client.send(get(streamId));
    expect(await client.until(isEndOf(streamId))).toBeDefined();
    client.send(frame(FRAME.headers, FLAG.endHeaders, streamId + 2, POST_OF_TWO), reset(streamId + 2));
    expect(errorCodeOf(await client.until(isGoaway))).toBe(ENHANCE_YOUR_CALM);
    await client.closed;
    expect(calls()).toBe(LIMITS.maxResets + 1);
    expect(warnings).toEqual([expect.objectContaining({ flood: 'resets', max: 20 })]);
  });

  // Older versions of nghttp2 reset the stream, newer ones end the session for it.
  test('more content than Content-Length says ends the session when there was as much as is allowed, or before (CVE-2025-8671)', async () => {
    const { client, calls } = await begin();
    const isAnswer = (streamId: number) => (one: Frame) =>
      isGoaway(one) || (one.type === FRAME.rstStream && one.streamId === streamId);
    let streamId = -1;
    let answer: Frame | undefined;
    do {
      streamId += 2;
      client.send(frame(FRAME.headers, FLAG.endHeaders, streamId, POST_OF_TWO));
      await eventually(() => calls() === (streamId + 1) / 2);
      client.send(frame(FRAME.data, FLAG.endStream, streamId, Buffer.from('xxx')));
      answer = await client.until(isAnswer(streamId));
    } while (answer !== undefined && !isGoaway(answer) && calls() <= LIMITS.maxResets);
    // The count is looked at when more comes.
    client.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
    const goaway = answer !== undefined && isGoaway(answer) ? answer : await client.until(isGoaway);
    expect([PROTOCOL_ERROR, ENHANCE_YOUR_CALM]).toContain(errorCodeOf(goaway));
    await client.closed;
    expect(calls()).toBeLessThanOrEqual(LIMITS.maxResets + 1);
  });

  // No increment (RFC 9113 §6.9), and a window beyond 2^31-1 (§6.9.1): errors for which we reset a stream that the
  // client has opened.
  test.each([
    ['no', 0],
    ['too large an', 0x7fff_ffff],
  ])(
    'a window with %s increment ends its session, once and for all (CVE-2025-8671), and not the process',
    async (_, increment) => {
      const { client, calls } = await begin();
      const payload = Buffer.alloc(4);
      payload.writeUInt32BE(increment);
      for (let streamId = 1; streamId < 200; streamId += 2)
        client.send(
          frame(FRAME.headers, FLAG.endHeaders, streamId, POST_BLOCK),
          frame(FRAME.windowUpdate, 0, streamId, payload),
        );
      await client.closed;
      expect(calls()).toBe(0);
    },
  );
});
