import { describe, expect, test } from 'vitest';
import { HttpResponse } from '../../src/index.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const hello = (): HttpResponse => new HttpResponse('Hello');

test('a request that was under way when the drain began is answered, though the response before it had promised to stay', async () => {
  const memory = serveHandler(() => new HttpResponse('x'.repeat(50_000)));
  const { peer, connection } = memory;
  peer.reading = false;
  peer.send(GET);
  connection.startDrain();
  // The first response leaves only now.
  peer.reading = true;
  await settled();
  expect(peer.take()).not.toMatch(/^connection: close/im);
  expect(peer.sawEnd).toBe(false);
  expect(memory.closeReason).toBeUndefined();
  peer.send(GET);
  await settled();
  expect(peer.take()).toMatch(/^connection: close/im);
  peer.end();
  expect(peer.closed).toBe(true);
});

test('a connection that stays idle after the drain began is closed after a second, not before', () => {
  const { peer, connection, clock } = serveHandler(() => new HttpResponse('hello'));
  peer.send(GET);
  connection.startDrain();
  clock.advance(900);
  expect(peer.sawEnd).toBe(false);
  clock.advance(400);
  expect(peer.sawEnd).toBe(true);
});

test('the last request may take its time: only the wait for it is a second', async () => {
  let respond: (() => void) | undefined;
  let finish: (() => void) | undefined;
  const { peer, connection, clock } = serveHandler((request) =>
    request.url.endsWith('/slow')
      ? new Promise((resolve) => (respond = () => resolve(hello())))
      : new HttpResponse(new ReadableStream({ start: (controller) => void (finish = () => controller.close()) })),
  );
  peer.send(GET);
  await settled();
  connection.startDrain();
  finish?.();
  await settled();
  expect(peer.take()).not.toMatch(/^connection: close/im);
  clock.advance(500);
  peer.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  clock.advance(100_000);
  respond?.();
  await settled();
  expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: 'Hello' }]);
  expect(peer.sawEnd).toBe(true);
});

test('a head that began in that second has the time of a head', () => {
  const { peer, connection, clock } = serveHandler(hello);
  connection.startDrain();
  peer.send(GET.slice(0, 10));
  clock.advance(15_000);
  peer.send(GET.slice(10));
  expect(readResponses(peer.take())).toMatchObject([{ status: 200 }]);
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

  test('a response in flight is finished, says Connection: close, and is the last', async () => {
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

test('an event stream that ends at the start of a drain is whole, and its connection is closed a moment later', async () => {
  const { peer, connection, clock, errors } = serveHandler((_request, context) => {
    const events = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('data: hello\n\n'));
        context.draining.addEventListener('abort', () => controller.close());
      },
    });
    return new Response(events, { headers: { 'Content-Type': 'text/event-stream' } });
  });
  peer.send(GET);
  await settled();
  expect(peer.take()).toContain('data: hello\n\n');
  connection.startDrain();
  await settled();
  expect(peer.take()).toBe('0\r\n\r\n');
  clock.advance(1_400);
  expect(peer.sawEnd).toBe(true);
  expect(errors).toEqual([]);
});
