// HTTP/2 over TLS by ALPN, with Node's own client and with curl.

import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Server } from '@wellknown/core';
import { lacksFeature } from '@wellknown/core/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  createHttpServer,
  HttpResponse,
  serveFiles,
  type FetchHandler,
  type HttpServerOptions,
} from '../../src/index.ts';
import { responseOf } from '../../src/fetch/response.ts';
import { makeCertificate, type TestCertificate } from '../../../../test/certificates.ts';

const run = promisify(execFile);
const lacksCurl = lacksFeature('a curl that speaks HTTP/2', () =>
  /\bHTTP2\b/.test(spawnSync('curl', ['--version'], { encoding: 'utf8' }).stdout),
);

let folder = '';
let tls: TestCertificate;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http2-'));
  tls = makeCertificate('localhost');
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(handler: FetchHandler, options: HttpServerOptions = {}): Promise<{ server: Server; url: string }> {
  const server = createHttpServer(handler, { listen: 'tls://127.0.0.1:0', tls, ...options });
  closing.push(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return { server, url: (bound?.url ?? '').replace('tls:', 'https:') };
}

function connect(url: string): http2.ClientHttp2Session {
  const session = http2.connect(url, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  closing.push(() => session.destroy());
  return session;
}

interface ResponsePlan {
  readonly status: number | undefined;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: http2.IncomingHttpHeaders | undefined;
  readonly hints: http2.IncomingHttpHeaders[];
  readonly resetCode: number;
}

function ask(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<ResponsePlan> {
  const stream = session.request(headers, { endStream: body === undefined });
  const received = {
    status: undefined as number | undefined,
    headers: {} as http2.IncomingHttpHeaders,
    trailers: undefined as http2.IncomingHttpHeaders | undefined,
    hints: [] as http2.IncomingHttpHeaders[],
  };
  const chunks: Buffer[] = [];
  stream.on('headers', (hint) => received.hints.push(hint));
  stream.on('response', (response) => Object.assign(received, { status: response[':status'], headers: response }));
  stream.on('trailers', (trailers: http2.IncomingHttpHeaders) => (received.trailers = trailers));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => undefined);
  if (body !== undefined) stream.end(body);
  return new Promise((resolve) =>
    stream.on('close', () =>
      resolve({ ...received, body: Buffer.concat(chunks).toString(), resetCode: stream.rstCode }),
    ),
  );
}

describe('the handler', () => {
  test('gets the same request, and its response the same way back', async () => {
    const { url } = await start(async (request, context) =>
      HttpResponse.json(
        {
          method: request.method,
          path: new URL(request.url).pathname,
          scheme: new URL(request.url).protocol,
          header: request.headers.get('x-a'),
          host: request.headers.get('host'),
          version: context.httpVersion,
          body: await request.text(),
        },
        { status: 201, headers: { 'X-B': 'b', Connection: 'close' } },
      ),
    );
    const session = connect(url);
    const { status, headers, body } = await ask(session, { ':method': 'POST', ':path': '/p?q', 'x-a': 'a' }, 'content');
    expect(JSON.parse(body)).toEqual({
      method: 'POST',
      path: '/p',
      scheme: 'https:',
      header: 'a',
      host: new URL(url).host,
      version: '2.0',
      body: 'content',
    });
    expect([status, headers['x-b'], headers.connection, headers['content-length'], headers['content-type']]).toEqual([
      201,
      'b',
      undefined,
      String(body.length),
      'application/json',
    ]);
    expect(headers.date).toBeDefined();
  });

  test('answers many streams at once, each as soon as it can', async () => {
    let release: () => void = () => undefined;
    const oddAnswered = new Promise<void>((resolve) => (release = resolve));
    const { url } = await start(async (request) => {
      const index = Number(new URL(request.url).searchParams.get('i'));
      if (index % 2 === 0) await oddAnswered;
      return new HttpResponse(String(index));
    });
    const session = connect(url);
    const responses = Array.from({ length: 50 }, (_, index) => ask(session, { ':path': `/?i=${index}` }));
    // Those asked before them wait until these are all there.
    await Promise.all(responses.filter((_, index) => index % 2 === 1));
    release();
    expect((await Promise.all(responses)).map(({ body }) => body)).toEqual(
      Array.from({ length: 50 }, (_, index) => String(index)),
    );
  });

  test('may stream both ways, say something early, and end with trailers', async () => {
    const { url } = await start((request, context) => {
      context.earlyHints({ Link: '</a.css>; rel=preload', Connection: 'x', 'Transfer-Encoding': 'chunked' });
      context.setTrailers(() => ({ Digest: 'x' }));
      return new HttpResponse(request.body);
    });
    const { body, trailers, hints } = await ask(
      connect(url),
      { ':method': 'POST', ':path': '/' },
      Buffer.alloc(500_000, 'x'),
    );
    expect([body.length, trailers?.digest, hints[0]?.[':status'], hints[0]?.link]).toEqual([
      500_000,
      'x',
      103,
      '</a.css>; rel=preload',
    ]);
  });

  test('is told when its client cancels', async () => {
    let aborted: (() => void) | undefined;
    const wasAborted = new Promise<void>((resolve) => (aborted = resolve));
    const { url } = await start(({ signal }) => {
      signal.addEventListener('abort', () => aborted?.());
      return new Promise<Response>(() => undefined);
    });
    const stream = connect(url).request({ ':path': '/' });
    stream.on('error', () => undefined);
    stream.on('ready', () => setImmediate(() => stream.close(http2.constants.NGHTTP2_CANCEL)));
    await wasAborted;
  });

  test('streams no faster than its client reads, and is told when the client goes', async () => {
    let pulled = 0;
    let cancelled: ((reason: unknown) => void) | undefined;
    const wasCancelled = new Promise((resolve) => (cancelled = resolve));
    const { url } = await start(
      () =>
        new HttpResponse(
          new ReadableStream(
            {
              pull(controller) {
                pulled += 1;
                controller.enqueue(new Uint8Array(16_384));
              },
              cancel: (reason) => cancelled?.(reason),
            },
            { highWaterMark: 0 },
          ),
        ),
    );
    const stream = connect(url).request({ ':path': '/' });
    stream.on('error', () => undefined);
    stream.pause();
    await new Promise((resolve) => stream.once('response', resolve));
    for (let turn = 0, before = -1; before !== pulled || turn < 50; turn += 1) {
      before = pulled;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // The windows of the client, of 64 KiB, and what lies between.
    expect(pulled).toBeLessThan(40);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    expect(await wasCancelled).toBeInstanceOf(Error);
  });

  test('may answer with more than a connection may have unsent, to a client whose window takes it all', async () => {
    const byteLength = 20 * 1024 * 1024;
    const { url } = await start(() => new HttpResponse(Buffer.alloc(byteLength, 'x')));
    const session = http2.connect(url, { rejectUnauthorized: false, settings: { initialWindowSize: 2 * byteLength } });
    closing.push(() => session.destroy());
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    session.setLocalWindowSize(2 * byteLength);
    let received = 0;
    const stream = session.request({ ':path': '/' }).on('data', (chunk: Buffer) => (received += chunk.length));
    await new Promise((resolve, reject) => stream.on('close', resolve).on('error', reject));
    expect(received).toBe(byteLength);
  });

  test('that fails is a 500 with nothing leaked, and one that lies about its length is reset', async () => {
    const { url } = await start((request) => {
      if (request.url.endsWith('/lie'))
        return new HttpResponse(new Response('abc').body, { headers: { 'Content-Length': '4' } });
      throw new Error('sesame');
    });
    const session = connect(url);
    expect(await ask(session, { ':path': '/' })).toMatchObject({ status: 500, body: 'Internal Server Error\n' });
    expect((await ask(session, { ':path': '/lie' })).resetCode).not.toBe(http2.constants.NGHTTP2_NO_ERROR);
  });

  test('whose content breaks is reset, with and without a length, and never ends as if it were complete', async () => {
    const { url } = await start((request) => {
      const headers = request.url.endsWith('/known') ? { 'Content-Length': '100000' } : {};
      let pieces = 0;
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> | undefined => {
        pieces += 1;
        if (pieces === 3) return Promise.reject(new Error('broken'));
        controller.enqueue(new Uint8Array(20_000));
        return undefined;
      };
      return new HttpResponse(new ReadableStream({ pull }), { headers });
    });
    const session = connect(url);
    for (const target of ['/known', '/unknown']) {
      expect(await ask(session, { ':path': target })).toMatchObject({
        status: 200,
        resetCode: http2.constants.NGHTTP2_INTERNAL_ERROR,
      });
    }
    expect(session.closed).toBe(false);
  });

  test('whose trailers cannot be had is reset, and logged', async () => {
    const logged: unknown[] = [];
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (...line: unknown[]) => void logged.push(line),
    };
    const { url } = await start(
      (request, context) => {
        context.setTrailers(() => {
          throw new Error('no trailers');
        });
        return new HttpResponse(request.url.endsWith('/stream') ? new Blob(['content']).stream() : 'content');
      },
      { log },
    );
    const session = connect(url);
    for (const target of ['/text', '/stream']) {
      expect(await ask(session, { ':path': target })).toMatchObject({
        status: 200,
        body: 'content',
        resetCode: http2.constants.NGHTTP2_INTERNAL_ERROR,
      });
    }
    const line = [
      expect.objectContaining({ err: expect.objectContaining({ message: 'no trailers' }) as unknown }),
      'a response broke off',
    ];
    expect(logged).toEqual([line, line]);
    expect(session.closed).toBe(false);
  });

  test('that depends on content which turns out too large is reset, and never ends as if it were complete', async () => {
    const { url } = await start((request) => new HttpResponse(request.body), { limits: { maxBodyBytes: 1_000 } });
    const session = connect(url);
    const stream = session.request({ ':method': 'POST', ':path': '/' }, { endStream: false });
    let hasEnded = false;
    stream
      .on('error', () => undefined)
      .on('end', () => (hasEnded = true))
      .resume();
    stream.write(Buffer.alloc(900));
    await new Promise((resolve) => stream.once('response', resolve));
    stream.write(Buffer.alloc(900));
    await new Promise((resolve) => stream.once('close', resolve));
    expect([stream.rstCode, hasEnded]).toEqual([http2.constants.NGHTTP2_INTERNAL_ERROR, false]);
  });

  test('can’t break the framing: what HTTP/1.1 answers with 500 is a 500 here, and what is about a connection is left out', async () => {
    const cancelled: string[] = [];
    const stream = (name: string): ReadableStream<Uint8Array> =>
      new ReadableStream({ cancel: () => void cancelled.push(name) });
    const received: Readonly<Record<string, () => HttpResponse>> = {
      '/line': () => new HttpResponse(stream('line'), { headers: { A: 'b\x01' } }),
      '/split': () => new HttpResponse('abc', { headers: { A: 'b\r\nc: d' } }),
      '/length': () => new HttpResponse('abc', { headers: { 'Content-Length': '4' } }),
      '/status': () => new HttpResponse('abc', { status: 101 }),
      '/hop': () =>
        new HttpResponse('abc', {
          headers: [
            ['Connection', 'close, x'],
            ['Transfer-Encoding', 'chunked'],
            ['Keep-Alive', 'timeout=5'],
            ['Upgrade', 'x'],
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
          ],
        }),
      '/head': () => new HttpResponse(stream('head')),
    };
    const { url } = await start(
      (request) => received[new URL(request.url).pathname]?.() ?? new HttpResponse(null, { status: 404 }),
    );
    const session = connect(url);
    for (const path of ['/line', '/split', '/length', '/status'])
      expect(await ask(session, { ':path': path })).toMatchObject({ status: 500, body: 'Internal Server Error\n' });
    const { status, headers, body } = await ask(session, { ':path': '/hop' });
    expect([status, body, headers['set-cookie']]).toEqual([200, 'abc', ['a=1', 'b=2']]);
    expect(Object.keys(headers).sort()).toEqual([':status', 'content-length', 'content-type', 'date', 'set-cookie']);
    expect(await ask(session, { ':method': 'HEAD', ':path': '/head' })).toMatchObject({ status: 200, body: '' });
    expect(cancelled).toEqual(['line', 'head']);
  });

  test('HEAD, 204 and 304 have no content', async () => {
    const { url } = await start((request) =>
      responseOf('abc', { status: Number(new URL(request.url).pathname.slice(1)) }),
    );
    const session = connect(url);
    expect(await ask(session, { ':method': 'HEAD', ':path': '/200' })).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '3' },
    });
    expect(await ask(session, { ':path': '/204' })).toMatchObject({ status: 204, body: '' });
    expect(await ask(session, { ':path': '/304' })).toMatchObject({ status: 304, body: '' });
  });
});

