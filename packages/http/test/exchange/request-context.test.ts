import { describe, expect, test } from 'vitest';
import type { AccessEntry } from '../../src/access-log/access-entry.ts';
import type { RequestContext, UpgradedConnection } from '../../src/handler.ts';
import { HttpResponse } from '../../src/fetch/response.ts';
import { octets } from '../http1/parse-all.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPGRADE = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\n';

describe('early hints (RFC 8297)', () => {
  const hinting = (_: Request, context: RequestContext): Promise<HttpResponse> => {
    context.earlyHints({ Link: '</a.css>; rel=preload' });
    return Promise.resolve(new HttpResponse('x'));
  };

  test('go out before the response is there', async () => {
    const { peer } = serveHandler(hinting);
    peer.send(GET);
    expect(peer.take()).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n');
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 200, body: 'x' }]);
  });

  test('are not sent to HTTP/1.0, nor after the response', async () => {
    let late: RequestContext | undefined;
    const { peer } = serveHandler((request, context) => {
      late = context;
      return hinting(request, context);
    });
    peer.send('GET / HTTP/1.0\r\n\r\n');
    await settled();
    expect(peer.take()).toMatch(/^HTTP\/1\.1 200/);
    late?.earlyHints({ Link: 'x' });
    expect(peer.take()).toBe('');
  });

  test('leave out what is about one connection, as responses do', async () => {
    const { peer } = serveHandler((_, context) => {
      context.earlyHints({ Link: 'x', Connection: 'close', 'Transfer-Encoding': 'chunked', 'Keep-Alive': '1' });
      return hinting(_, context);
    });
    peer.send(GET);
    expect(peer.take()).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/);
    await settled();
  });

  test('can’t break the framing', async () => {
    const { peer, errors } = serveHandler((_, context) => {
      context.earlyHints({ Link: 'x\r\n\r\nHTTP/1.1 200 OK' });
      return new HttpResponse('x');
    });
    peer.send(GET);
    expect(readResponses(peer.take())).toMatchObject([{ status: 500 }]);
    expect(errors).toHaveLength(1);
  });
});

