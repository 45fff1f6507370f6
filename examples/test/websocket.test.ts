import { createHttpServer } from '@wellknown/http';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import honoApp from '../hono.ts';
import { handler } from '../websocket.ts';

test('the websocket example serves its page, and echoes text, bytes and large messages over one connection', async () => {
  await using server = createHttpServer(handler, { listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  const url = (bound?.url ?? '').replace('tcp:', 'http:');
  expect(await (await fetch(url)).text()).toContain('<title>Echo</title>');

  const socket = new WebSocket(url.replace('http:', 'ws:'));
  const received: string[] = [];
  const messages = ['hello', 'x'.repeat(60_000), 'é'];
  await new Promise<void>((resolve, reject) => {
    socket.on('open', () => messages.forEach((message) => socket.send(message)));
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      received.push(data.toString());
      if (received.length === messages.length) socket.close(1000, 'done');
    });
    socket.on('close', (code) => (code === 1000 ? resolve() : reject(new Error(`closed with ${code}`))));
  });
  expect(received).toEqual(messages);
});

test('a message over the limit of the websocket example ends its connection with 1009', async () => {
  await using server = createHttpServer(handler, { listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  const socket = new WebSocket((bound?.url ?? '').replace('tcp:', 'ws:'));
  const code = await new Promise((resolve) => {
    socket.on('open', () => socket.send('x'.repeat(70_000)));
    socket.on('error', () => undefined);
    socket.on('close', resolve);
  });
  expect(code).toBe(1009);
});

test('the Hono example answers', async () => {
  await using server = createHttpServer((request) => honoApp.fetch(request), { listen: 'tcp://127.0.0.1:0' });
  const [bound] = await server.listen();
  const url = (bound?.url ?? '').replace('tcp:', 'http:');
  expect(await (await fetch(`${url}/users/7`)).json()).toEqual({ id: '7' });
  expect(await (await fetch(`${url}/echo`, { method: 'POST', body: '{"a":1}' })).json()).toEqual({ a: 1 });
});