describe('what is refused', () => {
  test('content over the limit: 413', async () => {
    const { url } = await start(async (request) => new HttpResponse(await request.text()), {
      limits: { maxBodyBytes: 1_000 },
    });
    expect(await ask(connect(url), { ':method': 'POST', ':path': '/' }, 'x'.repeat(1_001))).toMatchObject({
      status: 413,
    });
    expect(await ask(connect(url), { ':method': 'POST', ':path': '/' }, 'x'.repeat(1_000))).toMatchObject({
      status: 200,
    });
  });

  test('what HTTP/1.1 would refuse, with the same status', async () => {
    const { url } = await start(() => new HttpResponse('x'), {
      limits: { maxHeadBytes: 4_000, maxTargetBytes: 1_000, maxBodyBytes: 100, maxFields: 50 },
    });
    const session = connect(url);
    expect(await ask(session, { ':path': '/', 'x-a': 'x'.repeat(4_000) })).toMatchObject({
      status: 431,
      body: 'the header section is too large\n',
    });
    expect(await ask(session, { ':path': '/', 'x-a': 'x'.repeat(3_000) })).toMatchObject({ status: 200 });
    expect(await ask(session, { ':path': `/${'x'.repeat(999)}` })).toMatchObject({ status: 200 });
    expect(await ask(session, { ':path': `/${'x'.repeat(1_000)}` })).toMatchObject({ status: 414 });
    expect(
      await ask(session, { ':method': 'POST', ':path': '/', 'content-length': 101 }, 'x'.repeat(101)),
    ).toMatchObject({ status: 413 });
    expect(await ask(session, { ':method': 'POST', ':path': '/', expect: 'more' }, 'x')).toMatchObject({ status: 417 });
    // More fields than allowed are an error of the stream: node:http2 counts them, and their bytes once the client has
    // acknowledged the limit.
    expect((await ask(session, { ':path': '/', 'x-a': 'x'.repeat(4_000) })).resetCode).toBe(
      http2.constants.NGHTTP2_ENHANCE_YOUR_CALM,
    );
    expect(
      (
        await ask(session, {
          ':path': '/',
          ...Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`x-${index}`, 'a'])),
        })
      ).resetCode,
    ).toBe(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  test('a path that is none, and two names for the host (RFC 9113 §8.3.1)', async () => {
    const { url } = await start(() => new HttpResponse('x'));
    const session = connect(url);
    expect((await ask(session, { ':path': 'x' })).resetCode).toBe(http2.constants.NGHTTP2_PROTOCOL_ERROR);
    expect((await ask(session, { ':path': '/', ':authority': 'a', host: 'b' })).resetCode).toBe(
      http2.constants.NGHTTP2_PROTOCOL_ERROR,
    );
    expect((await ask(session, { ':path': '/' })).status).toBe(200);
  });

  test('methods that are not implemented', async () => {
    const { url } = await start(() => new HttpResponse('x'));
    const session = connect(url);
    expect((await ask(session, { ':method': 'BREW', ':path': '/' })).status).toBe(501);
    expect((await ask(session, { ':method': 'TRACE', ':path': '/' })).status).toBe(405);
  });
});

