// Our classes under the platform's names: handlers and libraries that know only those can't tell.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FetchHandler } from '../../src/handler.ts';
import { platform } from '../../src/fetch/platform.ts';
import { putBackGlobals, replaceGlobals } from '../../src/fetch/replace-globals.ts';
import { HttpResponse } from '../../src/fetch/response.ts';
import { eventually } from '@wellknown/core/testing';
import { readResponses, serveHandler, settled, type ReadResponse } from '../serve.ts';

const { Headers: NativeHeaders, Request: NativeRequest, Response: NativeResponse } = platform();

let upstream: Server | undefined;
let origin = '';
beforeAll(async () => {
  upstream = createServer((request, response) => {
    const zipped = gzipSync('unzipped');
    response.writeHead(200, {
      'content-encoding': 'gzip',
      'content-length': zipped.length,
      'x-url': request.url ?? '',
    });
    response.end(request.method === 'HEAD' ? undefined : zipped);
  });
  await new Promise<void>((resolve) => upstream?.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterAll(() => {
  upstream?.closeAllConnections();
  upstream?.close();
});

const GET = 'GET /path HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\n\r\n';
const GET_WITH_CONTENT = 'GET /path HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello';
const POST = 'POST /path HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello';

async function answerTo(handler: FetchHandler, request = GET): Promise<ReadResponse> {
  const { peer, errors } = serveHandler(handler);
  peer.send(request);
  let text = '';
  await eventually(() => {
    text += peer.take();
    expect(readResponses(text)).toHaveLength(1);
  });
  expect(errors).toEqual([]);
  return readResponses(text)[0]!;
}

/** What a handler finds out about its request. */
async function seen(request: string, look: (request: Request) => unknown): Promise<unknown> {
  const { body } = await answerTo(async (given) => HttpResponse.json(await look(given)), request);
  return JSON.parse(body) as unknown;
}

describe.each(['the platform’s names', 'our classes under them'])('with %s', (classes) => {
  const replaces = classes === 'our classes under them';
  beforeAll(() => {
    if (replaces) replaceGlobals();
  });
  afterAll(putBackGlobals);

  test('a response to a fetch is relayed as it was decoded', async () => {
    for (const relay of [
      () => fetch(`${origin}/x`),
      async () => {
        const response = await fetch(`${origin}/x`);
        return new HttpResponse(response.body, response);
      },
    ]) {
      const { headers, body } = await answerTo(relay);
      expect([body, headers.get('content-encoding'), headers.get('content-length'), headers.get('x-url')]).toEqual([
        'unzipped',
        null,
        null,
        '/x',
      ]);
    }
  });

  test('a GET with content is taken apart without an error, and each copy has the content', async () => {
    const look = async (request: Request): Promise<unknown> => {
      const copy = new Request(request.url, request.clone());
      const clone = request.clone();
      return [copy.method, copy.headers.get('x-a'), request.body, await clone.text(), await request.text()];
    };
    expect(await seen(GET_WITH_CONTENT, look)).toEqual(['GET', 'b', null, 'hello', 'hello']);
  });

  test('`new Request(url, request)` takes the request that a handler got', async () => {
    const look = async (request: Request): Promise<unknown> => {
      const copy = new Request('http://other/', request);
      return [copy.url, copy.method, copy.headers.get('x-a'), await copy.text()];
    };
    expect(await seen(POST, look)).toEqual(['http://other/', 'POST', 'b', 'hello']);
    expect(await seen(GET_WITH_CONTENT, look)).toEqual(['http://other/', 'GET', 'b', '']);
  });

  test('a request can be printed', async () => {
    const printed = await seen(POST, (request) => inspect(request));
    expect(printed).toMatch(/^Request \{/);
    expect(printed).toContain("url: 'http://a.example/path'");
    expect(printed).toContain("'x-a': 'b'");
  });

  test('two lines of one field in a response are one, but for cookies', async () => {
    const { headers } = await answerTo(
      () =>
        new HttpResponse('x', {
          headers: [
            ['Content-Type', 'text/a'],
            ['content-type', 'text/b'],
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
          ],
        }),
    );
    expect([headers.get('content-type'), headers.getSetCookie()]).toEqual(['text/a, text/b', ['a=1', 'b=2']]);
  });

  test('a response of a library with classes of its own is sent', async () => {
    const foreign = (body: unknown): unknown => ({
      status: 201,
      statusText: '',
      headers: new Map([['x-a', 'b']]),
      bodyUsed: false,
      body,
      arrayBuffer: () => Promise.resolve(new TextEncoder().encode('foreign').buffer),
    });
    for (const body of [{}, new NativeResponse('foreign').body]) {
      const response = await answerTo(() => foreign(body) as Response);
      expect([response.status, response.headers.get('x-a'), response.body]).toEqual([201, 'b', 'foreign']);
    }
    expect((await answerTo(() => foreign(null) as Response)).body).toBe('');
  });

  test('one that can’t be read is a mistake of the handler', async () => {
    const { peer, errors } = serveHandler(() =>
      Object.defineProperty(new NativeResponse('x'), 'headers', {
        get: () => {
          throw new Error('unreadable');
        },
      }),
    );
    peer.send(GET);
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 500 }]);
    expect(errors).toEqual([expect.stringContaining('unreadable')]);
  });

  test('forms, blobs and streams are sent', async () => {
    const form = new FormData();
    form.set('a', 'b');
    expect((await answerTo(() => new Response(form))).body).toMatch(/name="a"\r\n\r\nb\r\n/);
    expect((await answerTo(() => new Response(new Blob(['blob'])))).body).toBe('blob');
    expect((await answerTo(() => new Response(new Blob(['s']).stream()))).body).toBe('s');
  });

  test('what is not a response is a mistake of the handler', async () => {
    const { peer, errors } = serveHandler(() => ({ status: 200 }) as Response);
    peer.send(GET);
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 500 }]);
    expect(errors).toHaveLength(1);
  });
});

