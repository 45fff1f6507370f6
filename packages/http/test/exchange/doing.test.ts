// What a connection is said to be doing, for who looks at connections and for the log of a drain.

import { describe, expect, test } from 'vitest';
import { HttpResponse } from '../../src/index.ts';
import { frame, FRAME, FLAG, get, literal } from '../http2/raw-http2.ts';
import { serveHttp2 } from '../http2/memory-http2.ts';
import { serveHandler, settled } from '../serve.ts';

function later() {
  let answer = (): void => undefined;
  const asked = new Promise<void>((resolve) => (answer = resolve));
  return { handler: () => asked.then(() => new HttpResponse('done')), answer: () => answer() };
}

describe('HTTP/1.1', () => {
  test.each([
    ['GET /report?token=secret HTTP/1.1', 'GET /report'],
    ['POST http://a/upload/caf%C3%A9?key=secret HTTP/1.1', 'POST /upload/caf%C3%A9'],
    ['GET http://a?key=secret HTTP/1.1', 'GET /'],
    [`GET /${'x'.repeat(400)} HTTP/1.1`, `GET /${'x'.repeat(155)}…`],
  ])('a request that is answered is told by its method and path, without the query: %s', async (line, doing) => {
    const { handler, answer } = later();
    const { peer, connection } = serveHandler(handler);
    expect(connection.doing).toBeUndefined();
    peer.send(`${line}\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    expect(connection.doing).toBe(doing);
    answer();
    await settled();
    expect(connection.doing).toBeUndefined();
  });

  test('a request whose content is still coming is told', () => {
    const { peer, connection } = serveHandler(later().handler);
    peer.send('PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    expect(connection.doing).toBe('PUT /big');
  });

  test('a connection that was taken over is told by the request that did it', () => {
    const { peer, connection } = serveHandler((_, context) => context.upgrade().response);
    peer.send('GET /chat?user=secret HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(connection.doing).toBe('upgraded by GET /chat');
  });
});

test('a connection of HTTP/2 is told by the first request that is open, and how many more there are', async () => {
  const { handler, answer } = later();
  const memory = await serveHttp2(handler);
  expect(memory.connection.doing).toBeUndefined();
  const block = Buffer.concat([
    Buffer.from([0x82, 0x87]),
    literal(':path', '/a?token=secret'),
    literal(':authority', 'a'),
  ]);
  memory.send(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, block));
  await memory.settle();
  expect(memory.connection.doing).toBe('GET /a');
  memory.send(get(3), get(5));
  await memory.settle();
  expect(memory.connection.doing).toBe('GET /a and 2 more');
  answer();
  await memory.settle();
  expect(memory.connection.doing).toBeUndefined();
});
