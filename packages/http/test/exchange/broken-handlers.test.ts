// Handlers that fail, lie or stream.

import { describe, expect, test } from 'vitest';
import { HttpResponse, responseOf } from '../../src/fetch/response.ts';
import { octets } from '../http1/parse-all.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const get = (path: string, lines = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const hello = (): HttpResponse => new HttpResponse('Hello');

describe('handlers that break', () => {
  const secret = 'the password is sesame';

  test.each([
    [
      'throws',
      () => {
        throw new Error(secret);
      },
    ],
    ['rejects', () => Promise.reject(new Error(secret))],
    ['answers with something else', () => ({ status: 200 }) as unknown as Response],
    ['answers with nothing', () => undefined as unknown as Response],
    ['puts CR LF into a value', () => new HttpResponse('', { headers: { A: 'b\r\nSet-Cookie: c' } })],
    ['puts a line into a name', () => new HttpResponse('', { headers: { 'A\r\nB': 'c' } })],
    ['puts a NUL into a value', () => new HttpResponse('', { headers: { A: '\0' } })],
    ['puts CR LF into the status text', () => new HttpResponse('', { statusText: 'x\r\ny: z' })],
    ['answers with status 101', () => new HttpResponse('', { status: 101 })],
    ['answers with status NaN', () => new HttpResponse('', { status: NaN })],
    ['declares another length', () => new HttpResponse('abc', { headers: { 'Content-Length': '5' } })],
    ['declares a length that is none', () => new HttpResponse('abc', { headers: { 'Content-Length': '3, 3' } })],
  ])('one that %s: 500 that leaks nothing, the error in the log, and the connection goes on', async (_, handler) => {
    const { peer, errors } = serveHandler((request, context) =>
      request.url.endsWith('/ok') ? hello() : (handler as () => Response)(...([request, context] as unknown as [])),
    );
    peer.send(GET);
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 500, body: 'Internal Server Error\n' }]);
    expect(errors).toHaveLength(1);
    peer.send(get('/ok'));
    expect(readResponses(peer.take())).toMatchObject([{ status: 200 }]);
  });

  test('a stream that fails before its first byte is answered with 500, as a handler is that throws', async () => {
    const { peer, errors, counters } = serveHandler(
      () => new HttpResponse(new ReadableStream({ pull: () => Promise.reject(new Error(secret)) })),
    );
    peer.send(GET);
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 500, body: 'Internal Server Error\n' }]);
    expect(errors).toHaveLength(1);
    expect(counters).toMatchObject({ requests: 1, responses2xx: 0, responses5xx: 1 });
  });

  const streamOf = (...chunks: unknown[]): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk as Uint8Array);
        controller.close();
      },
    });

  test.each([
    [
      'is shorter than declared',
      () => new HttpResponse(streamOf(octets('ab')), { headers: { 'Content-Length': '3' } }),
    ],
    [
      'is longer than declared',
      () => new HttpResponse(streamOf(octets('abcd')), { headers: { 'Content-Length': '3' } }),
    ],
    ['gives something else than bytes', () => new HttpResponse(streamOf('abc'))],
    [
      'fails later',
      () =>
        new HttpResponse(
          new ReadableStream({ pull: () => new Promise((_, reject) => setImmediate(() => reject(new Error(secret)))) }),
        ),
    ],
  ])(
    'a stream that %s destroys the connection, so that no client takes it for complete (RFC 9112 §8)',
    async (_, handler) => {
      const { peer, errors, ...memory } = serveHandler(handler);
      peer.send(GET + GET);
      await settled();
      const text = peer.take();
      expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(text).not.toContain('0\r\n\r\n');
      expect(text).not.toContain('abcd');
      expect(peer.closed).toBe(true);
      expect(errors).toHaveLength(1);
      // Without an error, since core would write it again: it is in the log already, with its request.
      expect([memory.connection.reason, memory.connection.error]).toEqual(['handler-failed', undefined]);
    },
  );

  test.each([
    ['text', 'abc', /pipe it through new TextEncoderStream\(\)/],
    ['a number', 7, /something else than bytes/],
  ])('the log says what to do about a stream of %s', async (_, chunk, words) => {
    const { peer, errors } = serveHandler(() => new HttpResponse(streamOf(chunk)));
    peer.send(GET);
    await settled();
    expect(errors).toEqual([expect.stringMatching(words)]);
  });

  test('a response that comes after the peer is gone is dropped and its stream is cancelled', async () => {
    let cancelled = false;
    let respond: ((response: Response) => void) | undefined;
    const { peer, errors } = serveHandler(() => new Promise((resolve) => (respond = resolve)));
    peer.send(GET);
    peer.reset();
    respond?.(new Response(new ReadableStream({ cancel: () => void (cancelled = true) })));
    await settled();
    expect(cancelled).toBe(true);
    expect(errors).toEqual([]);
  });
});

