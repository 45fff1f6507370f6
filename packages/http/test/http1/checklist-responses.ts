// The checklist's rows about responses: whatever a handler does, no client reads two responses out of one, or a part for
// the whole.

import { HttpResponse, responseOf } from '../../src/fetch/response.ts';
import { get, post, type Case, type Row } from './checklist.ts';

const GET = get();
const HEAD = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';

/** A stream of these parts, which fails at the end where it is told to. */
const streamOf = (parts: readonly unknown[], failure?: Error): ReadableStream<Uint8Array> => {
  const rest = [...parts];
  return new ReadableStream(
    {
      pull(controller) {
        const part = rest.shift();
        if (part !== undefined)
          controller.enqueue((typeof part === 'string' ? new TextEncoder().encode(part) : part) as Uint8Array);
        else if (failure === undefined) controller.close();
        else controller.error(failure);
      },
    },
    { highWaterMark: 0 },
  );
};

/** Responses that are 500 instead, with nothing of them leaked; the connection goes on. */
const failing = (...responses: readonly (() => Response)[]): Case[] =>
  responses.map((handler) => ({
    input: GET,
    responses: [[500, 'Internal Server Error\n']],
    closes: false,
    handler,
    keepsQuiet: /evil/,
  }));

/** Responses that break off after their head, so that no client takes them for complete. */
const breaking = (breaks: RegExp, ...responses: readonly (() => Response)[]): Case[] =>
  responses.map((handler) => ({ input: GET + GET, responses: [], breaks, closes: true, handler }));

