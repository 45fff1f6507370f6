import { byteByByte, serveInMemory } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { httpProtocol } from '../src/protocol.ts';
import { HttpResponse } from '../src/response.ts';
import { octets } from './parse-all.ts';
import { readResponses, serveHandler, settled } from './serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const get = (path: string, lines = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const post = (body: string, lines = ''): string => `POST / HTTP/1.1\r\nHost: a\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
const hello = (): HttpResponse => new HttpResponse('Hello');

describe('one exchange', () => {
  test('a text answer has a type, a date and a length', () => {
    const { peer } = serveHandler(hello);
    peer.send(GET);
    expect(peer.take()).toBe('HTTP/1.1 200 OK\r\nContent-Type: text/plain;charset=UTF-8\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 5\r\n\r\nHello');
  });

  test('byte by byte the answer is the same', () => {
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
    const { peer } = serveHandler(() => new Response('Hi', { status: 201, headers: [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']] }));
    peer.send(GET);
    await settled();
    const text = peer.take();
    expect(readResponses(text)).toMatchObject([{ status: 201, body: 'Hi' }]);
    expect(text.match(/set-cookie: /gi)).toHaveLength(2);
  });

  test('a promise of an answer is awaited', async () => {
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

  test('HEAD gets the head of GET and no content (RFC 9110 §9.3.2)', () => {
    const { peer } = serveHandler(hello);
    peer.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n' + GET);
    const [head, whole] = readResponses(peer.take(), ['HEAD', 'GET']);
    expect([...(head?.headers ?? [])]).toEqual([...(whole?.headers ?? [])]);
    expect(whole?.body).toBe('Hello');
  });

  test.each([204, 304])('%i has neither content nor a length (RFC 9110 §8.6)', (status) => {
    const { peer } = serveHandler(() => new HttpResponse('dropped', { status, headers: { 'Content-Length': '7' } }));
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
      seen.push(request instanceof Request, request.method, request.url, request.headers.get('x-a'), request.headers instanceof Headers, context.rawTarget, context.remote, context.httpVersion);
      return hello();
    });
    peer.send('GET /a/../b?c HTTP/1.1\r\nHost: Example.org:80\r\nX-A: 1\r\nx-a: 2\r\n\r\n');
    expect(seen).toEqual([true, 'GET', 'http://example.org/b?c', '1, 2', true, '/a/../b?c', { family: 'ipv4', address: '192.0.2.1', port: 50_000 }, '1.1']);
  });

  test('an absolute target names the host, and the scheme stays that of the connection (RFC 9112 §3.2.2)', () => {
    const { peer } = serveHandler((request) => new HttpResponse(request.url));
    peer.send('GET https://b.example/x HTTP/1.1\r\nHost: a\r\n\r\n');
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

  test('its signal aborts when the peer is gone before the answer', async () => {
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

describe('persistent connections (RFC 9112 §9.3)', () => {
  test.each([
    ['HTTP/1.1 goes on', GET, false, null],
    ['HTTP/1.1 with Connection: close ends', get('/', 'Connection: x, Close\r\n'), true, 'close'],
    ['HTTP/1.0 ends', 'GET / HTTP/1.0\r\n\r\n', true, 'close'],
    ['HTTP/1.0 with keep-alive goes on and is told so', 'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n', false, 'keep-alive'],
  ])('%s', (_, request, ends, connection) => {
    const { peer } = serveHandler(hello);
    peer.send(request);
    expect(readResponses(peer.take())[0]?.headers.get('connection')).toBe(connection);
    expect(peer.sawEnd).toBe(ends);
  });

  test('nothing that follows a closing request is processed', () => {
    let calls = 0;
    const { peer } = serveHandler(() => {
      calls += 1;
      return hello();
    });
    peer.send(get('/', 'Connection: close\r\n') + GET);
    expect(calls).toBe(1);
    expect(readResponses(peer.take())).toHaveLength(1);
  });

  test('a handler that says Connection: close ends the connection, and no other word of its about framing is sent', () => {
    const { peer } = serveHandler(() => new HttpResponse('x', { headers: { Connection: 'close', 'Transfer-Encoding': 'chunked', 'Keep-Alive': 'timeout=5' } }));
    peer.send(GET);
    const text = peer.take();
    expect(text).not.toMatch(/transfer-encoding|keep-alive/i);
    expect(readResponses(text)).toMatchObject([{ body: 'x' }]);
    expect(peer.sawEnd).toBe(true);
  });

  test('a client that has shut down its writing side still gets its answers', async () => {
    const { peer } = serveHandler(async () => hello());
    peer.send(GET + GET);
    peer.end();
    await settled();
    expect(readResponses(peer.take())).toHaveLength(2);
    expect(peer.closed).toBe(true);
  });
});

describe('pipelining (RFC 9112 §9.3.2)', () => {
  test('answers that are ready at once leave in one write', () => {
    const { peer, connection } = serveHandler(hello);
    let sends = 0;
    const send = connection.send.bind(connection);
    connection.send = (...args: Parameters<typeof send>) => {
      sends += 1;
      return send(...args);
    };
    peer.send(GET.repeat(16));
    expect(readResponses(peer.take())).toHaveLength(16);
    expect(sends).toBe(1);
  });

  test('slow and fast answers leave in the order of their requests, one handler at a time', async () => {
    const release: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const { peer } = serveHandler((request) => {
      running += 1;
      most = Math.max(most, running);
      const answer = (): HttpResponse => {
        running -= 1;
        return new HttpResponse(new URL(request.url).pathname);
      };
      if (!request.url.endsWith('slow')) return answer();
      return new Promise((resolve) => release.push(() => resolve(answer())));
    });
    peer.send(get('/1slow') + get('/2'));
    peer.send(get('/3slow') + get('/4'));
    expect(peer.take()).toBe('');
    release.shift()?.();
    await settled();
    expect(readResponses(peer.take()).map(({ body }) => body)).toEqual(['/1slow', '/2']);
    release.shift()?.();
    await settled();
    expect(readResponses(peer.take()).map(({ body }) => body)).toEqual(['/3slow', '/4']);
    expect(most).toBe(1);
  });

  test('a peer that sends but does not read stops being read', () => {
    let calls = 0;
    const { peer } = serveHandler(() => {
      calls += 1;
      return new HttpResponse('x'.repeat(10_000));
    });
    peer.reading = false;
    for (let chunk = 0; chunk < 10; chunk += 1) peer.send(GET.repeat(20));
    expect(calls).toBeLessThan(25);
    peer.reading = true;
    expect(readResponses(peer.take())).toHaveLength(200);
    expect(calls).toBe(200);
  });
});

describe('unread content (RFC 9112 §9.3)', () => {
  test('is discarded up to the limit, and the next request is answered', () => {
    const { peer } = serveHandler((request) => new HttpResponse(request.method), { maxDiscardedBodyBytes: 10 });
    peer.send(post('x'.repeat(10)) + GET);
    expect(readResponses(peer.take()).map(({ body }) => body)).toEqual(['POST', 'GET']);
  });

  test('of a known length over the limit closes the connection, and says so', () => {
    const { peer } = serveHandler((request) => new HttpResponse(request.method), { maxDiscardedBodyBytes: 10 });
    peer.send(post('x'.repeat(11)).slice(0, -1));
    expect(readResponses(peer.take()).map(({ body, headers }) => [body, headers.get('connection')])).toEqual([['POST', 'close']]);
    expect(peer.sawEnd).toBe(true);
  });

  test('that has arrived already costs nothing, whatever its length', () => {
    const { peer } = serveHandler((request) => new HttpResponse(request.method), { maxDiscardedBodyBytes: 10 });
    peer.send(post('x'.repeat(11)) + GET);
    expect(readResponses(peer.take()).map(({ body }) => body)).toEqual(['POST', 'GET']);
  });

  test('of unknown length is discarded up to the limit, then the connection ends', () => {
    const { peer } = serveHandler(hello, { maxDiscardedBodyBytes: 10 });
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    peer.send('a\r\n0123456789\r\n');
    expect(peer.sawEnd).toBe(false);
    peer.send('1\r\nx\r\n');
    expect(peer.sawEnd).toBe(true);
    expect(readResponses(peer.take())).toHaveLength(1);
  });

  test('while nobody reads it, no more than a bound is kept', async () => {
    const { peer, connection } = serveHandler(() => new Promise<Response>(() => undefined), { maxBodyBytes: Infinity });
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n');
    for (let chunk = 0; chunk < 100; chunk += 1) peer.send(new Uint8Array(10_000));
    await settled();
    expect(connection.receivedBytes).toBeLessThan(100_000);
  });
});

describe('Expect: 100-continue (RFC 9110 §10.1.1)', () => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n';

  test('is answered when the handler reads', async () => {
    const { peer } = serveHandler(async (request) => new HttpResponse(await request.text()));
    peer.send(head);
    expect(peer.take()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    peer.send('abc');
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: 'abc' }]);
  });

  test('is answered before an answer that relays the content begins', async () => {
    const { peer } = serveHandler((request) => new HttpResponse(request.body));
    peer.send(head);
    await settled();
    expect(peer.take()).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    peer.send('abc');
    await settled();
    expect(peer.take()).toBe('3\r\nabc\r\n0\r\n\r\n');
  });

  test('is not answered when the handler refuses without reading, and the connection closes', () => {
    const { peer } = serveHandler(() => new HttpResponse(null, { status: 403 }));
    peer.send(head);
    expect(readResponses(peer.take()).map(({ status, headers }) => [status, headers.get('connection')])).toEqual([[403, 'close']]);
    expect(peer.sawEnd).toBe(true);
  });

  test('is not answered when the content has come already', async () => {
    const { peer } = serveHandler(async (request) => {
      await Promise.resolve();
      return new HttpResponse(await request.text());
    });
    peer.send(`${head}abc`);
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: 'abc' }]);
  });

  test('a body over the limit is refused with 413 before it is sent', () => {
    const { peer } = serveHandler(hello, { maxBodyBytes: 2 });
    peer.send(head);
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([413]);
  });

  test('another expectation is answered with 417', () => {
    const { peer } = serveHandler(hello);
    peer.send(head.replace('100-continue', 'more'));
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([417]);
  });
});

describe('what is refused', () => {
  test.each([
    ['a bad request', 'GET /\n', 400],
    ['too large a head', get('/', `A: ${'x'.repeat(40_000)}\r\n`), 431],
    ['too long a target', get(`/${'x'.repeat(9_000)}`), 414],
    ['another version', 'GET / HTTP/2.0\r\n\r\n', 505],
    ['another coding', get('/', 'Transfer-Encoding: gzip, chunked\r\n'), 501],
    ['an unknown method', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['CONNECT', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 501],
  ])('%s is answered and the connection ends', (_, request, status) => {
    const { peer } = serveHandler(hello);
    peer.send(GET + request);
    expect(readResponses(peer.take()).map((response) => [response.status, response.headers.get('connection')])).toEqual([[200, null], [status, 'close']]);
    expect(peer.sawEnd).toBe(true);
  });

  test('TRACE is refused with 405 and Allow (RFC 9110 §9.3.8)', () => {
    const { peer } = serveHandler(hello);
    peer.send('TRACE / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [response] = readResponses(peer.take());
    expect([response?.status, response?.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH']);
  });

  test('OPTIONS * is answered by the server (RFC 9110 §9.3.7)', () => {
    const { peer } = serveHandler(hello);
    peer.send('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(readResponses(peer.take())).toMatchObject([{ status: 204 }]);
  });

  test('a bad chunk in the content that a handler waits for is answered with 400, and the handler hears of it', async () => {
    let failure: unknown;
    const { peer } = serveHandler(async (request) => {
      await request.text().catch((error: unknown) => (failure = error));
      return hello();
    });
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n');
    await settled();
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([400]);
    expect(failure).toBeInstanceOf(Error);
  });
});

describe('handlers that break', () => {
  const secret = 'the password is sesame';

  test.each([
    ['throws', () => { throw new Error(secret); }],
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
    const { peer, errors } = serveHandler((request, context) => (request.url.endsWith('/ok') ? hello() : (handler as () => Response)(...([request, context] as unknown as []))));
    peer.send(GET);
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 500, body: 'Internal Server Error\n' }]);
    expect(errors).toHaveLength(1);
    peer.send(get('/ok'));
    expect(readResponses(peer.take())).toMatchObject([{ status: 200 }]);
  });

  test('a stream that fails before its first byte is answered with 500, as a handler is that throws', async () => {
    const { peer, errors } = serveHandler(() => new HttpResponse(new ReadableStream({ pull: () => Promise.reject(new Error(secret)) })));
    peer.send(GET);
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 500, body: 'Internal Server Error\n' }]);
    expect(errors).toHaveLength(1);
  });

  const streamOf = (...chunks: unknown[]): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk as Uint8Array);
        controller.close();
      },
    });

  test.each([
    ['is shorter than declared', () => new HttpResponse(streamOf(octets('ab')), { headers: { 'Content-Length': '3' } })],
    ['is longer than declared', () => new HttpResponse(streamOf(octets('abcd')), { headers: { 'Content-Length': '3' } })],
    ['gives something else than bytes', () => new HttpResponse(streamOf('abc'))],
    ['fails later', () => new HttpResponse(new ReadableStream({ pull: () => new Promise((_, reject) => setImmediate(() => reject(new Error(secret)))) }))],
  ])('a stream that %s destroys the connection, so that nobody takes it for complete (RFC 9112 §8)', async (_, handler) => {
    const { peer, errors, ...memory } = serveHandler(handler);
    peer.send(GET + GET);
    await settled();
    const text = peer.take();
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(text).not.toContain('0\r\n\r\n');
    expect(text).not.toContain('abcd');
    expect(peer.closed).toBe(true);
    expect(errors).toHaveLength(1);
    expect(memory.connection.reason).toBe('handler-failed');
  });

  test('an answer that comes after the peer is gone is dropped and its stream is cancelled', async () => {
    let cancelled = false;
    let answer: ((response: Response) => void) | undefined;
    const { peer, errors } = serveHandler(() => new Promise((resolve) => (answer = resolve)));
    peer.send(GET);
    peer.reset();
    answer?.(new Response(new ReadableStream({ cancel: () => void (cancelled = true) })));
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
    const { peer } = serveHandler(() => new HttpResponse(new ReadableStream({ start: (controller) => controller.enqueue(octets('a')), cancel: (given) => void (reason = given) })));
    peer.send(GET);
    await settled();
    peer.reset();
    await settled();
    expect(reason).toBeInstanceOf(Error);
  });
});

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

  test('an idle connection is closed in silence after the keep-alive time, counted from the last answer', () => {
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
    let answer: ((response: HttpResponse) => void) | undefined;
    const { peer, clock } = serveHandler(() => new Promise((resolve) => (answer = resolve)));
    peer.send(GET);
    clock.advance(200_000);
    answer?.(hello());
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200 }]);
  });
});

