// What the engine answers by itself.

import { describe, expect, test } from 'vitest';
import { httpProtocol } from '../../src/protocol.ts';
import { HttpResponse } from '../../src/fetch/response.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const get = (path: string, lines = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const hello = (): HttpResponse => new HttpResponse('Hello');

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
    expect(readResponses(peer.take()).map((response) => [response.status, response.headers.get('connection')])).toEqual(
      [
        [200, null],
        [status, 'close'],
      ],
    );
    expect(peer.sawEnd).toBe(true);
  });

  test.each([
    ['without Host', 'HEAD / HTTP/1.1\r\n\r\n', 400],
    ['with a bad field', 'HEAD / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n', 400],
    ['with a bad target', 'HEAD a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['with too long a target', `HEAD /${'x'.repeat(9_000)}`, 414],
    ['with too large a head', `HEAD / HTTP/1.1\r\nA: ${'x'.repeat(40_000)}`, 431],
    ['for another scheme', 'HEAD https://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 421],
    ['with too much content', 'HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n', 413],
    ['with a bad chunk', 'HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n', 400],
  ])('a HEAD %s is told so without content (RFC 9110 §9.3.2)', async (_, request, status) => {
    for (const pieces of [[request], Array.from(request)]) {
      const { peer } = serveHandler(async (asked) => {
        await asked.text();
        return hello();
      });
      // After another, whose method is not this one's.
      peer.send(GET);
      await settled();
      peer.take();
      for (const piece of pieces) peer.send(piece);
      await settled();
      const text = peer.take();
      expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(text.endsWith('\r\n\r\n')).toBe(true);
    }
  });

  test('what is meant for TLS is answered without where a trusted proxy has it', () => {
    const proxies = { field: 'x-forwarded-for', isTrusted: () => true } as const;
    const { peer } = serveHandler((request) => new HttpResponse(request.url), {}, { proxies });
    peer.send('GET https://b/x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\r\n');
    peer.send('GET https://b/x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n\r\n');
    expect(readResponses(peer.take())).toMatchObject([{ body: 'https://b/x' }, { status: 421 }]);
  });

  test('TRACE is refused with 405 and Allow (RFC 9110 §9.3.8)', () => {
    const { peer } = serveHandler(hello);
    peer.send('TRACE / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [response] = readResponses(peer.take());
    expect([response?.status, response?.headers.get('allow')]).toEqual([
      405,
      'GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH',
    ]);
  });

  test('OPTIONS * is answered by the server (RFC 9110 §9.3.7)', () => {
    const { peer } = serveHandler(hello);
    peer.send('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(readResponses(peer.take())).toMatchObject([{ status: 204 }]);
  });

  test('a bad chunk in the content that a handler waits for is answered with 400, and the handler is told', async () => {
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

test('a peer that is turned away is sent a complete 503', () => {
  const refusal = httpProtocol(hello).refusal?.('address-limit') ?? '';
  expect(readResponses(refusal).map(({ status, body, headers }) => [status, body, headers.get('connection')])).toEqual([
    [503, 'Too many connections\n', 'close'],
  ]);
});
