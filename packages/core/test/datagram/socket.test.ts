// The datagram side of core over real sockets.

import dgram from 'node:dgram';
import { EventEmitter } from 'node:events';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { defineProtocol, silentLog } from '../../src/index.ts';
import { ServicePlaces } from '../../src/accept/shared-places.ts';
import { DEFAULT_DATAGRAM_LIMITS } from '../../src/datagram/limits.ts';
import { serveDatagrams } from '../../src/datagram/socket.ts';
import { createDatagramSocket, createDirectSend, resolveNothing } from '../../src/kernel/datagram-handle.ts';
import { createFakeClock, eventually } from '../../src/testing/index.ts';
import { ask, atEnd, closeAll, datagramsOf, peerOf, reply, started } from './datagram-fixture.ts';

afterEach(closeAll);

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describe('all addresses', () => {
  test('are a socket each, on one port, and the answer comes from the address that was asked', async () => {
    const { urls } = await started(
      reply((message) => message),
      'udp://:0',
    );
    expect(new Set(urls.map((url) => url.split(':').at(-1))).size).toBe(1);
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    for (const { address } of own.filter(({ family }) => family === 'IPv4')) {
      const url = urls.find((candidate) => candidate.includes(`//${address}:`));
      // The peer is connected: it would not see an answer from anywhere else.
      expect(await ask(url ?? '', `to ${address}`)).toBe(`to ${address}`);
    }
    expect(urls.some((url) => url.startsWith('udp://[::1]:'))).toBe(hasIpv6);
  });

  test('of IPv4 leave IPv6 out', async () => {
    const { urls } = await started(
      reply((message) => message),
      'udp://0.0.0.0:0',
    );
    expect(urls.filter((url) => url.includes('['))).toEqual([]);
  });

  test('do not take what was broadcast', async () => {
    const { server, urls } = await started(
      reply((message) => message),
      'udp://:0',
    );
    const client = dgram.createSocket('udp4');
    atEnd(() => client.close());
    await new Promise<void>((resolve) => client.bind(0, '127.0.0.1', resolve));
    client.setBroadcast(true);
    client.send('to all', Number(urls[0]?.split(':').at(-1)), '127.255.255.255');
    expect(await ask(urls.find((url) => url.includes('127.0.0.1')) ?? '', 'to one')).toBe('to one');
    expect((await datagramsOf(server)).received).toBe(1);
  });

  test('a port that is taken on one of them is reported, and nothing stays bound', async () => {
    const holder = dgram.createSocket('udp4');
    await new Promise<void>((resolve) => holder.bind({ port: 0, address: '127.0.0.1', exclusive: true }, resolve));
    const { port } = holder.address();
    await expect(
      started(
        reply((message) => message),
        `udp://:${port}`,
      ),
    ).rejects.toThrow(/in use/);
    await new Promise<void>((resolve) => holder.close(() => resolve()));
    const { urls } = await started(
      reply((message) => message),
      `udp://:${port}`,
    );
    expect(urls).toContain(`udp://127.0.0.1:${port}`);
  });
});

describe('what cannot be served is refused with the reason', () => {
  test.each([
    ['udp://224.0.0.251:5353', /multicast address.*--?listen|multicast address.*listen on an address of this machine/],
    ['udp://[ff02::1]:5353', /multicast address/],
    ['udp://255.255.255.255:7', /broadcast address/],
    ['udp://127.255.255.255:7', /broadcast address/],
    ['unix:/tmp/datagrams', /Node has no unix datagram sockets/],
    ['unixgram:/tmp/datagrams', /Node has no unix datagram sockets/],
  ])('%s', async (listen, words) => {
    await expect(
      started(
        reply((message) => message),
        listen,
      ),
    ).rejects.toThrow(words);
  });
});

