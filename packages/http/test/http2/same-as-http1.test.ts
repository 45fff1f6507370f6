// What HTTP/1.1 refuses, HTTP/2 refuses too: one handler, one reading of a request.

import { describe, expect, test } from 'vitest';
import { HttpResponse } from '../../src/fetch/response.ts';
import type { FetchHandler } from '../../src/handler.ts';
import type { HttpLimits } from '../../src/limits.ts';
import { REFUSALS } from '../../src/semantics/refusals.ts';
import { readResponses, serveHandler } from '../serve.ts';
import { serveHttp2 } from './memory-http2.ts';
import { errorCodeOf, FLAG, frame, FRAME, isGoaway, literal } from './raw-http2.ts';

type Fields = readonly (readonly [name: string, value: string])[];
const PROTOCOL_ERROR = 1;
const BASE: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'a'],
];
const withFields = (more: Fields): Fields => [...BASE, ...more];
const replaced = (name: string, value: string): Fields =>
  BASE.map((field) => (field[0] === name ? [name, value] : field));

/** What became of one request: the text of its response, `reset`, and the URLs that the handler saw. */
async function ask(fields: Fields, handler?: FetchHandler): Promise<{ text: string; reset: boolean; seen: string[] }> {
  const seen: string[] = [];
  const session = await serveHttp2((request, context) => {
    seen.push(request.url);
    return handler?.(request, context) ?? new HttpResponse(JSON.stringify([...request.headers]));
  });
  const block = Buffer.concat(fields.map(([name, value]) => literal(name, value)));
  session.send(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, block));
  await session.settle();
  const text = session.frames
    .filter(({ type }) => type === FRAME.data)
    .map(({ payload }) => payload.toString())
    .join('');
  return {
    text,
    reset: session.frames.some((each) => each.type === FRAME.rstStream && each.payload.readUInt32BE() !== 0),
    seen,
  };
}

describe('a request', () => {
  test.each<readonly [what: string, fields: Fields, refusal: keyof typeof REFUSALS]>([
    ['with a fragment in its path', replaced(':path', '/a#b'), 'target-invalid'],
    ['with raw octets in its path', replaced(':path', '/\xc3\xa9'), 'target-invalid'],
    ['of another scheme', replaced(':scheme', 'ftp'), 'target-invalid'],
    [
      'with two content types',
      withFields([
        ['content-type', 'a/b'],
        ['content-type', 'c/d'],
      ]),
      'content-type-repeated',
    ],
    ['with CR in a value', withFields([['x', 'a\rb']]), 'field-invalid'],
    ['with LF in a value', withFields([['x', 'a\nb']]), 'field-invalid'],
    ['with NUL in a value', withFields([['x', 'a\0b']]), 'field-invalid'],
    ['with a space in a name', withFields([['x y', 'a']]), 'field-invalid'],
    [
      'with an expectation beside the known one',
      withFields([
        ['expect', 'x'],
        ['expect', '100-continue'],
      ]),
      'expectation-unknown',
    ],
  ])('%s is refused, and no handler sees it', async (_, fields, refusal) => {
    expect(await ask(fields)).toEqual({ text: `${REFUSALS[refusal].text}\n`, reset: false, seen: [] });
  });

  test.each<readonly [what: string, fields: Fields]>([
    ['with a \\ in its path', replaced(':path', '/..\\x')],
    ['for a host that no URL has', replaced(':authority', 'foo.1')],
    ['for no host', BASE.slice(0, 3)],
    ['with a whole URL as its path', replaced(':path', 'https://b/x')],
  ])('%s is reset, and no handler sees it', async (_, fields) => {
    expect(await ask(fields)).toEqual({ text: '', reset: true, seen: [] });
  });

  test('keeps every field that HTTP/1.1 keeps, octets above ASCII and odd names included', async () => {
    const { text } = await ask(
      withFields([
        ['x', '\xe9'],
        ['__proto__', 'a'],
        ['constructor', 'b'],
      ]),
    );
    expect(JSON.parse(text)).toEqual(
      expect.arrayContaining([
        ['x', '\xe9'],
        ['__proto__', 'a'],
        ['constructor', 'b'],
      ]),
    );
  });
});

