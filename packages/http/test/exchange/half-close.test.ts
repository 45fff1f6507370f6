// What the end of a client's side means while its response is not complete.

import { describe, expect, test } from 'vitest';
import { createHttpServer, HttpResponse, type FetchHandler } from '../../src/index.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Answers when it is told to; `aborted` is what its request heard. */
function waiting(): { handler: FetchHandler; answer: () => void; aborted: () => boolean } {
  let signal: AbortSignal | undefined;
  let answer = (): void => undefined;
  const handler: FetchHandler = (request) => {
    signal = request.signal;
    return new Promise((resolve) => {
      answer = () => resolve(new HttpResponse('late'));
    });
  };
  return { handler, answer: () => answer(), aborted: () => signal?.aborted ?? false };
}

describe('a client that ends its side while its response is awaited', () => {
  test('still gets it, as RFC 9112 §9.6 lets it', async () => {
    const { handler, answer, aborted } = waiting();
    const { peer } = serveHandler(handler);
    peer.send(GET);
    peer.end();
    answer();
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: 'late' }]);
    expect([aborted(), peer.closed]).toEqual([false, true]);
  });

  test('is gone where that is so: its request aborts, its connection ends, and what comes late is dropped', async () => {
    const { handler, answer, aborted } = waiting();
    const { peer, counters, errors } = serveHandler(handler, {}, { halfClose: 'abort' });
    peer.send(GET);
    expect(aborted()).toBe(false);
    peer.end();
    expect([aborted(), peer.closed, counters.aborted]).toEqual([true, true, 1]);
    answer();
    await settled();
    expect([peer.take(), errors]).toEqual(['', []]);
  });

  test.each([
    ['one byte of the next request', 'G'],
    ['the next request', GET],
    ['much of the next one', `GET / HTTP/1.1\r\nX: ${'x'.repeat(8_000)}`],
  ])('is gone too where it has sent %s', (_, more) => {
    const { handler, aborted } = waiting();
    const { peer } = serveHandler(handler, {}, { halfClose: 'abort' });
    peer.send(GET + more);
    peer.end();
    expect([aborted(), peer.closed]).toEqual([true, true]);
  });

  test('gets it and the next one, whose end had come before; of one that is cut off the handler hears', async () => {
    const bodies: unknown[] = [];
    const { peer, errors } = serveHandler(async (request) => {
      if (request.method === 'GET') return new HttpResponse('late');
      bodies.push(await request.text().catch((error: unknown) => String(error)));
      return new HttpResponse('never');
    });
    peer.send(`${GET}${GET}POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc`);
    peer.end();
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ body: 'late' }, { body: 'late' }]);
    expect([bodies, peer.closed, errors]).toEqual([
      ['Error: the peer ended inside the content of its request'],
      true,
      [],
    ]);
  });

  test('and is in the middle of its next head, gets what it has asked for, and is not waited for', async () => {
    const { peer } = serveHandler(() => Promise.resolve(new HttpResponse('late')));
    peer.send(`${GET}GET / HTT`);
    peer.end();
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ body: 'late' }]);
    expect(peer.closed).toBe(true);
  });

  // At some of these lengths the rest of the content waits for the client to read, and its end is behind that.
  test.each([1, 4, 5, 6, 7, 8, 16])('and has sent %i chunks gets them back when it reads', async (chunks) => {
    const { peer } = serveHandler((request) => new HttpResponse(request.body));
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await settled();
    peer.reading = false;
    for (let sent = 0; sent < chunks; sent += 1) {
      peer.send(`1000\r\n${'x'.repeat(0x1000)}\r\n`);
      await settled();
    }
    peer.send('0\r\n\r\n');
    peer.end();
    await settled();
    expect(peer.closed).toBe(false);
    peer.reading = true;
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: 'x'.repeat(chunks * 0x1000) }]);
    expect(peer.closed).toBe(true);
  });

  test('ends a stream that is being sent, whose source is told', async () => {
    let cancelled: unknown;
    const { peer } = serveHandler(
      () =>
        new HttpResponse(
          new ReadableStream({
            start: (controller) => controller.enqueue(new Uint8Array([0x61])),
            cancel: (reason) => void (cancelled = reason),
          }),
        ),
      {},
      { halfClose: 'abort' },
    );
    peer.send(GET);
    await settled();
    peer.end();
    await settled();
    expect(peer.closed).toBe(true);
    expect(cancelled).toBeInstanceOf(Error);
  });

  test('changes nothing for a response that is complete', () => {
    const { peer } = serveHandler(() => new HttpResponse('at once'), {}, { halfClose: 'abort' });
    peer.send(GET + GET);
    peer.end();
    expect(readResponses(peer.take())).toHaveLength(2);
  });
});

test('a policy that is none is refused', () => {
  expect(() => createHttpServer(() => new HttpResponse(), { halfClose: 'close' as 'abort' })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', hint: 'known are answer, abort' }),
  );
});
