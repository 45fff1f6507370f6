// The reverse proxy in front of a server of node:http, asked by fetch and by a bare socket.

import { createHttpServer } from '@wellknown/http';
import { eventually } from '@wellknown/core/testing';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { reverseProxy } from '../reverse-proxy.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startBehind(listener: http.RequestListener, timeoutMs?: number): Promise<{ url: string; port: number }> {
  const behind = http.createServer(listener).listen(0, '127.0.0.1');
  closing.push(() => {
    behind.closeAllConnections();
    behind.close();
  });
  await new Promise((resolve) => behind.once('listening', resolve));
  const { port } = behind.address() as AddressInfo;
  return startProxy(`http://127.0.0.1:${port}`, timeoutMs);
}

async function startProxy(upstream: string, timeoutMs?: number): Promise<{ url: string; port: number }> {
  const server = createHttpServer(reverseProxy(new URL(upstream), timeoutMs), { listen: 'tcp://127.0.0.1:0' });
  closing.push(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  const url = (bound?.url ?? '').replace('tcp:', 'http:');
  return { url, port: Number(new URL(url).port) };
}

/** What a server says to bytes, until it closes. */
const exchange = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
    socket.on('end', () => resolve(answer)).on('error', reject);
  });

test('requests and responses go through, with their content and repeated fields', async () => {
  const { url } = await startBehind((request, response) => {
    response.writeHead(
      201,
      [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Asked', `${request.method ?? ''} ${request.url ?? ''}`],
      ].flat(),
    );
    request.pipe(response);
  });
  const response = await fetch(`${url}/a%20b?c=d`, { method: 'PUT', body: 'content' });
  expect([
    response.status,
    response.headers.getSetCookie(),
    response.headers.get('x-asked'),
    await response.text(),
  ]).toEqual([201, ['a=1', 'b=2'], 'PUT /a%20b?c=d', 'content']);
});

test('what is about one connection stays on it, and the client is told of in the fields for that alone', async () => {
  let seen: http.IncomingHttpHeaders = {};
  const { port } = await startBehind((request, response) => {
    seen = request.headers;
    response.setHeader('Connection', 'X-Private');
    response.setHeader('X-Private', 'yes');
    response.setHeader('Keep-Alive', 'timeout=1');
    response.end('x');
  });
  const answer = await exchange(
    port,
    'GET / HTTP/1.1\r\nHost: site.example\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\nTE: trailers\r\nX-Forwarded-For: 192.0.2.9\r\nForwarded: for=192.0.2.9\r\nX-Kept: 1\r\n\r\n',
  );
  expect(seen).toMatchObject({
    'x-kept': '1',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'site.example',
    forwarded: 'for=127.0.0.1;proto=http;host="site.example"',
    via: '1.1 wellknown',
  });
  expect(Object.keys(seen).filter((name) => name === 'x-secret' || name === 'te')).toEqual([]);
  expect(answer).not.toMatch(/X-Private|timeout=1/);
});

test('content streams: the answer begins before the request has ended', async () => {
  const { url } = await startBehind((request, response) => request.pipe(response));
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  const asking = fetch(url, { method: 'POST', body, duplex: 'half' });
  controller?.enqueue(new TextEncoder().encode('one'));
  const reader = (await asking).body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value as Uint8Array)).toBe('one');
  controller?.enqueue(new TextEncoder().encode('two'));
  controller?.close();
  expect(new TextDecoder().decode((await reader?.read())?.value as Uint8Array)).toBe('two');
  expect((await reader?.read())?.done).toBe(true);
});

test('a client that goes away is heard behind the proxy', async () => {
  let isClosed = false;
  const { port } = await startBehind((request, response) => {
    response.on('close', () => (isClosed = true));
    response.write('begun');
  });
  const socket = net.connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.resetAndDestroy();
  await eventually(() => isClosed);
});

test.each([
  ['HEAD', 200],
  ['GET', 304],
])('a response without content has none: %s %i', async (method, status) => {
  const { url } = await startBehind((_, response) => response.writeHead(status, { ETag: '"a"' }).end());
  const response = await fetch(url, { method });
  expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([status, '"a"', '']);
});

test('a server that is not there is a bad gateway, and one that says nothing a timeout', async () => {
  const unused = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => unused.once('listening', resolve));
  const { port } = unused.address() as AddressInfo;
  await new Promise((resolve) => unused.close(resolve));
  expect((await fetch((await startProxy(`http://127.0.0.1:${port}`)).url)).status).toBe(502);
  const { url } = await startBehind(() => undefined, 50);
  expect((await fetch(url)).status).toBe(504);
});

test('an answer that breaks off behind the proxy breaks off', async () => {
  const { url } = await startBehind((_, response) => {
    response.writeHead(200, { 'Content-Length': '10' });
    response.write('half', () => response.destroy());
  });
  await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
});

test.each([
  [
    'DELETE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n',
    '20\r\nGET /admin HTTP/1.1\r\nHost: b\r\n\r\n\r\n0\r\n\r\n',
  ],
  ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n', 'abcde'],
  ['DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: content-length\r\n', 'abcde'],
])('content is never another request behind the proxy: %j', async (head, content) => {
  const asked: string[] = [];
  const { port } = await startBehind((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume().on('end', () => response.end('x'));
  });
  const ask = (): Promise<string> =>
    exchange(port, `${head}\r\n${content}GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  for (let time = 0; time < 2; time += 1)
    expect((await ask()).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
  const [method = ''] = head.split(' ');
  expect(asked.sort()).toEqual([`${method} /`, `${method} /`, 'GET /next', 'GET /next'].sort());
});

test.each([
  ['a status that is none', 502, 'HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi'],
  [
    'another protocol that nobody asked for',
    502,
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ],
  ['what is no HTTP', 502, 'hello\r\n\r\n'],
  ['a status without content', 205, 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'],
])('from behind, %s is answered with %i, and the proxy goes on', async (_, status, answer) => {
  const behind = net.createServer((socket) => socket.once('data', () => socket.end(answer))).listen(0, '127.0.0.1');
  closing.push(() => behind.close());
  await new Promise((resolve) => behind.once('listening', resolve));
  const { url } = await startProxy(`http://127.0.0.1:${(behind.address() as AddressInfo).port}`);
  const responses = [await fetch(url), await fetch(url)];
  expect(responses.map((response) => response.status)).toEqual([status, status]);
});
