// What was prepared for one response is used for the next, and no client may be able to tell.

import type { Protocol, ServiceContext } from '@wellknown/core';
import { serveInMemory } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResponseContent } from '../../src/fetch/content.ts';
import { HttpResponse, type HttpResponseInit } from '../../src/fetch/response.ts';
import type { FetchHandler } from '../../src/handler.ts';
import { httpProtocol } from '../../src/protocol.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const fieldName = fc.constantFrom(
  'X-A',
  'x-b',
  'Content-Type',
  'Cache-Control',
  'Set-Cookie',
  'Date',
  'Connection',
  'Content-Length',
  'bad name',
  'Keep-Alive',
);
const fieldValue = fc.constantFrom('a', 'b', 'text/plain', '5', '3', 'close', 'x\r\ny', 'é', '€', '');
const headers = fc.oneof(
  fc.constant(undefined),
  fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 4 }),
  fc.dictionary(fieldName, fieldValue, { maxKeys: 4 }),
);
const content = fc.constantFrom<ResponseContent>(
  'Hello',
  'abc',
  'é€',
  '',
  null,
  new Uint8Array([1, 2, 3]),
  new Uint8Array(20_000).fill(66),
  'y'.repeat(20_000),
);
const response = fc.record({
  status: fc.constantFrom(200, 201, 204, 304, 404, 99),
  statusText: fc.constantFrom('', '', 'Fine'),
  headers,
  content,
});

async function responseTo(peer: ReturnType<typeof serveHandler>['peer']): Promise<string> {
  peer.send(GET);
  await settled();
  return peer.take();
}

/** Connections to one service: some responses end theirs. */
function oneService(handler: FetchHandler): () => ReturnType<typeof serveHandler>['peer'] {
  const protocol = httpProtocol(handler);
  let context: ServiceContext | undefined;
  const shared: Protocol = {
    ...protocol,
    open(connection, own) {
      context ??= own;
      if (protocol.open === undefined) throw new Error('http opens connections by a sink');
      return protocol.open(connection, context);
    },
  };
  return () => serveInMemory(shared).peer;
}

