// Applications written for other servers run unchanged: they see requests and give responses, nothing of this package.

import { H3 } from 'h3';
import { Hono } from 'hono';
import { streamText } from 'hono/streaming';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { putBackGlobals, replaceGlobals } from '../../src/fetch/replace-globals.ts';
import type { FetchHandler } from '../../src/handler.ts';
import { readResponses, serveHandler, settled, type ReadResponse } from '../serve.ts';

async function ask(handler: FetchHandler, request: string): Promise<ReadResponse> {
  const { peer, errors } = serveHandler(handler);
  peer.send(request);
  for (let turn = 0; turn < 3; turn += 1) await settled();
  expect(errors).toEqual([]);
  const [response] = readResponses(peer.take());
  if (response === undefined) throw new Error('no response');
  return response;
}
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-In: in\r\n\r\n`;
const post = (path: string, type: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe.each(['the platform’s classes', 'ours in their place'])('with %s', (classes) => {
  beforeAll(() => {
    if (classes === 'ours in their place') replaceGlobals();
  });
  afterAll(putBackGlobals);

  describe('Hono', () => {
    const app = new Hono();
    app.use(async (context, next) => {
      await next();
      context.header('X-Out', context.req.header('x-in') ?? 'none');
    });
    app.get('/users/:id', (context) => context.json({ id: context.req.param('id'), q: context.req.query('q') }));
    app.post('/json', async (context) => context.json(await context.req.json()));
    app.post('/form', async (context) => context.text(JSON.stringify((await context.req.formData()).get('a'))));
    app.get('/stream', (context) =>
      streamText(context, async (stream) => {
        await stream.write('one ');
        await stream.sleep(1);
        await stream.write('two');
      }),
    );
    app.get('/cookies', (context) => {
      context.header('Set-Cookie', 'a=1');
      context.header('Set-Cookie', 'b=2', { append: true });
      return context.body(null, 204);
    });
    app.get('/fails', () => {
      throw new Error('sesame');
    });
    const handler: FetchHandler = (request) => app.fetch(request);

    test('routes, parameters, queries and headers', async () => {
      const { status, body, headers } = await ask(handler, get('/users/7?q=x'));
      expect([status, JSON.parse(body), headers.get('x-out'), headers.get('content-type')]).toEqual([
        200,
        { id: '7', q: 'x' },
        'in',
        'application/json',
      ]);
      expect((await ask(handler, get('/nothing'))).status).toBe(404);
    });

    test('a response in one piece has a length and no chunks', async () => {
      const { headers } = await ask(handler, get('/users/7'));
      expect([headers.get('content-length'), headers.get('transfer-encoding')]).toEqual(['10', null]);
    });

    test('content as JSON and as a form', async () => {
      expect((await ask(handler, post('/json', 'application/json', '{"a":[1]}'))).body).toBe('{"a":[1]}');
      expect((await ask(handler, post('/form', 'application/x-www-form-urlencoded', 'a=b%20c'))).body).toBe('"b c"');
      const multipart = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n--x--\r\n';
      expect((await ask(handler, post('/form', 'multipart/form-data; boundary=x', multipart))).body).toBe('"value"');
    });

    test('streams', async () => {
      const { peer } = serveHandler(handler);
      peer.send(get('/stream'));
      let text = '';
      for (const until = Date.now() + 5_000; Date.now() < until && !text.endsWith('0\r\n\r\n');) {
        await settled();
        text += peer.take();
      }
      expect(readResponses(text)).toMatchObject([{ status: 200, body: 'one two' }]);
    });

    test('several cookies', async () => {
      const { headers } = await ask(handler, get('/cookies'));
      expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    });
  });

  test('an h3 application: routes, JSON both ways, redirects', async () => {
    const app = new H3();
    app.get('/hello/:name', (event) => ({ hello: event.context.params?.name, agent: event.req.headers.get('x-in') }));
    app.post('/echo', (event) => event.req.json());
    const handler: FetchHandler = (request) => app.fetch(request);
    expect(JSON.parse((await ask(handler, get('/hello/h3'))).body)).toEqual({ hello: 'h3', agent: 'in' });
    expect((await ask(handler, post('/echo', 'application/json', '{"b":2}'))).body.replaceAll(/\s/g, '')).toBe(
      '{"b":2}',
    );
  });

  test('an h3 application: every kind of answer, with its length where it is known', async () => {
    const app = new H3();
    const kept = new Response('kept', {
      status: 203,
      headers: [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ],
    });
    app.get('/text', (event) => {
      event.res.status = 202;
      event.res.headers.append('X-A', '1');
      return 'téxt';
    });
    app.get('/bytes', () => new Uint8Array([104, 105]));
    app.get('/nothing', () => null);
    app.get('/stream', () => new Response(new Response('streamed').body));
    app.get('/response', () => kept.clone());
    const handler: FetchHandler = (request) => app.fetch(request);
    const answers = await Promise.all(
      ['text', 'bytes', 'nothing', 'stream', 'response', 'missing'].map((path) => ask(handler, get(`/${path}`))),
    );
    expect(
      answers.map(({ status, body, headers }) => [status, body.slice(0, 9), headers.get('content-length')]),
    ).toEqual([
      [202, 't\xc3\xa9xt', '5'],
      [200, 'hi', '2'],
      [200, '', '0'],
      [200, 'streamed', '8'],
      [203, 'kept', '4'],
      [404, '{"status"', expect.any(String)],
    ]);
    expect([answers[0]?.headers.get('x-a'), answers[4]?.headers.getSetCookie()]).toEqual(['1', ['a=1', 'b=2']]);
  });

  test('an itty-router application: routes, parameters, JSON', async () => {
    // Its package tells TypeScript nothing under Node's rules for modules.
    const itty: unknown = await import('itty-router');
    const router = (
      itty as {
        AutoRouter(): Record<
          'get' | 'post',
          (path: string, answer: (request: Request & { params: { id: string } }) => unknown) => void
        > & { fetch(request: Request): Promise<Response> };
      }
    ).AutoRouter();
    router.get('/items/:id', ({ params }) => ({ id: params.id }));
    router.post('/echo', (request) => request.json());
    const handler: FetchHandler = (request) => router.fetch(request);
    expect((await ask(handler, get('/items/5'))).body).toBe('{"id":"5"}');
    expect((await ask(handler, post('/echo', 'application/json', '{"c":3}'))).body).toBe('{"c":3}');
    expect((await ask(handler, get('/nothing'))).status).toBe(404);
  });
});