test('a drain lets the streams that are open finish, and takes no new ones', async () => {
  let release: (() => void) | undefined;
  const { server, url } = await start(
    () => new Promise((resolve) => (release = () => resolve(new HttpResponse('late')))),
  );
  const session = connect(url);
  const late = ask(session, { ':path': '/' });
  while (release === undefined) await new Promise((resolve) => setImmediate(resolve));
  const goaway = new Promise((resolve) => session.on('goaway', resolve));
  const closed = server.close({ graceMs: 5_000 });
  await goaway;
  release();
  expect((await late).body).toBe('late');
  await closed;
});

test('files are served', async () => {
  const root = path.join(folder, 'site');
  fs.mkdirSync(root);
  fs.writeFileSync(path.join(root, 'big.txt'), Buffer.alloc(1_000_000, '0123456789'));
  const { url } = await start(serveFiles(root));
  const session = connect(url);
  expect((await ask(session, { ':path': '/big.txt' })).body.length).toBe(1_000_000);
  expect((await ask(session, { ':path': '/big.txt', range: 'bytes=-10' })).body).toBe('0123456789');
});

test.skipIf(lacksCurl)('curl speaks it, also to upload, and still gets HTTP/1.1 when it asks for that', async () => {
  const { url } = await start(
    async (request, context) => new HttpResponse(`${context.httpVersion} ${(await request.text()).length}`),
  );
  const curl = async (...args: string[]): Promise<string> =>
    (await run('curl', ['-skS', '--max-time', '10', ...args])).stdout;
  const upload = path.join(folder, 'upload');
  fs.writeFileSync(upload, Buffer.alloc(900_000));
  expect(await curl('--http2', '-w', ' %{http_version}', url)).toBe('2.0 0 2');
  expect(await curl('--http2', '--data-binary', `@${upload}`, url)).toBe('2.0 900000');
  expect(await curl('--http1.1', url)).toBe('1.1 0');
});