describe('drain', () => {
  test('an idle connection has a moment for a request that is on its way, which is its last', () => {
    const busy = serveHandler(hello);
    busy.peer.send(GET);
    busy.peer.take();
    busy.connection.startDrain();
    expect(busy.peer.sawEnd).toBe(false);
    busy.peer.send(GET);
    expect(readResponses(busy.peer.take()).map(({ headers }) => headers.get('connection'))).toEqual(['close']);
    const silent = serveHandler(hello);
    silent.peer.send(GET);
    silent.connection.startDrain();
    silent.clock.advance(2_000);
    expect(silent.peer.sawEnd).toBe(true);
  });

  test('an answer in flight is finished, says Connection: close, and is the last', async () => {
    const { peer, connection } = serveHandler(async () => hello());
    peer.send(GET);
    connection.startDrain();
    expect(peer.sawEnd).toBe(false);
    await settled();
    expect(readResponses(peer.take()).map(({ headers }) => headers.get('connection'))).toEqual(['close']);
    expect(peer.sawEnd).toBe(true);
  });

  test('a request that has begun to arrive is answered', () => {
    const { peer, connection } = serveHandler(hello);
    peer.send(GET.slice(0, 10));
    connection.startDrain();
    peer.send(GET.slice(10));
    expect(readResponses(peer.take()).map(({ headers }) => headers.get('connection'))).toEqual(['close']);
  });

  test('a connection that has just been accepted has a moment to send its request', () => {
    const first = serveHandler(hello);
    first.connection.startDrain();
    first.peer.send(GET);
    expect(readResponses(first.peer.take())).toMatchObject([{ status: 200 }]);
    const silent = serveHandler(hello);
    silent.connection.startDrain();
    silent.clock.advance(2_000);
    expect(silent.peer.sawEnd).toBe(true);
  });
});

test('a peer that is turned away hears a complete 503', () => {
  const refusal = httpProtocol(hello).refusal?.('address-limit') ?? '';
  expect(readResponses(refusal).map(({ status, body, headers }) => [status, body, headers.get('connection')])).toEqual([[503, 'Too many connections\n', 'close']]);
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
