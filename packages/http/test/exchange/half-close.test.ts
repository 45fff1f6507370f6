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
