// Frames of HTTP/2 that are nearly right: whatever comes, the session ends with its client, and others are served.

import fc from 'fast-check';
import type { Server } from '@wellknown/core';
import { eventually } from '@wellknown/core/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHttpServer, HttpResponse } from '../../src/index.ts';
import { makeCertificate } from '../../../../test/certificates.ts';
import { connectRaw, FLAG, frame, FRAME, get, GET_BLOCK, isEndOf, literal, POST_BLOCK } from './raw-http2.ts';

let server: Server;
const errors: string[] = [];
beforeAll(async () => {
  const nothing = (): void => undefined;
  server = createHttpServer(async (request) => new HttpResponse(`${(await request.arrayBuffer()).byteLength}`), {
    listen: 'tls://127.0.0.1:0',
    tls: makeCertificate('localhost'),
    log: { debug: nothing, info: nothing, warn: nothing, error: (_, message) => errors.push(message) },
  });
  await server.listen();
});
afterAll(() => server.close({ graceMs: 0 }));

const FIELDS = [
  ...[literal('Host', 'a'), literal('connection', 'close'), literal(':path', '/#'), literal(':path', 'x')],
  ...[literal('a\r\nb', 'c'), literal('x', 'a\0b'), literal('content-length', '7'), literal(':method', 'CONNECT')],
  ...[Buffer.from([0x80]), Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]), Buffer.from([0x3f, 0xe1, 0x1f])],
];
const FRAMES = [
  get(1),
  get(3),
  frame(FRAME.headers, FLAG.endHeaders, 1, POST_BLOCK),
  frame(FRAME.data, FLAG.endStream, 1, Buffer.from('hello')),
  frame(FRAME.data, 0, 1, Buffer.alloc(1_000)),
  frame(FRAME.headers, FLAG.endStream, 5, GET_BLOCK.subarray(0, 3)),
  frame(FRAME.continuation, FLAG.endHeaders, 5, GET_BLOCK.subarray(3)),
  frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
  frame(FRAME.rstStream, 0, 1, Buffer.from([0, 0, 0, 8])),
  frame(FRAME.windowUpdate, 0, 0, Buffer.from([0, 0, 1, 0])),
  frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])),
  frame(FRAME.priority, 0, 1, Buffer.from([0, 0, 0, 1, 0])),
];

/** One of the frames, with a field more in it, or with octets of it changed. */
const nearlyRight = fc
  .tuple(
    fc.constantFrom(...FRAMES),
    fc.option(fc.constantFrom(...FIELDS), { freq: 4, nil: undefined }),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }),
  )
  .map(([given, field, changes]) => {
    const payload = Buffer.concat([given.subarray(9), field ?? Buffer.alloc(0)]);
    const changed = frame(given[3] ?? 0, given[4] ?? 0, given.readUInt32BE(5), payload);
    // Not the length: what would be waited for then is for the deadlines.
    for (const [at, octet] of changes) changed[3 + (at % (changed.length - 3))] = octet;
    return changed;
  });

test('frames that are nearly right cost their session at most', async () => {
  const { port = 0 } = server;
  await fc.assert(
    fc.asyncProperty(fc.array(nearlyRight, { minLength: 1, maxLength: 8 }), async (frames) => {
      const client = await connectRaw(port);
      client.send(...frames);
      client.socket.end();
      await client.closed;
    }),
    { numRuns: 60 },
  );
  const other = await connectRaw(port);
  other.send(get(1));
  expect(await other.until(isEndOf(1))).toBeDefined();
  other.socket.destroy();
  await eventually(async () => (await server.status()).services[0]?.connections.open === 0);
  expect(errors).toEqual([]);
}, 60_000);