describe('our classes under the platform’s names', () => {
  beforeAll(replaceGlobals);
  afterAll(putBackGlobals);

  test('are what stands there, and are called so', () => {
    expect([Response, Response.name, Headers.name, Request.name, fetch.name]).toEqual([
      HttpResponse,
      'Response',
      'Headers',
      'Request',
      'fetch',
    ]);
  });

  test('own what the platform makes, and the other way round', async () => {
    const fetched = await fetch(origin);
    expect([
      fetched instanceof Response,
      fetched instanceof NativeResponse,
      fetched.constructor === Response,
      fetched.headers instanceof Headers,
      new Response('x') instanceof NativeResponse,
      new Headers() instanceof NativeHeaders,
      new NativeRequest('http://a/') instanceof Request,
      new Request('http://a/') instanceof NativeRequest,
      {} instanceof Response,
    ]).toEqual([true, true, true, true, true, true, true, true, false]);
    await fetched.body?.cancel();
  });

  test('leave classes that extend the platform’s as they are', async () => {
    class Framework extends NativeResponse {}
    const response = new Framework('x');
    expect([response instanceof Response, response instanceof Framework]).toEqual([true, true]);
    expect((await answerTo(() => new Framework('extended'))).body).toBe('extended');
    class App extends Response {}
    expect([new App('x') instanceof App, new Response('x') instanceof App]).toEqual([true, false]);
    expect((await answerTo(() => new App('extended'))).body).toBe('extended');
  });

  test('`new Request(request)` and `fetch(request)` take the request that a handler got', async () => {
    const { body } = await answerTo(async (request) => {
      const copy = new Request(request, { method: 'PUT' });
      return Response.json([copy.method, copy.url, copy.headers.get('x-a'), await copy.text()]);
    }, POST);
    expect(JSON.parse(body)).toEqual(['PUT', 'http://a.example/path', 'b', 'hello']);
    const host = origin.slice('http://'.length);
    const relayed = await answerTo((request) => fetch(request), GET.replace('a.example', host));
    expect([relayed.body, relayed.headers.get('x-url')]).toEqual(['unzipped', '/path']);
  });

  test('`new Request(request, { body })` leaves the content of the request to whoever reads it, as a limit on it does', async () => {
    const { body } = await answerTo(async (request) => {
      const pieces = request.body?.getReader();
      const limited = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const piece = await pieces?.read();
          if (piece?.value === undefined) controller.close();
          else controller.enqueue(piece.value as Uint8Array);
        },
      });
      const copy = new Request(request, { body: limited, duplex: 'half' });
      return Response.json([copy.method, copy.url, copy.headers.get('x-a'), await copy.text()]);
    }, POST);
    expect(JSON.parse(body)).toEqual(['POST', 'http://a.example/path', 'b', 'hello']);
  });

  test('each copy of a request has the fields that the request has then', async () => {
    const { body } = await answerTo(async (request) => {
      const before = request.clone();
      request.headers.set('x-a', 'changed');
      request.headers.set('content-type', 'text/x-changed');
      request.headers.append('x-b', '1');
      const copy = request.clone();
      const { type } = await request.blob();
      return Response.json([...[before, copy].map(({ headers }) => [headers.get('x-a'), headers.get('x-b')]), type]);
    }, POST);
    expect(JSON.parse(body)).toEqual([['b', null], ['changed', '1'], 'text/x-changed']);
  });

  test('a response with another’s body and fields is sent as the first would be', async () => {
    const { body, headers } = await answerTo(() => {
      const first = new Response('first', { status: 201, headers: { 'x-a': 'b' } });
      const second = new Response(first.body, first);
      second.headers.append('x-a', 'c');
      return second;
    });
    expect([body, headers.get('x-a'), headers.get('content-type'), headers.get('content-length')]).toEqual([
      'first',
      'b, c',
      'text/plain;charset=UTF-8',
      '5',
    ]);
  });

  test('leave alone what somebody else has put there', () => {
    putBackGlobals();
    const Other = class extends NativeResponse {};
    Object.defineProperty(globalThis, 'Response', { value: Other, writable: true, configurable: true });
    replaceGlobals();
    const found: unknown = Response;
    putBackGlobals();
    Object.defineProperty(globalThis, 'Response', { value: NativeResponse, writable: true, configurable: true });
    expect([found, Response, Headers]).toEqual([Other, NativeResponse, NativeHeaders]);
    replaceGlobals();
  });
});

test('the signal of a request whose client is gone aborts with an AbortError that says why', async () => {
  let signal: AbortSignal | undefined;
  const { peer } = serveHandler((request) => {
    ({ signal } = request);
    return new Promise(() => undefined);
  });
  peer.send(GET);
  peer.reset();
  await settled();
  const reason = signal?.reason as Error | undefined;
  expect([signal?.aborted, reason?.name, reason?.cause instanceof Error]).toEqual([true, 'AbortError', true]);
});
