import { describe, expect, test } from 'vitest';
import { HttpResponse } from '../../src/fetch/response.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const hello = (): HttpResponse => new HttpResponse('Hello');

describe('deadlines', () => {
  test('a connection that says nothing is closed in silence', () => {
    const { peer, clock } = serveHandler(hello);
    clock.advance(19_000);
    expect(peer.sawEnd).toBe(false);
    clock.advance(2_000);
    expect([peer.take(), peer.sawEnd]).toEqual(['', true]);
  });

  test('a head that trickles in is answered with 408, whatever its pace', () => {
    const { peer, clock } = serveHandler(hello);
    for (let second = 0; second < 22; second += 1) {
      peer.send('GET / HTTP/1.1\r\nHost: aaaaaaaaaaa'.slice(second, second + 1));
      clock.advance(1_000);
    }
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([408]);
    expect(peer.sawEnd).toBe(true);
  });

  test('the second head has its own time', () => {
    const { peer, clock } = serveHandler(hello);
    peer.send(GET);
    peer.take();
    clock.advance(30_000);
    peer.send('GET /');
    clock.advance(19_000);
    expect(peer.sawEnd).toBe(false);
    clock.advance(2_000);
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([408]);
  });

  test('an idle connection is closed in silence after the keep-alive time, counted from the last response', () => {
    const { peer, clock } = serveHandler(hello);
    peer.send(GET);
    clock.advance(70_000);
    peer.send(GET);
    peer.take();
    clock.advance(74_000);
    expect(peer.sawEnd).toBe(false);
    clock.advance(2_000);
    expect([peer.take(), peer.sawEnd]).toEqual(['', true]);
  });

  test('content that comes slower than the minimum rate is given up with 408', async () => {
    const { peer, clock } = serveHandler(async (request) => new HttpResponse(await request.text()));
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
    for (let second = 0; second < 19; second += 1) {
      peer.send('x'.repeat(300));
      clock.advance(1_000);
    }
    clock.advance(2_000);
    expect(peer.take()).toBe('');
    for (let second = 0; second < 21; second += 1) {
      peer.send('x');
      clock.advance(1_000);
    }
    await settled();
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([408]);
  });

  test('a handler may take its time', async () => {
    let received: ((response: HttpResponse) => void) | undefined;
    const { peer, clock } = serveHandler(() => new Promise((resolve) => (received = resolve)));
    peer.send(GET);
    clock.advance(200_000);
    received?.(hello());
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200 }]);
  });

  test('a client that begins a request in every packet that ends one has its time for each', () => {
    const { peer, clock } = serveHandler(hello);
    peer.send(GET.slice(0, 10));
    for (let packet = 0; packet < 30; packet += 1) {
      clock.advance(5_000);
      peer.send(GET.slice(10) + GET.slice(0, 10));
    }
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual(Array(30).fill(200));
    clock.advance(21_000);
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([408]);
  });

  const LIMITS = { bodyCheckMs: 10_000, minBodyBytesPerSecond: 100 };
  const post = (byteLength: number, lines = ''): string =>
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${byteLength}\r\n${lines}\r\n`;

  test('content that begins in the packet that ends dropped content has an interval of its own', async () => {
    let calls = 0;
    const { peer, clock } = serveHandler(async (request) => {
      calls += 1;
      return new HttpResponse(calls === 1 ? 'early' : await request.text());
    }, LIMITS);
    peer.send(post(10_000) + 'x'.repeat(5_000));
    await settled();
    clock.advance(9_000);
    peer.send(`${'x'.repeat(5_000)}${post(2)}a`);
    clock.advance(9_000);
    peer.send('b');
    await settled();
    expect(readResponses(peer.take()).map(({ body }) => body)).toEqual(['early', 'ab']);
  });

  test('content is not slow in an interval in which we did not read for a while', async () => {
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    const { peer, clock } = serveHandler((request) => {
      reader = request.body?.getReader();
      return new Promise(() => undefined);
    }, LIMITS);
    peer.send(post(100_000));
    // More than a handler is given that has not asked for it: reading stops.
    peer.send('x'.repeat(70_000));
    clock.advance(19_500);
    await reader?.read();
    await settled();
    clock.advance(9_000);
    expect(peer.take()).toBe('');
    clock.advance(2_000);
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([408]);
  });

  test('content is not slow before it was asked for (100-continue)', async () => {
    let read: (() => void) | undefined;
    const { peer, clock } = serveHandler(
      (request) =>
        new Promise((resolve) => {
          read = () => resolve(request.text().then((text) => new HttpResponse(text)));
        }),
      LIMITS,
    );
    peer.send(post(2, 'Expect: 100-continue\r\n'));
    clock.advance(9_500);
    read?.();
    clock.advance(9_000);
    peer.send('ab');
    await settled();
    expect(peer.take()).toMatch(/^HTTP\/1\.1 100 [^]*ab$/);
  });
});
