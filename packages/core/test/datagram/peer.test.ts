// Datagram sockets that are connected to one peer.

import dgram from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { connectDatagram } from '../../src/socket/index.ts';
import { defineProtocol } from '../../src/index.ts';
import { createFakeClock, eventually } from '../../src/testing/index.ts';
import { atEnd, closeAll, peerOf, reply, started } from './datagram-fixture.ts';

afterEach(closeAll);

describe('a connected peer', () => {
  test('hears only from its peer', async () => {
    const { urls } = await started(
      reply((message) => message),
      'udp://127.0.0.1:0',
    );
    const peer = await peerOf(urls[0] ?? '');
    const stranger = dgram.createSocket('udp4');
    atEnd(() => stranger.close());
    await new Promise<void>((resolve) => stranger.send('forged', peer.local.port, '127.0.0.1', () => resolve()));
    peer.send(Buffer.from('mine'));
    expect(await peer.read(5_000)).toEqual(Buffer.from('mine'));
    expect(peer.counters.received).toBe(1);
  });

  test('counts as sent what the kernel has taken', async () => {
    const { urls } = await started(
      reply((message) => message),
      'udp://127.0.0.1:0',
    );
    const peer = await peerOf(urls[0] ?? '');
    peer.send(new Uint8Array(70_000));
    await eventually(() => peer.counters.failedSends === 1);
    expect(peer.counters.sent).toBe(0);
    peer.send(Buffer.from('fits'));
    expect(await peer.read(5_000)).toEqual(Buffer.from('fits'));
    expect(peer.counters.sent).toBe(1);
  });

  test('learns that no process listens', async () => {
    const free = dgram.createSocket('udp4');
    await new Promise<void>((resolve) => free.bind(0, '127.0.0.1', resolve));
    const { port } = free.address();
    await new Promise<void>((resolve) => free.close(() => resolve()));
    const peer = await peerOf(`udp://127.0.0.1:${port}`);
    peer.send(Uint8Array.of(1));
    await eventually(() => peer.counters.refused === 1);
  });

  test('a read that gets nothing gives undefined when its time is over', async () => {
    const clock = createFakeClock();
    const { urls } = await started(
      defineProtocol({ name: 'silent', port: 9, datagrams: () => () => undefined }),
      'udp://127.0.0.1:0',
    );
    const peer = await connectDatagram(urls[0] ?? '', { clock });
    atEnd(() => peer.close());
    const read = peer.read(500);
    clock.advance(500);
    expect(await read).toBeUndefined();
  });

  test('tells what the kernel dropped for want of room', async () => {
    const { urls } = await started(
      defineProtocol({
        name: 'many',
        port: 9,
        datagrams:
          (socket) =>
          (message, { port, address }) => {
            for (let count = 0; count < 100; count += 1) socket.send(message, port, address);
          },
      }),
      'udp://127.0.0.1:0',
    );
    const peer = await connectDatagram(urls[0] ?? '', { receiveBufferBytes: 4_096 });
    atEnd(() => peer.close());
    peer.send(new Uint8Array(1_000));
    // The server in this same process sends all of them in one turn of the event loop.
    await eventually(async () => peer.counters.received + (await peer.droppedByKernel()) === 100);
    expect(await peer.droppedByKernel()).toBeGreaterThan(50);
  });

  test('keeps as many unread datagrams as its limit and counts the rest', async () => {
    const { urls } = await started(
      defineProtocol({
        name: 'many',
        port: 9,
        datagrams:
          (socket) =>
          (message, { port, address }) => {
            for (let count = 0; count < 65; count += 1) socket.send(message, port, address);
          },
      }),
      'udp://127.0.0.1:0',
    );
    const peer = await peerOf(urls[0] ?? '');
    peer.send(Uint8Array.of(1));
    await eventually(() => peer.counters.received === 65);
    expect(peer.counters.droppedUnread).toBe(1);
  });

  test('is made for one source by a protocol, from the same address and a port of its own', async () => {
    const { urls } = await started(
      defineProtocol({
        name: 'private',
        port: 9,
        datagrams: (socket) => async (message, source) => {
          const peer = await socket.connect(source);
          peer.send(message);
          const answer = await peer.read(5_000);
          if (answer !== undefined) peer.send(Buffer.concat([answer, Buffer.from(` on ${peer.local.address}`)]));
          peer.close();
        },
      }),
      'udp://127.0.0.1:0',
    );
    const client = dgram.createSocket('udp4');
    atEnd(() => client.close());
    const next = () =>
      new Promise<[Buffer, dgram.RemoteInfo]>((resolve) =>
        client.once('message', (message, source) => resolve([message, source])),
      );
    const first = next();
    client.send('hello', Number(urls[0]?.split(':').at(-1)), '127.0.0.1');
    const [, source] = await first;
    expect(urls).not.toContain(`udp://127.0.0.1:${source.port}`);
    const second = next();
    client.send('again', source.port, source.address);
    expect(String((await second)[0])).toBe('again on 127.0.0.1');
  });

  test.each(['tcp://127.0.0.1:7', 'udp://:7', 'udp://127.0.0.1:0', 'nonsense'])(
    'is not made of %s',
    async (endpoint) => {
      await expect(connectDatagram(endpoint)).rejects.toMatchObject({ code: 'ENDPOINT_INVALID' });
    },
  );
});