describe('a connection that is taken over', () => {
  const echo = (request: Request, context: RequestContext): Response => {
    if (request.headers.get('upgrade') !== 'echo') return new Response('plain');
    const { stream, response } = context.upgrade();
    stream.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    stream.pipe(stream);
    return response;
  };

  test('gives its bytes to the handler, also those that came with the request', async () => {
    const { peer, errors } = serveHandler(echo);
    peer.send(`${UPGRADE}first `);
    await settled();
    peer.send('second');
    await settled();
    expect(peer.take()).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst second',
    );
    peer.end();
    await settled();
    expect(peer.closed).toBe(true);
    expect(errors).toEqual([]);
  });

  test('after earlier requests: what was answered before is sent first', async () => {
    const { peer } = serveHandler(echo);
    peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ body: 'plain' }]);
    peer.send(UPGRADE);
    await settled();
    expect(peer.take()).toMatch(/^HTTP\/1\.1 101/);
  });

  test('ends when the handler destroys its stream, and the stream ends when the peer is gone', async () => {
    const ends: string[] = [];
    const { peer } = serveHandler((_, context) => {
      const { stream, response } = context.upgrade();
      stream.on('close', () => ends.push('close'));
      stream.on('error', () => ends.push('error'));
      stream.resume();
      return response;
    });
    peer.send(UPGRADE);
    await settled();
    peer.reset();
    await settled();
    expect(ends).toContain('close');
  });

  type Careless = (taken: UpgradedConnection) => unknown;
  const boom = (): never => {
    throw new Error('boom');
  };
  // An async listener, as code that is not checked has it.
  const rejecting = (() => Promise.reject(new Error('boom'))) as () => unknown;
  test.each<readonly [what: string, careless: Careless, event: 'send' | 'end' | 'reset', logged: readonly string[]]>([
    ['hears of no error', () => undefined, 'reset', []],
    ['reads, and hears of no error', ({ stream }) => stream.resume(), 'reset', []],
    ['writes to a peer that is gone', ({ stream }) => stream.on('close', () => stream.write('x')), 'reset', []],
    ['ends twice and writes after it', ({ stream }) => stream.end().end().write('x'), 'reset', []],
    ['throws when bytes come', ({ stream }) => stream.on('data', boom), 'send', ['boom']],
    ['throws when they end', ({ stream }) => stream.resume().on('end', boom), 'end', ['boom']],
    ['throws when it is over', ({ stream }) => stream.on('close', boom), 'reset', ['boom']],
    ['throws when it hears of an error', ({ stream }) => stream.on('error', boom), 'reset', ['boom']],
    ['rejects when bytes come', ({ stream }) => stream.on('data', rejecting), 'send', ['boom']],
    ['destroys it with an error', ({ stream }) => stream.destroy(new Error('boom')), 'send', []],
    ['throws after it took the connection', boom, 'send', ['boom']],
    ['rejects after it took the connection', () => Promise.reject(new Error('boom')), 'send', ['boom']],
  ])('by a handler that %s ends by itself alone', async (_what, careless, event, logged) => {
    const { peer, errors } = serveHandler(async (_request, context) => {
      const taken = context.upgrade();
      await careless(taken);
      return taken.response;
    });
    peer.send(UPGRADE);
    await settled();
    if (event === 'send') peer.send('bytes');
    else peer[event]();
    await settled();
    expect(peer.closed).toBe(true);
    expect(errors.map((line) => /Error: (.*)/.exec(line)?.[1])).toEqual(logged);
  });

  test('gives libraries every field of the request, whatever it is called', async () => {
    let headers: NodeJS.Dict<string | string[]> = {};
    const { peer } = serveHandler((_, context) => {
      const { incoming, response } = context.upgrade();
      ({ headers } = incoming);
      return response;
    });
    peer.send(UPGRADE.replace('\r\n\r\n', '\r\n__proto__: a\r\nconstructor: b\r\nconstructor: c\r\n\r\n'));
    await settled();
    expect(Object.entries(headers)).toEqual(
      expect.arrayContaining([
        ['__proto__', 'a'],
        ['constructor', 'b, c'],
      ]),
    );
  });

  test('back-pressure reaches the peer: a stream that is not read is not filled', async () => {
    const { peer, connection } = serveHandler((_, context) => context.upgrade().response);
    peer.send(UPGRADE);
    for (let chunk = 0; chunk < 100; chunk += 1) peer.send(new Uint8Array(10_000));
    await settled();
    expect(connection.receivedBytes).toBeLessThan(200_000);
  });

  test.each([
    ['that asks for none', GET],
    ['of HTTP/1.0 (RFC 9110 §7.8)', 'GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n'],
    ['whose Upgrade is not named by Connection', 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n'],
    [
      'whose content has not come',
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\nContent-Length: 1\r\n\r\n',
    ],
  ])('not for a request %s', (_, request) => {
    const { peer, errors } = serveHandler((_request, context) => context.upgrade().response);
    peer.send(request);
    expect(peer.take()).toMatch(/^HTTP\/1\.1 500/);
    expect(errors).toHaveLength(1);
  });

  test('an Upgrade that the handler ignores is an ordinary request', () => {
    const { peer } = serveHandler(() => new HttpResponse('x'));
    peer.send(UPGRADE + GET);
    expect(readResponses(peer.take())).toHaveLength(2);
  });
});

describe('trailers of a response (RFC 9112 §7.1.2)', () => {
  const streaming =
    (trailers: Record<string, string>) =>
    (_: Request, context: RequestContext): HttpResponse => {
      context.setTrailers(() => trailers);
      return new HttpResponse(
        new ReadableStream({
          start(controller) {
            controller.enqueue(octets('abc'));
            controller.close();
          },
        }),
      );
    };

  test('follow the last chunk', async () => {
    const { peer } = serveHandler(streaming({ Digest: 'x' }));
    peer.send(GET);
    await settled();
    expect(peer.take()).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nDigest: x\r\n\r\n$/);
  });

  test.each([{ 'Content-Length': '3' }, { a: 'b\r\nc: d' }])(
    '%j breaks the response instead of the framing',
    async (trailers) => {
      const { peer, errors } = serveHandler(streaming(trailers));
      peer.send(GET);
      await settled();
      expect(peer.take()).not.toMatch(/0\r\n/);
      expect(errors).toHaveLength(1);
      expect(peer.closed).toBe(true);
    },
  );

  test('HTTP/1.0 gets the content without them', async () => {
    const { peer } = serveHandler(streaming({ Digest: 'x' }));
    peer.send('GET / HTTP/1.0\r\n\r\n');
    await settled();
    expect(peer.take()).toMatch(/\r\n\r\nabc$/);
  });
});

