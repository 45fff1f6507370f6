// Responses to pipelined requests leave together, also where each is given a moment later.

import { describe, expect, test, vi } from 'vitest';
import { HttpResponse } from '../../src/fetch/response.ts';
import type { FetchHandler } from '../../src/handler.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const COUNT = 16;

/** How often the connection was written to, and what a client got. */
async function written(handler: FetchHandler): Promise<{ readonly writes: number; readonly bodies: string[] }> {
  const { connection, peer, errors } = serveHandler(handler);
  const send = vi.spyOn(connection, 'send');
  peer.send(GET.repeat(COUNT));
  await settled();
  expect(errors).toEqual([]);
  return { writes: send.mock.calls.length, bodies: readResponses(peer.take()).map(({ body }) => body) };
}

describe('sixteen pipelined requests are answered in order', () => {
  const inOrder = Array.from({ length: COUNT }, (_, index) => String(index));

  test.each<[string, () => FetchHandler]>([
    [
      'at once',
      () => {
        let next = 0;
        return () => new HttpResponse(String(next++));
      },
    ],
    [
      'after some settled promises',
      () => {
        let next = 0;
        return async () => {
          for (let turn = 0; turn < 5; turn += 1) await undefined;
          return new HttpResponse(String(next++));
        };
      },
    ],
  ])('%s, in one write', async (_, make) => {
    expect(await written(make())).toEqual({ writes: 1, bodies: inOrder });
  });

  test('after other events, each when it is there', async () => {
    let next = 0;
    let given: (() => void) | undefined;
    const { peer } = serveHandler(async () => {
      if (next > 0) await new Promise<void>((resolve) => (given = resolve));
      return new HttpResponse(String(next++));
    });
    peer.send(GET.repeat(3));
    const arrived: string[][] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      await settled();
      arrived.push(readResponses(peer.take()).map(({ body }) => body));
      given?.();
    }
    expect(arrived).toEqual([['0'], ['1'], ['2']]);
  });

  test('and one that fails is a 500 between the others', async () => {
    let next = 0;
    const { peer, errors } = serveHandler(async () => {
      await undefined;
      if (next++ === 1) throw new Error('the second');
      return new HttpResponse('x');
    });
    peer.send(GET.repeat(3));
    await settled();
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([200, 500, 200]);
    expect(errors).toHaveLength(1);
  });
});
