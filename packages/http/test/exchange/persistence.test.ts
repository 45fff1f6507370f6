// What happens between the requests of one connection.

import { describe, expect, test } from 'vitest';
import { HttpResponse } from '../../src/fetch/response.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const get = (path: string, lines = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const post = (body: string, lines = ''): string =>
  `POST / HTTP/1.1\r\nHost: a\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
const hello = (): HttpResponse => new HttpResponse('Hello');

describe('persistent connections (RFC 9112 §9.3)', () => {
  test.each([
    ['HTTP/1.1 goes on', GET, false, null],
    ['HTTP/1.1 with Connection: close ends', get('/', 'Connection: x, Close\r\n'), true, 'close'],
    ['HTTP/1.0 ends', 'GET / HTTP/1.0\r\n\r\n', true, 'close'],
    [
      'HTTP/1.0 with keep-alive goes on and is told so',
      'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n',
      false,
      'keep-alive',
    ],
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

  const closing = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc';
  test.each([
    ['reads it', async (request: Request) => new HttpResponse(await request.text())],
    ['does not', () => Promise.resolve(new HttpResponse('early'))],
    ['streams it back', (request: Request) => new HttpResponse(request.body)],
  ])('nor what follows one with content, when its handler %s', async (_, handler) => {
    let calls = 0;
    const { peer } = serveHandler((request) => {
      calls += 1;
      return handler(request);
    });
    peer.send(closing + GET);
    peer.end();
    await settled();
    expect(calls).toBe(1);
    expect(readResponses(peer.take())).toMatchObject([{ status: 200 }]);
    expect(peer.closed).toBe(true);
  });

  test('a handler that says Connection: close ends the connection, and no other word of its about framing is sent', () => {
    const { peer } = serveHandler(
      () =>
        new HttpResponse('x', {
          headers: { Connection: 'close', 'Transfer-Encoding': 'chunked', 'Keep-Alive': 'timeout=5' },
        }),
    );
    peer.send(GET);
    const text = peer.take();
    expect(text).not.toMatch(/transfer-encoding|keep-alive/i);
    expect(readResponses(text)).toMatchObject([{ body: 'x' }]);
    expect(peer.sawEnd).toBe(true);
  });

  test('a client that has shut down its writing side still gets its responses', async () => {
    const { peer } = serveHandler(async () => hello());
    peer.send(GET + GET);
    peer.end();
    await settled();
    expect(readResponses(peer.take())).toHaveLength(2);
    expect(peer.closed).toBe(true);
  });
});

describe('pipelining (RFC 9112 §9.3.2)', () => {
  test('responses that are ready at once leave in one write', () => {
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

  test('slow and fast responses leave in the order of their requests, one handler at a time', async () => {
    const release: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const { peer } = serveHandler((request) => {
      running += 1;
      most = Math.max(most, running);
      const respond = (): HttpResponse => {
        running -= 1;
        return new HttpResponse(new URL(request.url).pathname);
      };
      if (!request.url.endsWith('slow')) return respond();
      return new Promise((resolve) => release.push(() => resolve(respond())));
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
    expect(readResponses(peer.take()).map(({ body, headers }) => [body, headers.get('connection')])).toEqual([
      ['POST', 'close'],
    ]);
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

  test('while no handler reads it, no more than a bound is kept', async () => {
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

  test('is answered before a response that relays the content begins', async () => {
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
    expect(readResponses(peer.take()).map(({ status, headers }) => [status, headers.get('connection')])).toEqual([
      [403, 'close'],
    ]);
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
