// Over real sockets, with curl as the client.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { lacks } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { createHttpServer, HttpResponse, serveFiles, type FetchHandler, type HttpServerOptions } from '../src/index.ts';
import { makeCertificate } from '../../../test/certificates.ts';

const run = promisify(execFile);

async function withServer(
  handler: FetchHandler,
  use: (url: string) => Promise<void>,
  limits: HttpServerOptions['limits'] = {},
): Promise<void> {
  await using server = createHttpServer(handler, { listen: 'tcp://127.0.0.1:0', limits });
  const [bound] = await server.listen();
  await use((bound?.url ?? '').replace('tcp:', 'http:'));
}
const curl = async (...args: string[]): Promise<string> =>
  (await run('curl', ['-sS', '--max-time', '10', ...args], { maxBuffer: 50_000_000 })).stdout;

describe.skipIf(lacks('curl'))('curl', () => {
  test('gets a response over one connection several times', async () => {
    await withServer(
      (request) => new HttpResponse(new URL(request.url).pathname),
      async (url) => {
        expect(await curl('-w', '%{num_connects} ', `${url}/a`, `${url}/b`)).toBe('/a1 /b0 ');
      },
    );
  });

  test('uploads and gets it back, with and without a length, as a large stream', async () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-')), 'upload');
    fs.writeFileSync(file, Buffer.alloc(900_000, 'upload'));
    await withServer(
      (request) => new HttpResponse(request.body),
      async (url) => {
        expect((await curl('--data-binary', `@${file}`, url)).length).toBe(900_000);
        expect((await curl('-H', 'Transfer-Encoding: chunked', '-T', file, url)).length).toBe(900_000);
        expect((await curl('--http1.0', '--data-binary', `@${file}`, url)).length).toBe(900_000);
      },
    );
    fs.rmSync(path.dirname(file), { recursive: true });
  });

  test('an upload that is refused early still reads the response', async () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-')), 'upload');
    fs.writeFileSync(file, Buffer.alloc(3_000_000));
    await withServer(
      () => new HttpResponse('never'),
      async (url) => {
        expect(
          await curl('-o', '/dev/null', '-w', '%{http_code}', '-H', 'Expect:', '--data-binary', `@${file}`, url),
        ).toBe('413');
      },
    );
    fs.rmSync(path.dirname(file), { recursive: true });
  });

  test('an upload of 50 MB that is answered 401 at once is told so', async () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-')), 'upload');
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 50_000_000);
    await withServer(
      () => new HttpResponse('who are you', { status: 401 }),
      async (url) => {
        for (const options of [
          ['--data-binary', `@${file}`],
          ['-T', file, '-H', 'Transfer-Encoding: chunked'],
        ]) {
          expect(await curl('-w', ' %{http_code}', '-H', 'Expect:', ...options, url)).toBe('who are you 401');
        }
      },
      { maxBodyBytes: Infinity },
    );
    fs.rmSync(path.dirname(file), { recursive: true });
  });

  test('downloads a file, and resumes it', async () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-'));
    const content = Buffer.alloc(2_000_000, '0123456789');
    fs.writeFileSync(path.join(root, 'big.txt'), content);
    await withServer(serveFiles(root), async (url) => {
      expect((await curl(`${url}/big.txt`)) === content.toString()).toBe(true);
      expect(await curl('-r', '1999990-', '-w', ' %{http_code}', `${url}/big.txt`)).toBe('0123456789 206');
      expect(await curl('-I', '-o', '/dev/null', '-w', '%{http_code}', `${url}/big.txt`)).toBe('200');
    });
    fs.rmSync(root, { recursive: true });
  });
});

test('a client that sends 50 MB before it looks still finds the response that came first, and no reset', async () => {
  await withServer(
    () => new HttpResponse('who are you', { status: 401 }),
    async (url) => {
      const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
      socket.pause();
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n');
      const part = Buffer.alloc(500_000);
      for (let sent = 0; sent < 100; sent += 1)
        await new Promise<void>((resolve, reject) =>
          socket.write(part, (error) => (error ? reject(error) : resolve())),
        );
      let received = '';
      for await (const chunk of socket) received += String(chunk);
      expect(received).toMatch(/^HTTP\/1\.1 401 [^]*\r\nConnection: close\r\n[^]*who are you$/);
    },
    { maxBodyBytes: Infinity },
  );
});

test('who is trusted, who writes requests down, and whether HTTP/2 is offered are options of the server', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-'));
  const targets: string[] = [];
  await using server = createHttpServer(
    (_request, { client, httpVersion }) => new HttpResponse(`${client.address} ${httpVersion}`),
    {
      listen: 'tls://127.0.0.1:0',
      tls: makeCertificate('localhost'),
      proxies: {
        field: 'x-forwarded-for',
        isTrusted: (address) => typeof address !== 'string' && address.family === 'ipv4',
      },
      accessLog: ({ target }) => targets.push(target),
      http2: false,
    },
  );
  fs.rmSync(folder, { recursive: true });
  const [bound] = await server.listen();
  const socket = tls.connect({
    port: Number(new URL((bound?.url ?? '').replace('tls:', 'https:')).port),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  socket.write('GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n');
  let received = '';
  for await (const chunk of socket) received += String(chunk);
  expect(socket.alpnProtocol).toBe('http/1.1');
  expect(received).toMatch(/\r\n\r\n203\.0\.113\.9 1\.1$/);
  expect(targets).toEqual(['/x']);
});
