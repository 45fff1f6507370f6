// One request and its response, and what a handler sees of it.

import { byteByByte, eventually, serveInMemory } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { httpProtocol } from '../../src/protocol.ts';
import { platform } from '../../src/fetch/platform.ts';
import { HttpResponse, responseOf } from '../../src/fetch/response.ts';
import { octets } from '../http1/parse-all.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const { Response: NativeResponse } = platform();

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const get = (path: string, lines = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const post = (body: string, lines = ''): string =>
  `POST / HTTP/1.1\r\nHost: a\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
const hello = (): HttpResponse => new HttpResponse('Hello');

describe('one exchange', () => {
  test('a text response has a type, a date and a length', () => {
    const { peer } = serveHandler(hello);
    peer.send(GET);
    expect(peer.take()).toBe(
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain;charset=UTF-8\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 5\r\n\r\nHello',
    );
  });

  test('byte by byte the response is the same', () => {
    const { peer } = serveHandler(hello);
    for (const byte of byteByByte(octets(GET))) peer.send(byte);
    expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: 'Hello' }]);
  });

  test('text beyond ASCII is sent as UTF-8 with its length in bytes', () => {
    const { peer } = serveHandler(() => new HttpResponse('Grüße €'));
    peer.send(GET);
    const [response] = readResponses(peer.take());
    expect(response?.headers.get('content-length')).toBe('11');
    expect(Buffer.from(response?.body ?? '', 'latin1').toString()).toBe('Grüße €');
  });

  test('a platform Response is answered too, with several cookies kept apart', async () => {
    const { peer } = serveHandler(
      () =>
        new Response('Hi', {
          status: 201,
          headers: [
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
          ],
        }),
    );
    peer.send(GET);
    await settled();
    const text = peer.take();
    expect(readResponses(text)).toMatchObject([{ status: 201, body: 'Hi' }]);
    expect(text.match(/set-cookie: /gi)).toHaveLength(2);
  });

  test('a promise of a response is awaited', async () => {
    const { peer } = serveHandler(async () => hello());
    peer.send(GET);
    expect(peer.take()).toBe('');
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: 'Hello' }]);
  });

  test.each([
    ['bytes', new Uint8Array(200_000).fill(65)],
    ['text', 'A'.repeat(200_000)],
  ])('large %s arrive whole', async (_, content) => {
    const { peer } = serveHandler(() => new HttpResponse(content));
    peer.send(GET);
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: 'A'.repeat(200_000) }]);
  });

  test('HEAD of a response without content names no length, since GET may have some (RFC 9110 §8.6)', () => {
    const { peer } = serveHandler(() => new HttpResponse(null));
    peer.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n' + GET);
    const [head, whole] = readResponses(peer.take(), ['HEAD', 'GET']);
    expect([head?.headers.get('content-length'), whole?.headers.get('content-length')]).toEqual([null, '0']);
  });

  test.each([10, 20_000, 3_000_000])(
    'a platform response of %i bytes arrives whole when its clone is read, before or meanwhile',
    async (byteLength) => {
      for (const isReadBefore of [true, false]) {
        const { peer } = serveHandler(async () => {
          const response = new NativeResponse(new Uint8Array(byteLength).fill(0x61));
          const reading = response.clone().arrayBuffer();
          if (isReadBefore) await reading;
          return response;
        });
        peer.send(get('/', 'Connection: close\r\n'));
        let text = '';
        await eventually(() => {
          const more = peer.take();
          text += more;
          return more === '' && peer.sawEnd;
        });
        const [response] = readResponses(text);
        expect([response?.status, response?.body === 'a'.repeat(byteLength)]).toEqual([200, true]);
      }
    },
  );

  test('HEAD gets the head of GET and no content (RFC 9110 §9.3.2)', () => {
    const { peer } = serveHandler(hello);
    peer.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n' + GET);
    const [head, whole] = readResponses(peer.take(), ['HEAD', 'GET']);
    expect([...(head?.headers ?? [])]).toEqual([...(whole?.headers ?? [])]);
    expect(whole?.body).toBe('Hello');
  });

  test.each([204, 304])('%i has neither content nor a length (RFC 9110 §8.6)', (status) => {
    const { peer } = serveHandler(() => responseOf('dropped', { status, headers: { 'Content-Length': '7' } }));
    peer.send(GET);
    const text = peer.take();
    expect(text).not.toMatch(/content-length|transfer-encoding|dropped/i);
    expect(readResponses(text)).toMatchObject([{ status }]);
  });
});

describe('what a handler sees', () => {
  test('method, URL, headers and the peer', async () => {
    const seen: unknown[] = [];
    const { peer } = serveHandler((request, context) => {
      seen.push(
        request instanceof Request,
        request.method,
        request.url,
        request.headers.get('x-a'),
        request.headers instanceof Headers,
        context.rawTarget,
        context.remote,
        context.httpVersion,
      );
      return hello();
    });
    peer.send('GET /a/../b?c HTTP/1.1\r\nHost: Example.org:80\r\nX-A: 1\r\nx-a: 2\r\n\r\n');
    expect(seen).toEqual([
      true,
      'GET',
      'http://example.org/b?c',
      '1, 2',
      true,
      '/a/../b?c',
      { family: 'ipv4', address: '192.0.2.1', port: 50_000 },
      '1.1',
    ]);
  });

  test('an absolute target names the host, and the scheme stays that of the connection (RFC 9112 §3.2.2)', () => {
    const { peer } = serveHandler((request) => new HttpResponse(request.url));
    peer.send('GET http://b.example/x HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(readResponses(peer.take())).toMatchObject([{ body: 'http://b.example/x' }]);
  });

  test.each([
    ['text', (request: Request) => request.text()],
    ['JSON', async (request: Request) => JSON.stringify(await request.json())],
    ['bytes', async (request: Request) => Buffer.from(await request.arrayBuffer()).toString()],
    ['a stream', async (request: Request) => new Response(request.body).text()],
    ['a clone', (request: Request) => request.clone().text()],
    ['a blob', async (request: Request) => (await request.blob()).text()],
  ])('the content as %s', async (_, read) => {
    const { peer } = serveHandler(async (request) => new HttpResponse(await read(request)));
    peer.send(post('{"a":"b"}'));
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: '{"a":"b"}' }]);
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const byte of byteByByte(octets('4\r\n{"a"\r\n5\r\n:"b"}\r\n0\r\n\r\n'))) peer.send(byte);
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: '{"a":"b"}' }]);
  });

  test('trailers, once the content is read', async () => {
    const { peer } = serveHandler(async (request, context) => {
      await request.text();
      return new HttpResponse(context.trailers()?.get('digest'));
    });
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nDigest: x\r\n\r\n');
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ body: 'x' }]);
  });

  test('an echo streams both ways at once', async () => {
    const { peer } = serveHandler((request) => new HttpResponse(request.body));
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await settled();
    expect(peer.take()).toMatch(/3\r\nabc\r\n$/);
    peer.send('2\r\nde\r\n0\r\n\r\n' + GET);
    await settled();
    expect(peer.take()).toMatch(/^2\r\nde\r\n0\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  test('its signal aborts when the peer is gone before the response', async () => {
    let signal: AbortSignal | undefined;
    const { peer } = serveHandler((request) => {
      ({ signal } = request);
      return new Promise<Response>(() => undefined);
    });
    peer.send(GET);
    expect(signal?.aborted).toBe(false);
    peer.reset();
    expect(signal?.aborted).toBe(true);
  });

  test('content that was cut off rejects, and is never taken for the whole (RFC 9112 §8)', async () => {
    let failure: unknown;
    const { peer } = serveHandler(async (request) => {
      await request.text().catch((error: unknown) => (failure = error));
      return hello();
    });
    peer.send(post('abc').slice(0, -1));
    peer.end();
    await settled();
    expect(failure).toBeInstanceOf(Error);
    expect(peer.take()).toBe('');
    expect(peer.closed).toBe(true);
  });
});

test('two connections of one service do not mix', () => {
  const protocol = httpProtocol((request) => new HttpResponse(request.url));
  const one = serveInMemory(protocol);
  const two = serveInMemory(protocol);
  one.peer.send(GET.slice(0, 12));
  two.peer.send(get('/two'));
  one.peer.send(GET.slice(12));
  expect(readResponses(one.peer.take())).toMatchObject([{ body: 'http://a/' }]);
  expect(readResponses(two.peer.take())).toMatchObject([{ body: 'http://a/two' }]);
});
