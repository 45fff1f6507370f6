import { describe, expect, test } from 'vitest';
import { HttpResponse } from '../../src/fetch/response.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const hello = (): HttpResponse => new HttpResponse('Hello');

describe('deadlines', () => {
  test('a connection that says nothing is closed in silence', () => {
    const { peer, clock } = serveHandler(hello);
    clock.advance(19_000);
    expect(peer.sawEnd).toBe(false);
    clock.advance(2_000);
    expect([peer.take(), peer.sawEnd]).toEqual(['', true]);
  });

  test('a head that trickles in is answered with 408, whatever its pace', () => {
    const { peer, clock } = serveHandler(hello);
    for (let second = 0; second < 22; second += 1) {
      peer.send('GET / HTTP/1.1\r\nHost: aaaaaaaaaaa'.slice(second, second + 1));
      clock.advance(1_000);
    }
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([408]);
    expect(peer.sawEnd).toBe(true);
  });

  test('the second head has its own time', () => {
    const { peer, clock } = serveHandler(hello);
    peer.send(GET);
    peer.take();
    clock.advance(30_000);
    peer.send('GET /');
    clock.advance(19_000);
    expect(peer.sawEnd).toBe(false);
    clock.advance(2_000);
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([408]);
  });

  test('an idle connection is closed in silence after the keep-alive time, counted from the last response', () => {
    const { peer, clock } = serveHandler(hello);
    peer.send(GET);
    clock.advance(70_000);
    peer.send(GET);
    peer.take();
    clock.advance(74_000);
    expect(peer.sawEnd).toBe(false);
    clock.advance(2_000);
    expect([peer.take(), peer.sawEnd]).toEqual(['', true]);
  });

  test('content that comes slower than the minimum rate is given up with 408', async () => {
    const { peer, clock } = serveHandler(async (request) => new HttpResponse(await request.text()));
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
    for (let second = 0; second < 19; second += 1) {
      peer.send('x'.repeat(300));
      clock.advance(1_000);
    }
    clock.advance(2_000);
    expect(peer.take()).toBe('');
    for (let second = 0; second < 21; second += 1) {
      peer.send('x');
      clock.advance(1_000);
    }
    await settled();
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([408]);
  });

  test('a handler may take its time', async () => {
    let received: ((response: HttpResponse) => void) | undefined;
    const { peer, clock } = serveHandler(() => new Promise((resolve) => (received = resolve)));
    peer.send(GET);
    clock.advance(200_000);
    received?.(hello());
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200 }]);
  });
});