test('what a context does can be taken out of it, and trailers may be there already', async () => {
  const { peer, errors } = serveHandler((_, { earlyHints, setTrailers, trailers, upgrade, waitUntil, requestId }) => {
    earlyHints({ Link: '</a.css>' });
    setTrailers({ Digest: 'x' });
    waitUntil(Promise.resolve());
    expect([trailers(), typeof requestId]).toEqual([undefined, 'string']);
    expect(upgrade).toThrow(TypeError);
    return new HttpResponse(ReadableStream.from([octets('abc')]));
  });
  peer.send(GET);
  await settled();
  expect(errors).toEqual([]);
  expect(peer.take()).toMatch(/^HTTP\/1.1 103 [^]*\r\n\r\n3\r\nabc\r\n0\r\nDigest: x\r\n\r\n$/);
});

test('work after the response that fails is logged with its request', async () => {
  const { peer, errors } = serveHandler((_, context) => {
    context.waitUntil(Promise.reject(new Error('late')));
    return new HttpResponse('x');
  });
  peer.send(GET);
  await settled();
  expect(readResponses(peer.take())).toMatchObject([{ status: 200 }]);
  expect(errors).toEqual(['work after a response failed: Error: late']);
});

describe('the access log', () => {
  const logged = async (
    request: string,
    handler = (): Response | Promise<Response> => new Response('abc'),
  ): Promise<AccessEntry[]> => {
    const entries: AccessEntry[] = [];
    const { peer } = serveHandler(handler, {}, { accessLog: (entry) => entries.push(entry) });
    peer.send(request);
    await settled();
    if (entries.length === 0) peer.reset();
    return entries;
  };

  test('has one entry for each exchange', async () => {
    expect(await logged('GET /p?q HTTP/1.1\r\nHost: a\r\nReferer: r\r\nUser-Agent: u\r\n\r\n' + GET)).toMatchObject([
      {
        client: '192.0.2.1',
        method: 'GET',
        target: '/p?q',
        httpVersion: '1.1',
        status: 200,
        contentBytes: 3,
        referer: 'r',
        userAgent: 'u',
      },
      { target: '/' },
    ]);
  });

  test.each([
    ['a text of ours', (): Response => new HttpResponse('é') as unknown as Response, 2],
    ['bytes', (): Response => new HttpResponse(new Uint8Array(100_000)) as unknown as Response, 100_000],
    ['a stream', (): Response => new Response(new Uint8Array(5_000)), 5_000],
    ['nothing', (): Response => new HttpResponse(null) as unknown as Response, 0],
  ])('counts the content of %s', async (_, handler, contentBytes) => {
    expect(await logged(GET, handler)).toMatchObject([{ status: 200, contentBytes }]);
  });

  test('a client that left before its response is a 499', async () => {
    expect(await logged(GET, () => new Promise<Response>(() => undefined))).toMatchObject([
      { status: 499, contentBytes: 0 },
    ]);
  });

  test('a request whose content was refused has the status of the refusal', async () => {
    expect(
      await logged(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx',
        () => new Promise<Response>(() => undefined),
      ),
    ).toMatchObject([{ status: 400 }]);
  });
});

test('what happens is counted, without names of paths', async () => {
  const { peer, counters } = serveHandler(
    (request) => new HttpResponse('x', { status: request.url.endsWith('/missing') ? 404 : 200 }),
  );
  peer.send(GET + 'GET /missing HTTP/1.1\r\nHost: a\r\n\r\n' + 'GET\r\n\r\n');
  expect(counters).toMatchObject({ requests: 2, responses2xx: 1, responses4xx: 2, refusals: 1, responses5xx: 0 });
});