test('a response is the same bytes the first, the second and the third time, and from a kept response', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(response, { minLength: 1, maxLength: 4 }), async (shapes) => {
      const make = ({ content: body, ...init }: (typeof shapes)[number]): HttpResponse => new HttpResponse(body, init);
      const alone: string[] = [];
      for (const shape of shapes) alone.push(await responseTo(serveHandler(() => make(shape)).peer));
      // What can't be made is no response: its handler fails each time.
      const kept = shapes.map((shape) => {
        try {
          return make(shape);
        } catch {
          return undefined;
        }
      });
      let index = 0;
      let isKept = false;
      const connect = oneService(() => (isKept ? kept[index] : undefined) ?? make(shapes[index]!));
      let peer = connect();
      for (let turn = 0; turn < 4; turn += 1) {
        isKept = turn >= 2;
        for (index = 0; index < shapes.length; index += 1) {
          if (peer.closed || peer.sawEnd) peer = connect();
          expect(await responseTo(peer)).toBe(alone[index]);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('a kept response whose headers are changed is sent as changed', async () => {
  const kept = new HttpResponse('x', { headers: { 'X-A': '1' } });
  const { peer } = serveHandler(() => kept);
  for (let turn = 0; turn < 3; turn += 1) expect(await responseTo(peer)).toContain('X-A: 1');
  kept.headers.set('X-A', '2');
  expect(await responseTo(peer)).toMatch(/x-a: 2/i);
});

test.each([
  ['a Map', () => new Map([['X-A', '1']])],
  ['a Headers', () => new Headers({ 'X-A': '1' })],
  [
    'an iterator of its own',
    () => ({
      *[Symbol.iterator]() {
        yield ['X-A', '1'];
      },
    }),
  ],
])('headers in %s are sent, whatever was answered before', async (_, make) => {
  const given = [undefined, make(), undefined, make(), make(), { __proto__: { inherited: 'x' } }];
  const { peer } = serveHandler(() => new HttpResponse('x', { headers: given.shift() as HttpResponseInit['headers'] }));
  const seen: (string | null | undefined)[] = [];
  for (let turn = 0; turn < 6; turn += 1) {
    const [received] = readResponses(await responseTo(peer));
    seen.push(received?.headers.get('x-a') ?? received?.headers.get('inherited'));
  }
  expect(seen).toEqual([null, '1', null, '1', '1', null]);
});

test.each<[string, () => Response, string, string | null]>([
  ['text', () => new Response('é'), 'é', 'text/plain;charset=UTF-8'],
  [
    'text whose type was taken away',
    () => {
      const response = new Response('x');
      response.headers.delete('content-type');
      return response;
    },
    'x',
    null,
  ],
  ['bytes', () => new Response(new Uint8Array([97, 98])), 'ab', null],
  ['a view of bytes', () => new Response(new Uint8Array([97, 98, 99]).subarray(1, 2)), 'b', null],
  ['a blob', () => new Response(new Blob(['blob'], { type: 'text/x' })), 'blob', 'text/x'],
  [
    'a form',
    () => new Response(new URLSearchParams({ a: 'b' })),
    'a=b',
    'application/x-www-form-urlencoded;charset=UTF-8',
  ],
  ['JSON', () => Response.json({ a: 1 }), '{"a":1}', 'application/json'],
  ['a clone', () => new Response('x').clone(), 'x', 'text/plain;charset=UTF-8'],
  [
    'what was cloned',
    () => {
      const response = new Response('x');
      response.clone();
      return response;
    },
    'x',
    'text/plain;charset=UTF-8',
  ],
  ['nothing', () => new Response(null), '', null],
  ['empty text', () => new Response(''), '', 'text/plain;charset=UTF-8'],
])('a platform Response of %s arrives as it is', async (_, make, body, type) => {
  const [received] = readResponses(await responseTo(serveHandler(make).peer));
  expect([Buffer.from(received?.body ?? '', 'latin1').toString(), received?.headers.get('content-type')]).toEqual([
    body,
    type,
  ]);
});

test('a platform Response that was read already is a mistake of the handler', async () => {
  const { peer, errors } = serveHandler(async () => {
    const response = new Response('x');
    await response.text();
    return response;
  });
  expect(readResponses(await responseTo(peer))).toMatchObject([{ status: 500 }]);
  expect(errors).toHaveLength(1);
});

test('the date moves on', async () => {
  const { peer, clock } = serveHandler(() => new HttpResponse('x'));
  const dates = new Set<string | null | undefined>();
  for (let turn = 0; turn < 5; turn += 1) {
    dates.add(readResponses(await responseTo(peer))[0]?.headers.get('date'));
    clock.advance(1_000);
  }
  expect(dates.size).toBe(5);
});

test('JSON has its type, also beside other fields, unless another is given', () => {
  const typeOf = (init?: HttpResponseInit): string | null => HttpResponse.json({}, init).headers.get('content-type');
  expect([
    typeOf(),
    typeOf({ status: 201 }),
    typeOf({ headers: { 'X-A': 'b' } }),
    typeOf({ headers: [['content-TYPE', 'application/problem+json']] }),
  ]).toEqual(['application/json', 'application/json', 'application/json', 'application/problem+json']);
});

describe('content that came with its head', () => {
  const post = (body: string): string =>
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const readers: [string, (request: Request) => Promise<string>][] = [
    ['text()', (request) => request.text()],
    ['bytes', async (request) => Buffer.from(await request.arrayBuffer()).toString()],
    ['a stream', async (request) => new Response(request.body).text()],
    ['a clone', (request) => request.clone().text()],
  ];

  test.each(readers)('is there for %s, at once and later', async (_, read) => {
    for (const later of [false, true]) {
      const { peer } = serveHandler(async (request) => {
        if (later) await new Promise((resolve) => setImmediate(resolve));
        return new HttpResponse(await read(request));
      });
      peer.send(Buffer.from(post('first') + post('second, é')));
      for (let turn = 0; turn < 4; turn += 1) await settled();
      expect(readResponses(peer.take()).map(({ body }) => Buffer.from(body, 'latin1').toString())).toEqual([
        'first',
        'second, é',
      ]);
    }
  });

  test('is text without its byte order mark, and with U+FFFD for what is malformed, as on the platform', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0x62]);
    const seen: string[] = [];
    const { peer } = serveHandler(async (request) => {
      seen.push(await request.text());
      return new HttpResponse('x');
    });
    peer.send(Buffer.concat([Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n'), bytes]));
    await settled();
    expect(seen).toEqual([await new Response(bytes).text()]);
  });

  test('can be read once', async () => {
    const { peer } = serveHandler(async (request) => {
      await request.text();
      return new HttpResponse(await request.text().catch((error: unknown) => String(error)));
    });
    peer.send(post('x'));
    await settled();
    expect(readResponses(peer.take())[0]?.body).toContain('has been read already');
  });
});
