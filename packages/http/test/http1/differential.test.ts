// Two readers of the same bytes: ours and the one of node:http (llhttp). Ours is stricter, so the promise has one
// direction: what we take for a request, node:http takes for the same request, with the same content, followed by the
// same next one. Were it otherwise, a request could be smuggled past the one to the other.

import http from 'node:http';
import net from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { METHODS } from '../../src/semantics/methods.ts';
import { octets, parseAll } from './parse-all.ts';

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

let server: http.Server;
let port = 0;
let seen: Seen[] = [];

beforeAll(async () => {
  server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({
        method: request.method ?? '',
        target: request.url ?? '',
        body: Buffer.concat(chunks).toString('latin1'),
      });
      response.end();
    });
  });
  // Its responses don't matter here, only what it takes for a request.
  server.on('clientError', (_, socket) => socket.destroy());
  server.on('checkExpectation', (_request, response: http.ServerResponse) => response.writeHead(417).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as net.AddressInfo).port;
});
afterAll(() => server.close());

/** What node:http makes of the bytes of one connection. */
async function readByNode(bytes: Uint8Array): Promise<Seen[]> {
  seen = [];
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.end(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
  return seen;
}

// HTTP/1.2 is left out: RFC 9110 §2.5 has us read it as 1.1, llhttp refuses it.
const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'GET / HTTP/1.1',
      'POST /a HTTP/1.1',
      'PUT /b?c HTTP/1.1',
      'HEAD / HTTP/1.0',
      'OPTIONS * HTTP/1.1',
      'GET http://a/x HTTP/1.1',
      'DELETE /d HTTP/1.1',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'GET /\t HTTP/1.1',
      'GET  / HTTP/1.1',
      'get / HTTP/1.1',
      'GET / HTTP/2.0',
      'GET /',
      '\r\nGET / HTTP/1.1',
      'GET /\x80 HTTP/1.1',
    ),
  },
);
const field = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'Host: a',
      'X: y',
      'Content-Length: 3',
      'Transfer-Encoding: chunked',
      'Connection: keep-alive',
      'Content-Length: 0',
      'Accept: */*',
      'X-Empty:',
      'X:\t z \t',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'Content-Length: +3',
      'Content-Length: 3, 3',
      'Content-Length : 3',
      'Content-Length: 03',
      'Content-Length: 3 ',
      'Content_Length: 3',
      'Transfer-Encoding: chunked, chunked',
      'Transfer-Encoding: xchunked',
      'Transfer-Encoding:\x0bchunked',
      'Transfer-Encoding: CHUNKED',
      'Transfer-Encoding: identity',
      ' folded: x',
      'X: a\x00b',
      'X: a\rb',
      'Connection: close',
      'Expect: 100-continue',
      'X',
      ': x',
      'X\x80: y',
      'X: \xff',
    ),
  },
);
const body = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '',
      'abc',
      '3\r\nabc\r\n0\r\n\r\n',
      '0\r\n\r\n',
      '1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: v\r\n\r\n',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '0x3\r\nabc\r\n0\r\n\r\n',
      '3\nabc\r\n0\r\n\r\n',
      '3 \r\nabc\r\n0\r\n\r\n',
      '3\r\nabcd\r\n0\r\n\r\n',
      '3;\r\nabc\r\n0\r\n\r\n',
      '-1\r\n',
      '3\r\nabc0\r\n\r\n',
      '0\r\nT : v\r\n\r\n',
      'ffffffffffffffffff\r\n',
    ),
  },
);
const end = fc.oneof(
  { weight: 12, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\n\r') },
);
const message = fc
  .tuple(line, fc.array(field, { minLength: 1, maxLength: 4 }), body, end)
  .map(
    ([first, fields, content, lineEnd]) =>
      `${[first, 'Host: a', ...fields.filter((text) => text !== 'Host: a')].join(lineEnd)}${lineEnd}${lineEnd}${content}`,
  );

test('what we take for requests, node:http takes for the same requests', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 3 }), async (messages) => {
      const bytes = octets(messages.join(''));
      const ours = parseAll([bytes]);
      // A method that is not implemented is answered with 501 and the close.
      const unknown = ours.requests.findIndex(({ method }) => !METHODS.has(method));
      const complete = (unknown < 0 ? ours.requests : ours.requests.slice(0, unknown)).filter(
        (request) => request.complete,
      );
      // After a request that says so, the engine reads no further.
      const last = complete.findIndex(
        ({ minorVersion, fields }) =>
          minorVersion === 0 || fields.some(([name, value]) => name === 'connection' && value === 'close'),
      );
      const answered = last < 0 ? complete : complete.slice(0, last + 1);
      const theirs = await readByNode(bytes);
      expect(theirs.slice(0, answered.length)).toEqual(
        answered.map(({ method, target, body: content }) => ({ method, target, body: content })),
      );
    }),
    { numRuns: 300 },
  );
}, 30_000);
