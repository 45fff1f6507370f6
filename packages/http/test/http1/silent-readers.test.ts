// Clients that ask for much and read nothing: what all of them hold together is bounded, and who reads is served.

import { connectClient, eventually } from '@wellknown/core/testing';
import { silentLog } from '@wellknown/core';
import { expect, onTestFinished, test } from 'vitest';
import { createHttpServer, HttpResponse } from '../../src/index.ts';

const MIB = 1024 * 1024;

test.each([
  ['a text', () => new HttpResponse('x'.repeat(8 * MIB))],
  ['bytes', () => new HttpResponse(new Uint8Array(8 * MIB).fill(120))],
  ['a Response of the platform', () => new Response('x'.repeat(8 * MIB))],
])('silent readers of %s are cut when they hold more than the server allows, not who reads', async (_, answer) => {
  const server = createHttpServer(answer, {
    listen: 'tcp://127.0.0.1:0',
    log: silentLog,
    maxUnsentBytesTotal: 24 * MIB,
  });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  const closed = async (): Promise<number> =>
    (await server.status()).services[0]?.connections.closed['unsent-total'] ?? 0;
  for (let count = 0; count < 6; count += 1) {
    const client = await connectClient(bound?.url ?? '');
    onTestFinished(() => client.reset());
    client.pause();
    client.send('GET / HTTP/1.1\r\nHost: example\r\n\r\n');
  }
  await eventually(async () => (await closed()) > 0);
  const response = await fetch((bound?.url ?? '').replace('tcp:', 'http:'));
  expect((await response.arrayBuffer()).byteLength).toBe(8 * MIB);
  const { memory } = await server.status();
  expect(memory.unsentBytes).toBeLessThanOrEqual(24 * MIB);
});