describe('counting', () => {
  test('a protocol that throws drops the datagram, is counted, and is logged once a second', async () => {
    const clock = createFakeClock();
    const logged: unknown[] = [];
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (fields: object) => logged.push(fields),
    };
    const { server, urls } = await started(
      reply((message) => {
        if (message.length === 0) throw new Error('empty');
        return message;
      }),
      'udp://127.0.0.1:0',
      { clock, log },
    );
    const peer = await peerOf(urls[0] ?? '');
    for (let count = 0; count < 5; count += 1) peer.send(new Uint8Array());
    await eventually(async () => (await datagramsOf(server)).failed === 5);
    expect(logged).toHaveLength(1);
    clock.advance(1_000);
    peer.send(new Uint8Array());
    await eventually(async () => (await datagramsOf(server)).failed === 6);
    expect(logged).toHaveLength(2);
  });

  test('what the kernel refuses to send is counted as failed, not as sent', async () => {
    const { server, urls } = await started(
      reply((message) => (message.length === 0 ? new Uint8Array(65_508) : message)),
      'udp://127.0.0.1:0',
    );
    const peer = await peerOf(urls[0] ?? '');
    peer.send(new Uint8Array());
    peer.send(Uint8Array.of(1));
    expect(await peer.read(5_000)).toEqual(Buffer.of(1));
    expect(await datagramsOf(server)).toMatchObject({ received: 2, sent: 1, failedSends: 1 });
  });

  test('what the kernel drops while this process does not read is counted, with the smallest buffer sooner', async () => {
    const { server, urls } = await started(
      reply((message) => message),
      'udp://127.0.0.1:0',
      { datagramLimits: { receiveBufferBytes: 4_096 } },
    );
    const client = dgram.createSocket('udp4');
    atEnd(() => client.close());
    const port = Number(urls[0]?.split(':').at(-1));
    await new Promise<void>((resolve) => client.connect(port, '127.0.0.1', resolve));
    // Sent in one turn of the event loop, so that the server in this same process cannot read between them.
    for (let count = 0; count < 200; count += 1) client.send(new Uint8Array(1_000));
    await eventually(async () => {
      const { received, droppedByKernel } = await datagramsOf(server);
      return received + droppedByKernel === 200;
    });
    const before = await datagramsOf(server);
    expect(before.droppedByKernel).toBeGreaterThan(100);
    // The kernel forgets with the socket; a counter never falls.
    await server.close();
    expect(await datagramsOf(server)).toEqual(before);
  });

  test('a receive buffer that the kernel cuts is no failure, and is told in the log', async () => {
    const told: object[] = [];
    const log = { ...silentLog, debug: (fields: object) => told.push(fields) };
    const asked = 2 ** 31 - 1;
    const { urls } = await started(
      reply((message) => message),
      'udp://127.0.0.1:0',
      { log, datagramLimits: { receiveBufferBytes: asked } },
    );
    expect(await ask(urls[0] ?? '', 'hello')).toBe('hello');
    expect(told).toContainEqual(expect.objectContaining({ asked }));
  });

  test('a buffer of the default size takes the same burst without a drop', async () => {
    const { server, urls } = await started(
      reply((message) => message),
      'udp://127.0.0.1:0',
    );
    const client = dgram.createSocket('udp4');
    atEnd(() => client.close());
    await new Promise<void>((resolve) => client.connect(Number(urls[0]?.split(':').at(-1)), '127.0.0.1', resolve));
    for (let count = 0; count < 100; count += 1) client.send(new Uint8Array(1_000));
    await eventually(async () => (await datagramsOf(server)).received === 100);
    expect((await datagramsOf(server)).droppedByKernel).toBe(0);
  });
});

describe('the direct way to send', () => {
  test('is learned from the first datagram, tells what the kernel refused, and survives a closed socket', async () => {
    const socket = createDatagramSocket('udp4', { dualStack: false });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    resolveNothing(socket);
    const direct = createDirectSend(socket);
    expect(direct.send).toBeUndefined();
    await new Promise((resolve) => socket.send(Uint8Array.of(1), port, '127.0.0.1', resolve));
    expect(direct.send?.(Uint8Array.of(2), port, '127.0.0.1')).toBeGreaterThan(0);
    expect(direct.send?.(new Uint8Array(65_508), port, '127.0.0.1')).toBeLessThan(0);
    expect(direct.send?.(Uint8Array.of(3), port, 'no address')).toBeLessThan(0);
    socket.close();
    expect(direct.send?.(Uint8Array.of(4), port, '127.0.0.1')).toBeLessThan(0);
  });

  test.each([
    [0, '127.0.0.1'],
    [65_536, '127.0.0.1'],
    [1.5, '127.0.0.1'],
    [7, undefined],
  ])('is not tried for port %s of %s: the protocol has failed on that datagram', async (port, address) => {
    const { server, urls } = await started(
      defineProtocol({
        name: 'careless',
        port: 9,
        datagrams: (socket) => (message, source) => {
          if (message.length > 0) socket.send(message, source.port, source.address);
          else socket.send(message, port, address!);
        },
      }),
      'udp://127.0.0.1:0',
    );
    const peer = await peerOf(urls[0] ?? '');
    peer.send(Uint8Array.of(1));
    await peer.read(5_000);
    peer.send(new Uint8Array());
    peer.send(Uint8Array.of(2));
    expect(await peer.read(5_000)).toEqual(Buffer.of(2));
    expect(await datagramsOf(server)).toMatchObject({ received: 3, sent: 2, failed: 1 });
  });
});

