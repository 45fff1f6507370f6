// The stream of an upgraded connection: back-pressure, and whose the bytes of a write are.

import { expect, test } from 'vitest';
import type { Duplex } from 'node:stream';
import { serveHandler, settled, type Served } from '../serve.ts';

const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n';
const HIGH_WATER_BYTES = 16_384;

async function upgraded(head = ''): Promise<Served & { readonly stream: Duplex }> {
  let stream: Duplex | undefined;
  const served = serveHandler((_, context) => {
    const taken = context.upgrade();
    stream = taken.stream;
    return taken.response;
  });
  served.peer.send(UPGRADE + head);
  await settled();
  if (stream === undefined) throw new Error('the connection was not upgraded');
  return Object.assign(served, { stream });
}

test.each([0, 1, HIGH_WATER_BYTES - 1, HIGH_WATER_BYTES, HIGH_WATER_BYTES + 1, 65_000])(
  'with %d bytes that came behind the request, one that is not read is not filled, and gives all of them when it is',
  async (headBytes) => {
    const { peer, connection, stream } = await upgraded('h'.repeat(headBytes));
    for (let chunk = 0; chunk < 100; chunk += 1) peer.send(new Uint8Array(10_000).fill(0x78));
    await settled();
    expect(connection.receivedBytes).toBeLessThan(headBytes + 100_000);
    const received: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => received.push(bytes));
    await settled();
    expect(Buffer.concat(received).toString()).toBe('h'.repeat(headBytes) + 'x'.repeat(1_000_000));
  },
);

test('a write calls back when the system has its bytes, so that its buffer can be used again', async () => {
  const { peer, stream } = await upgraded();
  peer.reading = false;
  let called = 0;
  stream.write('a'.repeat(10), () => (called += 1));
  stream.write('b', () => (called += 1));
  stream.write('c', () => (called += 1));
  await settled();
  expect(called).toBe(0);
  peer.reading = true;
  await settled();
  expect([peer.take(), called]).toEqual(['aaaaaaaaaabc', 3]);
});

test('it has finished when its last byte is with the system', async () => {
  const { peer, stream } = await upgraded();
  peer.reading = false;
  stream.end('last');
  await settled();
  expect([stream.writableFinished, peer.sawEnd]).toEqual([false, false]);
  peer.reading = true;
  await settled();
  expect([peer.take(), stream.writableFinished, peer.sawEnd]).toEqual(['last', true, true]);
});

test('more than a connection may have unsent is written in order, as the peer takes it', async () => {
  const { peer, stream } = await upgraded();
  peer.reading = false;
  const pieces = Array.from({ length: 40 }, (_, piece) => Buffer.alloc(100_000, piece));
  for (const piece of pieces) stream.write(piece);
  await settled();
  peer.reading = true;
  await settled();
  expect(Buffer.concat(pieces).equals(peer.takeBytes())).toBe(true);
});

test('a write that a reset cuts off is told of it, and the connection ends as a reset', async () => {
  const { peer, stream, connection } = await upgraded();
  peer.reading = false;
  const ends: unknown[] = [];
  stream.write('x', (error) => ends.push(error instanceof Error));
  peer.reset();
  await settled();
  expect([ends, stream.destroyed, connection.reason]).toEqual([[true], true, 'peer-reset']);
});