export const RESPONSE_ROWS: readonly Row[] = [
  {
    id: 51,
    section: '9110 §9.3.2',
    rule: 'HEAD has the head of GET; HEAD, 204 and 304 have no content',
    cases: [
      {
        input: HEAD + GET,
        responses: [
          [200, ''],
          [200, 'hello'],
        ],
        closes: false,
        methods: ['HEAD', 'GET'],
        handler: () => new HttpResponse('hello'),
        says: /Content-Length: 5\r\n\r\nHTTP/,
      },
      {
        input: HEAD + GET,
        responses: [
          [200, ''],
          [200, 'hello'],
        ],
        closes: false,
        methods: ['HEAD', 'GET'],
        handler: () => new HttpResponse(streamOf(['hel', 'lo'])),
      },
      {
        input: HEAD + GET,
        responses: [
          [200, ''],
          [200, 'hello'],
        ],
        closes: false,
        methods: ['HEAD', 'GET'],
        handler: () => new Response('hello'),
      },
      {
        input: GET + GET,
        responses: [
          [204, ''],
          [204, ''],
        ],
        closes: false,
        handler: () => responseOf('evil', { status: 204 }),
        keepsQuiet: /evil/,
      },
      {
        input: GET + GET,
        responses: [
          [304, ''],
          [304, ''],
        ],
        closes: false,
        handler: () => responseOf('evil', { status: 304, headers: { ETag: '"a"' } }),
        keepsQuiet: /evil/,
      },
      {
        input: GET + GET,
        responses: [
          [204, ''],
          [204, ''],
        ],
        closes: false,
        handler: () => responseOf(streamOf(['evil']), { status: 204 }),
        keepsQuiet: /evil/,
      },
    ],
  },
  {
    id: 52,
    section: '9110 §8.6',
    rule: 'no Content-Length or Transfer-Encoding in 204, none that lies in 304, no content in 205',
    cases: [
      {
        input: GET,
        responses: [[204, '']],
        closes: false,
        handler: () =>
          new HttpResponse(null, { status: 204, headers: { 'Content-Length': '0', 'Transfer-Encoding': 'chunked' } }),
        keepsQuiet: /content-length|transfer-encoding/i,
      },
      {
        input: GET,
        responses: [[304, '']],
        closes: false,
        handler: () => responseOf('abc', { status: 304 }),
        keepsQuiet: /content-length|transfer-encoding/i,
      },
      {
        input: GET + GET,
        responses: [
          [205, ''],
          [205, ''],
        ],
        closes: false,
        handler: () => responseOf('evil', { status: 205 }),
        says: /\r\nContent-Length: 0\r\n/,
        keepsQuiet: /evil/,
      },
    ],
  },
  {
    id: 53,
    section: '9112 §6.1',
    rule: 'HTTP/1.0 gets no chunks: a stream ends with the connection',
    cases: [
      {
        input: 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
        responses: [[200, 'abc']],
        closes: true,
        handler: () => new HttpResponse(streamOf(['a', 'bc'])),
        says: /\r\nConnection: close\r\n/,
        keepsQuiet: /chunked/,
      },
      {
        input: 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
        responses: [[200, 'abc']],
        closes: false,
        handler: () => new HttpResponse(streamOf(['a', 'bc']), { headers: { 'Content-Length': '3' } }),
        keepsQuiet: /chunked/,
      },
    ],
  },
  {
    id: 54,
    section: '9112 §11.1',
    rule: 'no CR, LF or NUL in names, values and status texts',
    cases: failing(
      () => new HttpResponse('evil', { headers: { A: 'b\r\nevil: c' } }),
      () => new HttpResponse('evil', { headers: { A: 'b\nevil' } }),
      () => new HttpResponse('evil', { headers: { A: 'b\revil' } }),
      () => new HttpResponse('evil', { headers: { A: 'evil\0' } }),
      () => new HttpResponse('evil', { headers: { A: '\u560d\u560aevil' } }),
      () => new HttpResponse('evil', { headers: { 'A\r\nevil': 'b' } }),
      () => new HttpResponse('evil', { headers: { 'A: evil': 'b' } }),
      () => new HttpResponse('evil', { headers: { '': 'evil' } }),
      () => new HttpResponse('evil', { statusText: 'OK\r\nevil: 1' }),
      () => new HttpResponse('evil', { status: 99 }),
      () => new HttpResponse('evil', { status: 101 }),
      () => new HttpResponse('evil', { status: 600 }),
      () => responseOf('evil', { status: 200.5 }),
      // A platform Response checks values, but not whether a length is one.
      () => new Response('evil', { headers: { 'Content-Length': 'evil' } }),
    ),
  },
  {
    id: 55,
    section: '9112 §6.3',
    rule: 'content of another length than declared never reaches a client as complete',
    cases: [
      ...failing(
        () => new HttpResponse('evil', { headers: { 'Content-Length': '3' } }),
        () => new HttpResponse('evil', { headers: { 'Content-Length': '5' } }),
        () => new HttpResponse('evil', { headers: { 'Content-Length': '4, 4' } }),
        () => new HttpResponse(null, { headers: { 'Content-Length': '4' } }),
        () =>
          new HttpResponse('evil', {
            headers: [
              ['Content-Length', '4'],
              ['Content-Length', '5'],
            ],
          }),
      ),
      ...breaking(
        /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 5\r\n\r\n(?:abc)?$/,
        () => new HttpResponse(streamOf(['abc']), { headers: { 'Content-Length': '5' } }),
        () => new Response(streamOf(['abc']), { headers: { 'Content-Length': '5' } }),
        () => new HttpResponse(streamOf(['abc', 'defgh']), { headers: { 'Content-Length': '5' } }),
      ),
      {
        input: GET + GET,
        responses: [
          [200, 'abc'],
          [200, 'abc'],
        ],
        closes: false,
        handler: () => new HttpResponse(streamOf(['abc']), { headers: { 'Content-Length': '3' } }),
      },
      {
        input: GET + GET,
        responses: [
          [200, 'abc'],
          [200, 'abc'],
        ],
        closes: false,
        handler: () => new HttpResponse('abc', { headers: { 'Transfer-Encoding': 'chunked' } }),
        keepsQuiet: /transfer-encoding/i,
      },
      {
        input: GET + GET,
        responses: [
          [200, 'abcd'],
          [200, 'abcd'],
        ],
        closes: false,
        handler: () =>
          new HttpResponse(streamOf(['abcd']), {
            headers: { 'Transfer-Encoding': 'identity', Trailer: 'x', 'Keep-Alive': 'timeout=1' },
          }),
        keepsQuiet: /identity|trailer|keep-alive/i,
      },
    ],
  },
  {
    id: 56,
    section: '9112 §8',
    rule: 'a stream that fails after the head breaks the response off, without a last chunk',
    cases: [
      ...breaking(
        /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n(?:3\r\nabc\r\n)+$/,
        () => new HttpResponse(streamOf(['abc', 'abc'], new Error('evil'))),
        () => new Response(streamOf(['abc', 'abc', 7])),
      ),
      ...failing(
        () => new HttpResponse(streamOf([], new Error('evil'))),
        () => {
          throw new Error('evil');
        },
      ),
    ],
  },
  {
    id: 57,
    section: '9110 §6.6.1',
    rule: 'every response has a Date',
    cases: [
      { input: GET, responses: [[200]], closes: false, says: /\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n/ },
      {
        input: GET,
        responses: [[304]],
        closes: false,
        handler: () => new HttpResponse(null, { status: 304 }),
        says: /\r\nDate: /,
      },
      {
        input: GET,
        responses: [[500]],
        closes: false,
        handler: () => {
          throw new Error('evil');
        },
        says: /\r\nDate: /,
      },
      { input: 'GET /\r\n', responses: [[400]], closes: true, says: /\r\nDate: / },
      {
        input: GET,
        responses: [[200]],
        closes: false,
        handler: () => new HttpResponse('x', { headers: { date: 'Sun, 06 Nov 1994 08:49:37 GMT' } }),
        keepsQuiet: /2026/,
      },
    ],
  },
  {
    id: 58,
    section: '9110 §15.5.6',
    rule: 'a 405 of the engine names what is allowed',
    cases: [
      {
        input: 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n',
        responses: [[405]],
        closes: false,
        says: /\r\nAllow: GET, HEAD, /,
      },
    ],
  },
  {
    id: 59,
    section: '9110 §15.5.9',
    rule: 'a head that is not complete in time: 408; a connection that says nothing: a silent close',
    cases: [
      { input: 'GET / HTTP/1.1\r\nHost:', responses: [[408]], closes: true, seconds: 21 },
      { input: 'GET / HTTP/1.1\r\nHost:', responses: [], closes: false, seconds: 18 },
      { input: '', responses: [], closes: true, seconds: 21 },
      { input: `${GET}GET /`, responses: [[200], [408]], closes: true, seconds: 21 },
      { input: GET, responses: [[200]], closes: true, seconds: 76 },
    ],
  },
  {
    id: 60,
    section: '9110 §15.5.9',
    rule: 'content below the minimum rate is given up',
    cases: [
      { input: post('Content-Length: 10000\r\n', 'x'.repeat(100)), responses: [[408]], closes: true, seconds: 42 },
    ],
  },
];
