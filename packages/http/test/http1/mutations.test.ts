// Valid pipelined requests with a few bytes changed, cut anywhere, to handlers that answer at once, later, or without
// reading: whatever comes, the connection ends with its peer, nothing follows a response that says it is the last, and
// no handler fails but for content that is cut off.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HttpResponse, type FetchHandler } from '../../src/index.ts';
import { octets } from './parse-all.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'GET /a?b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello',
  'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: v\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
];
const PIECES = [
  ...['\r\n', '\n', '\r', '\0', '\t', ' ', ':', ';', '\x80', '\xff', '0', '#', '*', '//', '\r\n '],
  ...['Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n', 'Host: b\r\n', '0\r\n\r\n'],
  ...['Expect: 100-continue\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'HTTP/1.0', 'http://b/', '99999999999999999999'],
];

interface Change {
  readonly at: number;
  readonly removed: number;
  readonly added: string;
}
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(400),
  removed: fc.nat(4),
  added: fc.oneof(
    fc.constant(''),
    fc.constantFrom(...PIECES),
    fc.nat(255).map((octet) => String.fromCharCode(octet)),
  ),
});
const changed = (text: string, { at, removed, added }: Change): string =>
  text.slice(0, at % (text.length + 1)) + added + text.slice((at % (text.length + 1)) + removed);

const HANDLERS: Readonly<Record<string, FetchHandler>> = {
  'at once': () => new HttpResponse('x'),
  later: () => Promise.resolve(new HttpResponse('x')),
  'having read': async (request) => new HttpResponse(`${(await request.arrayBuffer()).byteLength}`),
};

async function play(handler: FetchHandler, chunks: readonly Uint8Array[], waits: boolean): Promise<void> {
  const { peer, errors } = serveHandler(handler);
  for (const chunk of chunks) {
    peer.send(chunk);
    if (waits) await settled();
  }
  peer.end();
  await settled();
  expect(peer.closed).toBe(true);
  const responses = readResponses(peer.take().replaceAll('HTTP/1.1 100 Continue\r\n\r\n', ''));
  const last = responses.findIndex(({ headers }) => headers.get('connection') === 'close');
  expect(last < 0 ? responses.length - 1 : last).toBe(responses.length - 1);
  // A handler hears of content that is cut off.
  expect(errors.filter((error) => !error.includes('the peer ended inside'))).toEqual([]);
}

test.each(Object.entries(HANDLERS))('for a handler that answers %s', async (_, handler) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...REQUESTS), { minLength: 1, maxLength: 3 }),
      fc.array(change, { maxLength: 3 }),
      fc.array(fc.nat(), { maxLength: 4 }),
      fc.boolean(),
      async (requests, changes, cuts, waits) => {
        const bytes = octets(changes.reduce(changed, requests.join('')));
        const offsets = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = offsets.slice(1).map((end, index) => bytes.subarray(offsets[index], end));
        await play(handler, chunks, waits);
      },
    ),
    { numRuns: 400 },
  );
});
