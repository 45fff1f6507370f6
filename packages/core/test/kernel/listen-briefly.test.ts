import { once } from 'node:events';
import net from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { listenBriefly, type BriefListener } from '../../src/kernel/stream-handle.ts';

const LOOPBACK = { address: '127.0.0.1', port: 0 };

function listen(target = LOOPBACK): { listener: BriefListener; accepted: Promise<net.Socket> } {
  const { promise, resolve } = withResolver<net.Socket>();
  const listener = listenBriefly(target, 1, { accepted: resolve, failed: vi.fn() });
  if (listener === undefined) throw new Error('this Node offers no way');
  onTestFinished(() => listener.close());
  return { listener, accepted: promise };
}

function withResolver<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => undefined;
  return { promise: new Promise((settle) => (resolve = settle)), resolve };
}

function connect(port: number): net.Socket {
  const client = net.connect(port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  return client;
}

test('gives a socket that is unread, and whose end is ours when the peer has ended', async () => {
  const { listener, accepted } = listen();
  const client = connect(listener.port);
  client.end('hello');
  const socket = await accepted;
  onTestFinished(() => void socket.destroy());
  expect([socket.isPaused(), socket.bytesRead]).toEqual([true, 0]);
  const ended = once(socket, 'end');
  expect(String((await once(socket.resume(), 'data'))[0])).toBe('hello');
  await ended;
  expect(socket.writable).toBe(true);
  const heard = once(client, 'data');
  socket.end('goodbye');
  expect(String((await heard)[0])).toBe('goodbye');
});

test('a port that is taken is refused with the code of the system, and one that was closed is free', () => {
  const { listener } = listen();
  const again = { ...LOOPBACK, port: listener.port };
  expect(() => listen(again)).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }) as Error);
  listener.close();
  expect(listen(again).listener.port).toBe(listener.port);
});

test('what comes after close is refused', async () => {
  const { listener } = listen();
  listener.close();
  const [error] = (await once(connect(listener.port), 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
});
