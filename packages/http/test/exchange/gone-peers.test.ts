// A client that goes away behind content that no handler reads. What is not read does not tell of it.

import http2 from 'node:http2';
import net from 'node:net';
import { eventually } from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LookAheads, MAX_LOOK_AHEADS } from '../../src/exchange/look-aheads.ts';
import { createHttpServer, HttpResponse, type FetchHandler, type HttpServerOptions } from '../../src/index.ts';
import { makeCertificate } from '../../../../test/certificates.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const KIB = 1_024;
const post = (byteLength: number): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${byteLength}\r\n\r\n`;

/** Never answers, and reads only when it is told to. */
function waiting(): { handler: FetchHandler; requests: Request[] } {
  const requests: Request[] = [];
  return {
    requests,
    handler: (request) => {
      requests.push(request);
      return new Promise<Response>(() => request.signal.throwIfAborted());
    },
  };
}

describe('a client that ends in the middle of content that nobody reads', () => {
  test('is heard a second later behind up to 1 MiB', () => {
    const { handler, requests } = waiting();
    const { peer, clock, counters } = serveHandler(handler);
    peer.send(post(1_000 * KIB));
    for (let sent = 0; sent < 900; sent += 100) peer.send(new Uint8Array(100 * KIB));
    peer.end();
    expect(requests[0]?.signal.aborted).toBe(false);
    clock.advance(1_300);
    expect([requests[0]?.signal.aborted, peer.closed, counters.aborted]).toEqual([true, true, 1]);
  });

  test('ends a response that has begun, whose source and work after it are told', async () => {
    let cancelled: unknown;
    let signal: AbortSignal | undefined;
    const { peer, clock } = serveHandler((request, context) => {
      signal = request.signal;
      context.waitUntil(new Promise((resolve) => request.signal.addEventListener('abort', resolve)));
      return new HttpResponse(
        new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array([0x61])),
          cancel: (reason) => void (cancelled = reason),
        }),
      );
    });
    peer.send(post(500 * KIB));
    for (let sent = 0; sent < 400; sent += 100) peer.send(new Uint8Array(100 * KIB));
    peer.end();
    await settled();
    clock.advance(1_300);
    await settled();
    expect([signal?.aborted, peer.closed]).toEqual([true, true]);
    expect(cancelled).toBeInstanceOf(Error);
  });

  test('is not heard behind more than that, until it is read', async () => {
    const { handler, requests } = waiting();
    const { peer, clock } = serveHandler(handler, { maxBodyBytes: 4_096 * KIB });
    peer.send(post(4_000 * KIB));
    for (let sent = 0; sent < 2_000; sent += 100) peer.send(new Uint8Array(100 * KIB));
    peer.end();
    clock.advance(60_000);
    const [request] = requests;
    expect(request?.signal.aborted).toBe(false);
    await expect(request?.text()).rejects.toThrow('the peer ended inside the content of its request');
    expect(request?.signal.aborted).toBe(true);
  });

  test('is not looked for while its content is read, however slowly', async () => {
    let reader: ReadableStreamDefaultReader | undefined;
    const { peer, clock } = serveHandler((request) => {
      reader = (request.body as ReadableStream<Uint8Array>).getReader();
      return new Promise<Response>(() => undefined);
    });
    const chunk = new Uint8Array(64 * KIB);
    peer.send(post(1_000 * KIB));
    for (let sent = 0; sent < 640; sent += 64) peer.send(chunk);
    // Each read makes room for one chunk more.
    for (let read = 0; read < 5; read += 1) {
      await reader?.read();
      clock.advance(900);
    }
    peer.end();
    expect(peer.closed).toBe(false);
  });
});

test('content that was kept for that is complete to who reads it later', async () => {
  const { handler, requests } = waiting();
  const { peer, clock } = serveHandler(handler);
  peer.send(post(300 * KIB));
  for (let sent = 0; sent < 300; sent += 50) peer.send(new Uint8Array(50 * KIB).fill(0x61));
  clock.advance(1_300);
  expect(await requests[0]?.text()).toBe('a'.repeat(300 * KIB));
});

test('a client is not slow while its content is not read, and has its time again from when it is', async () => {
  const { handler, requests } = waiting();
  const { peer, clock } = serveHandler(handler, { maxBodyBytes: 4_096 * KIB });
  peer.send(post(4_000 * KIB));
  for (let sent = 0; sent < 2_000; sent += 100) peer.send(new Uint8Array(100 * KIB));
  clock.advance(60_000);
  expect(peer.take()).toBe('');
  const text = requests[0]?.text().catch((error: unknown) => String(error));
  clock.advance(19_000);
  expect(peer.take()).toBe('');
  clock.advance(21_000);
  expect(await text).toBe('Error: the content did not arrive in time');
  expect(readResponses(peer.take())).toMatchObject([{ status: 408 }]);
});

test('so many requests of a process keep more than their readers asked for, and one more waits', () => {
  const lookAheads = new LookAheads();
  const ends = Array.from({ length: MAX_LOOK_AHEADS }, () => lookAheads.begin());
  expect(ends).not.toContain(undefined);
  expect(lookAheads.begin()).toBe(undefined);
  ends[0]?.();
  expect(lookAheads.begin()).not.toBe(undefined);
});

describe('over sockets', () => {
  async function start(handler: FetchHandler, options: HttpServerOptions): Promise<{ url: string; port: number }> {
    const server = createHttpServer(handler, options);
    onTestFinished(() => server.close({ graceMs: 0 }));
    await server.listen();
    return { url: server.url ?? '', port: server.port ?? 0 };
  }

  test('a reset behind more content than is kept is heard', async () => {
    const { handler, requests } = waiting();
    const { port } = await start(handler, { listen: 0, limits: { maxBodyBytes: Number.POSITIVE_INFINITY } });
    const client = net.connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write(post(100_000 * KIB));
    client.write(new Uint8Array(20_000 * KIB));
    await eventually(() => requests.length === 1);
    client.resetAndDestroy();
    await eventually(() => requests[0]?.signal.aborted === true);
  });

  test.each([
    ['resets its stream', (_: http2.ClientHttp2Session, stream: http2.ClientHttp2Stream) => stream.close(8)],
    ['is gone', (session: http2.ClientHttp2Session) => session.destroy()],
  ])('a client of HTTP/2 that %s behind content that nobody reads is heard', async (_, leave) => {
    const { handler, requests } = waiting();
    const tls = makeCertificate('localhost');
    const { url } = await start(handler, { listen: 'tls://127.0.0.1:0', tls });
    const session = http2.connect(url, { rejectUnauthorized: false });
    onTestFinished(() => session.destroy());
    session.on('error', () => undefined);
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.on('error', () => undefined);
    stream.write(new Uint8Array(1_000 * KIB));
    await eventually(() => requests.length === 1);
    leave(session, stream);
    await eventually(() => requests[0]?.signal.aborted === true);
  });
});