describe('a trailer section', () => {
  const blockOf = (fields: Fields): Buffer => Buffer.concat(fields.map(([name, value]) => literal(name, value)));

  /** The status and text of the response to a request with these trailers, all of which comes at once. */
  async function end(
    trailers: Fields,
    limits: Partial<HttpLimits> = {},
  ): Promise<readonly [head: string, text: string]> {
    const session = await serveHttp2(async (request, context) => {
      const text = await request.text();
      return HttpResponse.json([text, ...(context.trailers() ?? [])]);
    }, limits);
    session.send(
      frame(FRAME.headers, FLAG.endHeaders, 1, blockOf(replaced(':method', 'POST'))),
      frame(FRAME.data, 0, 1, Buffer.from('content')),
      frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, blockOf(trailers)),
    );
    await session.settle();
    const of = (type: number): Buffer =>
      Buffer.concat(session.frames.filter((each) => each.type === type).map(({ payload }) => payload));
    // Of the statuses that HPACK has an index for, 200 and 400 are 0x88 and 0x8c (RFC 7541, Appendix A).
    const [first = 0] = of(FRAME.headers);
    return [first.toString(16), of(FRAME.data).toString()];
  }

  test('arrives, also with more fields than the head has', async () => {
    const many = Array.from('abcdefghijklmnopqrst', (letter) => [`x-${letter}`, 'a'] as const);
    const [status, text] = await end(many);
    expect([status, JSON.parse(text)]).toEqual(['88', ['content', ...many]]);
  });

  test.each<readonly [what: string, trailers: Fields, refusal: keyof typeof REFUSALS]>([
    ['with CR in a value', [['x', 'a\rb']], 'field-invalid'],
    [
      'with LF in a value, beside a good one',
      [
        ['y', 'b'],
        ['x', 'a\nb'],
      ],
      'field-invalid',
    ],
    ['with NUL in a value', [['x', 'a\0b']], 'field-invalid'],
    ['with a space in a name', [['x y', 'a']], 'field-invalid'],
    ['that would route anew', [['host', 'b']], 'trailer-forbidden'],
    ['that says what the content was', [['content-type', 'a/b']], 'trailer-forbidden'],
  ])('%s is refused, since no part of it is what was sent', async (_, trailers, refusal) => {
    expect(await end(trailers)).toEqual(['8c', `${REFUSALS[refusal].text}\n`]);
  });

  test('may be as large as the limit, and no larger', async () => {
    const limits = { maxTrailerBytes: 100 };
    // Each field counts 32 bytes more (RFC 9113 §6.5.2).
    expect((await end([['x', 'a'.repeat(67)]], limits))[0]).toBe('88');
    expect((await end([['x', 'a'.repeat(68)]], limits))[1]).toBe(`${REFUSALS['trailers-too-large'].text}\n`);
  });
});

describe('a response', () => {
  test.each<readonly [what: string, headers: Fields]>([
    ['named like what every object has', Object.getOwnPropertyNames(Object.prototype).map((name) => [name, 'x'])],
    [
      'of which a client takes one line',
      [
        ['etag', '"a"'],
        ['etag', '"b"'],
        ['age', '1'],
        ['age', '2'],
      ],
    ],
    [
      'that are about a connection',
      [
        ['http2-settings', 'x'],
        ['keep-alive', 'x'],
        ['connection', 'x'],
        ['upgrade', 'x'],
      ],
    ],
  ])('arrives with fields %s', async (_, headers) => {
    expect(await ask(BASE, () => new HttpResponse('whole', { headers }))).toMatchObject({
      text: 'whole',
      reset: false,
    });
  });

  test('with two content types is answered as in HTTP/1.1', async () => {
    const headers: Fields = [
      ['content-type', 'a/b'],
      ['Content-Type', 'c/d'],
    ];
    const twice = (): HttpResponse => new HttpResponse('x', { headers });
    const { peer } = serveHandler(twice);
    peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [response] = readResponses(peer.take());
    expect([response?.status, response?.headers.get('content-type')]).toEqual([200, 'a/b, c/d']);
    expect(await ask(BASE, twice)).toMatchObject({ text: 'x', reset: false });
  });
});

test('one stream more than are allowed ends the session with a GOAWAY that says so (RFC 9113 §5.1.2)', async () => {
  const session = await serveHttp2(() => new Promise(() => undefined));
  const block = Buffer.concat(BASE.map(([name, value]) => literal(name, value)));
  const open = (count: number): Buffer[] =>
    Array.from({ length: count }, (_, index) => frame(FRAME.headers, FLAG.endHeaders, 1 + 2 * index, block));
  session.send(...open(100));
  await session.settle();
  expect(session.frames.filter(isGoaway)).toEqual([]);
  session.send(frame(FRAME.headers, FLAG.endHeaders, 201, block));
  await session.settle();
  expect(session.frames.filter(isGoaway).map(errorCodeOf)).toEqual([PROTOCOL_ERROR]);
  expect(session.connection.state).not.toBe('open');
});
