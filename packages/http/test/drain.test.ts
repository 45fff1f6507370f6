import { expect, test } from 'vitest';
import { HttpResponse } from '../src/index.ts';
import { serveHandler, settled } from './serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('a request that was under way when the drain began is answered, though the answer before it had promised to stay', async () => {
  const memory = serveHandler(() => new HttpResponse('x'.repeat(50_000)));
  const { peer, connection } = memory;
  peer.reading = false;
  peer.send(GET);
  connection.startDrain();
  // The first answer leaves only now.
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
