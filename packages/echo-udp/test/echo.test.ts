import dgram from 'node:dgram';
import { serveInMemory } from '@wellknown/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { createEchoServer, echoProtocol, type EchoServerOptions } from '../src/index.ts';

describe('the stream half', () => {
  test('a peer that does not read its echo is not read from', () => {
    const memory = serveInMemory(echoProtocol(), { highWaterBytes: 1000 });
    memory.peer.reading = false;
    memory.peer.send('x'.repeat(1000));
    memory.peer.send('y'.repeat(1000));
    expect(memory.connection.receivedBytes).toBe(1000);
    expect(memory.connection.doing).toBe('sending 1000 bytes back');
    memory.peer.reading = true;
    expect(memory.peer.take()).toBe('x'.repeat(1000) + 'y'.repeat(1000));
    expect(memory.connection.doing).toBeUndefined();
  });

  test('the end of the peer ends the echo after the last byte', () => {
    const memory = serveInMemory(echoProtocol());
    memory.peer.send('last');
    memory.peer.end();
    expect([memory.peer.take(), memory.peer.sawEnd, memory.closeReason]).toEqual(['last', true, 'finished']);
  });
});

describe('over real datagrams', () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closers.splice(0).map((close) => close()));
  });

  async function listen(options: EchoServerOptions, family: 'udp4' | 'udp6' = 'udp4') {
    const server = createEchoServer(options);
    const [bound] = await server.listen();
    closers.push(() => server.close({ graceMs: 0 }));
    const client = dgram.createSocket(family);
    closers.push(() => new Promise((resolve) => void client.close(() => resolve())));
    const port = Number(bound?.url.split(':').at(-1));
    const host = family === 'udp4' ? '127.0.0.1' : '::1';
    await new Promise<void>((resolve) => client.bind(0, host, resolve));
    const ask = (message: Uint8Array): Promise<Buffer> =>
      new Promise((resolve) => {
        client.once('message', resolve);
        client.send(message, port, host);
      });
    return { server, client, port, ask };
  }

  test.each([
    ['udp://127.0.0.1:0', 'udp4'],
    ['udp://[::1]:0', 'udp6'],
  ] as const)('%s sends every length back, byte for byte, up to the largest datagram', async (endpoint, family) => {
    const { ask } = await listen({ listen: endpoint, maxDatagramBytes: 65_507 }, family);
    for (const byteLength of [0, 1, 64, 1472, 1473, 9000, 65_507]) {
      const message = Uint8Array.from({ length: byteLength }, (_, index) => index * 31);
      expect(Buffer.compare(await ask(message), message)).toBe(0);
    }
  });

  test('what is dropped is counted by reason and answered with nothing', async () => {
    const { server, ask, client, port } = await listen({ listen: 'udp://127.0.0.1:0' });
    client.send(new Uint8Array(1473), port, '127.0.0.1');
    expect(String(await ask(Buffer.from('answered')))).toBe('answered');
    const [service] = (await server.status()).services;
    expect(service?.counters).toMatchObject({ 'dropped-too-long': 1, 'dropped-rate': 0 });
    expect(service?.datagrams).toMatchObject({ received: 2, sent: 1 });
  });
});
