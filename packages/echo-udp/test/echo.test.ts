import dgram from 'node:dgram';
import { silentLog } from '@wellknown/core';
import { createFakeClock, serveInMemory } from '@wellknown/core/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createEchoServer, DEFAULT_SOURCE_POLICY, echoProtocol, RateLimit, reasonToDrop, type EchoServerOptions } from '../src/index.ts';

const source = (port: number) => ({ address: '192.0.2.1', port });

describe('which datagrams are answered', () => {
  test.each([
    ['port 0, which cannot be answered', 0, 1, 'port-zero'],
    ['the echo port, which would loop', 7, 1, 'service-port'],
    ['chargen, which would loop', 19, 1, 'service-port'],
    ['the last port below the limit', 1023, 1, 'service-port'],
    ['the first port of clients', 1024, 1, undefined],
    ['the highest port', 65_535, 1, undefined],
    ['SSDP, which answers whatever it gets', 1900, 1, 'service-port'],
    ['our own port on another machine', 8007, 1, 'own-address'],
    ['a datagram of the limit', 50_000, 1472, undefined],
    ['a datagram one byte longer', 50_000, 1473, 'too-long'],
    ['an empty datagram', 50_000, 0, undefined],
  ])('%s', (_name, port, byteLength, reason) => {
    expect(reasonToDrop(DEFAULT_SOURCE_POLICY, byteLength, source(port), 8007)).toBe(reason);
  });
});

describe('the rate of one source', () => {
  test('the burst is answered, one more is not, and time brings tokens back', () => {
    const limit = new RateLimit({ perSecond: 10, burst: 20, maxSources: 100 });
    for (let count = 0; count < 20; count += 1) expect(limit.take('a', 0)).toBe(true);
    expect(limit.take('a', 0)).toBe(false);
    expect(limit.take('b', 0)).toBe(true);
    expect(limit.take('a', 50)).toBe(false);
    expect(limit.take('a', 100)).toBe(true);
    expect(limit.take('a', 100)).toBe(false);
  });

  test('the table never outgrows its limit, and forgets who was silent longest', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1, maxSources: 2 });
    limit.take('a', 0);
    limit.take('b', 0);
    limit.take('a', 0);
    limit.take('c', 0);
    expect(limit.size).toBe(2);
    expect(limit.take('a', 0)).toBe(false);
    expect(limit.take('b', 0)).toBe(true);
  });

  test('over any stretch no source gets more than the burst and its rate', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (gaps) => {
      const limit = new RateLimit({ perSecond: 10, burst: 5, maxSources: 10 });
      let nowMs = 0;
      let taken = 0;
      for (const gap of gaps) {
        nowMs += gap;
        taken += limit.take('a', nowMs) ? 1 : 0;
        expect(taken).toBeLessThanOrEqual(5 + nowMs / 100);
      }
    }));
  });
});

describe('the stream half', () => {
  test('a peer that does not read its echo is not read from', () => {
    const memory = serveInMemory(echoProtocol(), { highWaterBytes: 1000 });
    memory.peer.reading = false;
    memory.peer.send('x'.repeat(1000));
    memory.peer.send('y'.repeat(1000));
    expect(memory.connection.receivedBytes).toBe(1000);
    memory.peer.reading = true;
    expect(memory.peer.take()).toBe('x'.repeat(1000) + 'y'.repeat(1000));
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
    const ask = (message: Uint8Array): Promise<Buffer> => new Promise((resolve) => {
      client.once('message', resolve);
      client.send(message, port, host);
    });
    return { server, client, port, ask };
  }

  test.each([['udp://127.0.0.1:0', 'udp4'], ['udp://[::1]:0', 'udp6']] as const)('%s sends every length back, byte for byte, up to the largest datagram', async (endpoint, family) => {
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
    expect(service?.counters).toEqual({ 'dropped-too-long': 1 });
    expect(service?.datagrams).toMatchObject({ received: 2, sent: 1 });
  });

  test('a source past its rate is dropped until time has passed', () => {
    const clock = createFakeClock();
    const sent: Uint8Array[] = [];
    const counters: Record<string, number> = {};
    const receive = echoProtocol({ ratePerSource: 1 }).datagrams?.(
      { local: { family: 'ipv4', address: '127.0.0.1', port: 7 }, send: (message) => sent.push(message) > 0 },
      { log: silentLog, clock, workerSlot: 0, counters },
    );
    for (let count = 0; count < 3; count += 1) receive?.(new Uint8Array(1), source(50_000));
    expect([sent.length, counters]).toEqual([2, { 'dropped-rate': 1 }]);
    clock.advance(1_000);
    receive?.(new Uint8Array(1), source(50_001));
    expect(sent).toHaveLength(3);
  });
});