describe('streams out', () => {
  test('are chunked to HTTP/1.1 and end with the connection to HTTP/1.0 (RFC 9112 §6.1)', async () => {
    const handler = (): Response => new HttpResponse(new Response('abc').body);
    const modern = serveHandler(handler);
    modern.peer.send(GET);
    const old = serveHandler(handler);
    old.peer.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    await settled();
    expect(readResponses(modern.peer.take())).toMatchObject([{ body: 'abc' }]);
    const text = old.peer.take();
    expect(text).not.toContain('chunked');
    expect(readResponses(text)).toMatchObject([{ body: 'abc' }]);
    expect(old.peer.sawEnd).toBe(true);
  });

  test('wait for a peer that does not read', async () => {
    let pulled = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
      pulled += 1;
      controller.enqueue(new Uint8Array(10_000));
      if (pulled === 50) controller.close();
    };
    const { peer } = serveHandler(() => new HttpResponse(new ReadableStream({ pull }, { highWaterMark: 0 })));
    peer.reading = false;
    peer.send(GET);
    await settled();
    expect(pulled).toBeLessThan(5);
    peer.reading = true;
    await settled();
    expect(readResponses(peer.take())[0]?.body).toHaveLength(500_000);
  });

  test('are cancelled when the peer goes', async () => {
    let reason: unknown;
    const { peer } = serveHandler(
      () =>
        new HttpResponse(
          new ReadableStream({
            start: (controller) => controller.enqueue(octets('a')),
            cancel: (given) => void (reason = given),
          }),
        ),
    );
    peer.send(GET);
    await settled();
    peer.reset();
    await settled();
    expect(reason).toBeInstanceOf(Error);
  });
});

describe('content that is not sent is let go', () => {
  const cases: readonly (readonly [
    string,
    string,
    { readonly status?: number; readonly headers?: Readonly<Record<string, string>> },
  ])[] = [
    ['to HEAD', 'HEAD', {}],
    ['with 204', 'GET', { status: 204 }],
    ['with 304', 'GET', { status: 304 }],
    ['with a header that can’t be sent', 'GET', { headers: { A: 'b\x01' } }],
  ];

  test.each(cases)('a stream %s', async (_, method, init) => {
    let isCancelled = false;
    const { peer } = serveHandler(() =>
      responseOf(new ReadableStream({ cancel: () => void (isCancelled = true) }), init),
    );
    peer.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    await settled();
    expect(readResponses(peer.take(), [method])).toHaveLength(1);
    expect(isCancelled).toBe(true);
  });

  test.each(cases)('a source %s', async (_, method, init) => {
    let closed = 0;
    const { peer } = serveHandler(
      () => new HttpResponse({ byteLength: 3, read: () => Promise.resolve(0), close: () => void (closed += 1) }, init),
    );
    peer.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    await settled();
    expect(readResponses(peer.take(), [method])).toHaveLength(1);
    expect(closed).toBe(1);
  });

  test('a source that no response can be made of', () => {
    let closed = 0;
    const source = { byteLength: 3, read: () => Promise.resolve(0), close: () => void (closed += 1) };
    expect(() => new HttpResponse(source, { status: 99 })).toThrow(RangeError);
    expect(closed).toBe(1);
  });
});