describe('a network that is slower than the senders', () => {
  /** A socket whose kernel takes nothing: what is sent stays in the queue of this process. */
  class StuckSocket extends EventEmitter {
    queuedBytes = 0;
    address = () => ({ address: '127.0.0.1', family: 'IPv4', port: 7 });
    setRecvBufferSize = () => undefined;
    getRecvBufferSize = () => 2 * DEFAULT_DATAGRAM_LIMITS.receiveBufferBytes;
    getSendQueueSize = () => this.queuedBytes;
    send = (message: Uint8Array) => (this.queuedBytes += message.length);
    close = (done: () => void) => done();
  }

  test('drops what comes while the limit is exceeded, and answers again when the queue has shrunk', () => {
    const socket = new StuckSocket();
    const context = {
      log: silentLog,
      clock: createFakeClock(),
      workerSlot: 0,
      workerCount: 1,
      counters: {},
      hasTls: false,
      work: { add: () => undefined },
      secondary: { listen: () => Promise.resolve(undefined), connect: () => Promise.reject(new Error('none')) },
      places: new ServicePlaces(),
      bans: { offend: () => undefined, isBanned: () => false },
    };
    const { counters } = serveDatagrams(
      socket as unknown as dgram.Socket,
      reply((message) => message),
      context,
      { ...DEFAULT_DATAGRAM_LIMITS, maxSendQueueBytes: 100 },
    );
    const arrive = (): boolean => socket.emit('message', new Uint8Array(50), { address: '192.0.2.1', port: 5_000 });
    // 50 and 100 bytes are at the limit, 150 are past it.
    for (let count = 0; count < 5; count += 1) arrive();
    expect([socket.queuedBytes, counters.sent, counters.droppedQueueFull]).toEqual([150, 3, 2]);
    socket.queuedBytes = 0;
    arrive();
    expect([counters.sent, counters.droppedQueueFull]).toEqual([4, 2]);
  });
});

describe('a receiver that takes its time', () => {
  const slow = () => {
    const release: (() => void)[] = [];
    const protocol = defineProtocol({
      name: 'slow',
      port: 7,
      datagrams:
        (socket) =>
        async (message, { port, address }) => {
          await new Promise<void>((resolve) => release.push(resolve));
          socket.send(message, port, address);
        },
    });
    return { protocol, release };
  };

  test('works on as many datagrams as its limit, and the next one is dropped and counted', async () => {
    const { protocol, release } = slow();
    const { server, urls } = await started(protocol, 'udp://127.0.0.1:0', { datagramLimits: { maxInFlight: 2 } });
    const peer = await peerOf(urls[0] ?? '');
    for (const number of [1, 2, 3]) peer.send(Uint8Array.of(number));
    await eventually(async () => (await datagramsOf(server)).received === 3);
    expect((await datagramsOf(server)).droppedBusy).toBe(1);
    for (const one of release) one();
    expect([await peer.read(5_000), await peer.read(5_000)]).toEqual([Buffer.of(1), Buffer.of(2)]);
  });

  test('is waited for when the server closes, for as long as it was given', async () => {
    const { protocol, release } = slow();
    const { server, urls } = await started(protocol, 'udp://127.0.0.1:0');
    const peer = await peerOf(urls[0] ?? '');
    peer.send(Uint8Array.of(1));
    await eventually(() => release.length === 1);
    let isClosed = false;
    const closed = server.close({ graceMs: 10_000 }).then(() => (isClosed = true));
    // One that waits for nothing, and is closed later, has ended by then.
    const idle = await started(slow().protocol, 'udp://127.0.0.1:0');
    await idle.server.close({ graceMs: 10_000 });
    expect(isClosed).toBe(false);
    // What comes now is not taken any more.
    peer.send(Uint8Array.of(2));
    release[0]?.();
    await closed;
    // Its answer is sent before the socket closes.
    expect(await peer.read(5_000)).toEqual(Buffer.of(1));
    expect(release).toHaveLength(1);
  });

  test('is given up when the server is closed again with less time', async () => {
    const { protocol, release } = slow();
    const { server, urls } = await started(protocol, 'udp://127.0.0.1:0');
    const peer = await peerOf(urls[0] ?? '');
    peer.send(Uint8Array.of(1));
    await eventually(() => release.length === 1);
    const closed = server.close({ graceMs: 3_600_000 });
    await server.close({ graceMs: 0 });
    await closed;
  });
});
