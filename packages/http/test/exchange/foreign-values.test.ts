// Objects of a handler that throw when they are touched, and access logs that fail: neither may cost more than the
// response it was for, or the entry.

import { describe, expect, onTestFinished, test } from 'vitest';
import type { Logger } from '@wellknown/core';
import type { FetchHandler } from '../../src/handler.ts';
import { HttpResponse } from '../../src/fetch/response.ts';
import { serveHttp2 } from '../http2/memory-http2.ts';
import { get, isEndOf } from '../http2/raw-http2.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const MAX_TRAPS = 1_000;

/** Rejections that nobody took: each would end the process. */
function unhandled(): unknown[] {
  const errors: unknown[] = [];
  const note = (error: unknown): void => void errors.push(error);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  return errors;
}

interface Mine {
  /** Traps so far. */
  count: number;
}

/**
 * The same object with everything that comes out of it behind proxies; the trap with number `failsAt` throws. Methods
 * are called on the objects behind the proxies, as the platform's ask for.
 */
function mined(target: object, failsAt: number, mine: Mine): object {
  const targets = new WeakMap<object, object>();
  const wrap = (value: unknown): unknown => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
    if (value instanceof Uint8Array || value instanceof Promise) return value;
    const proxy = new Proxy(value, handler);
    targets.set(proxy, value);
    return proxy;
  };
  const step = (): void => {
    mine.count += 1;
    if (mine.count === failsAt) throw new Error('a mine');
  };
  const handler: ProxyHandler<object> = {
    get(object, name) {
      step();
      return wrap(Reflect.get(object, name));
    },
    has(object, name) {
      step();
      return Reflect.has(object, name);
    },
    getPrototypeOf(object) {
      step();
      return Reflect.getPrototypeOf(object);
    },
    ownKeys(object) {
      step();
      return Reflect.ownKeys(object);
    },
    getOwnPropertyDescriptor(object, name) {
      step();
      return Reflect.getOwnPropertyDescriptor(object, name);
    },
    apply(object, self: unknown, values: unknown[]) {
      step();
      const owner = typeof self === 'object' && self !== null ? (targets.get(self) ?? self) : self;
      return wrap(Reflect.apply(object as (...given: unknown[]) => unknown, owner, values));
    },
  };
  return wrap(target) as object;
}

const bytes = (): Uint8Array => Buffer.from('Hello');
const stream = (): ReadableStream =>
  new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setImmediate(resolve));
      controller.enqueue(bytes());
      controller.close();
    },
  });
/** What is no Response and looks like one, as those of other libraries. */
const likeness = (body: ReadableStream | null): object => ({
  status: 200,
  statusText: 'Fine',
  headers: new Headers({ A: 'b' }),
  bodyUsed: false,
  body,
  // Of its own: that of a Buffer is the pool's, more than a window of HTTP/2 on some versions of Node.
  arrayBuffer: () => Promise.resolve(Uint8Array.from(bytes()).buffer),
});

const SHAPES: readonly (readonly [string, () => object])[] = [
  ['a likeness without content', () => likeness(null)],
  ['a likeness with a stream', () => likeness(stream())],
  ['a likeness whose content is asked for', () => ({ ...likeness(null), body: {} })],
  ['a promise of its own', () => ({ then: (resolve: (value: unknown) => void) => resolve(new HttpResponse('Hello')) })],
];

describe.each(SHAPES)('%s that throws when it is touched for the n-th time, for every n', (_, make) => {
  test.each([
    ['at once', (given: object) => given],
    ['later', (given: object) => new Promise((resolve) => setImmediate(() => resolve(given)))],
  ])('given %s: 500 or an end that nobody takes for complete, and no more', async (_when, give) => {
    const rejections = unhandled();
    const seen = new Set<string>();
    let mine: Mine = { count: 0 };
    for (let failsAt = 1; failsAt <= mine.count + 1; failsAt += 1) {
      const now: Mine = { count: 0 };
      mine = now;
      let isFirst = true;
      const { peer, errors, connection } = serveHandler(() => {
        if (!isFirst) return new HttpResponse('next');
        isFirst = false;
        return give(mined(make(), failsAt, now)) as Response;
      });
      peer.send(GET);
      await settled();
      const outcome = peer.closed ? `cut: ${connection.reason}` : String(readResponses(peer.take())[0]?.status);
      seen.add(outcome);
      expect(['200', '500', 'cut: handler-failed']).toContain(outcome);
      expect(errors).toHaveLength(outcome === '200' ? 0 : 1);
      if (!peer.closed) peer.send(GET);
      await settled();
      expect(peer.closed ? undefined : readResponses(peer.take())[0]?.body).toBe(peer.closed ? undefined : 'next');
    }
    // It was tried with a fault and without.
    expect([...seen]).toEqual(expect.arrayContaining(['200', '500']));
    expect(rejections).toEqual([]);
  });

  test('over HTTP/2: the stream ends, with 500 or reset, and the session goes on', async () => {
    const rejections = unhandled();
    let mine: Mine = { count: 0 };
    let failsAt = 0;
    const client = await serveHttp2(() => mined(make(), failsAt, mine) as Response);
    let streamId = -1;
    do {
      failsAt += 1;
      streamId += 2;
      mine = { count: 0 };
      const id = streamId;
      client.send(get(id));
      await client.until((sent) => isEndOf(id)(sent) || (sent.streamId === id && sent.type === 3));
    } while (mine.count >= failsAt && failsAt < MAX_TRAPS);
    expect(failsAt).toBeGreaterThan(1);
    expect(failsAt).toBeLessThan(MAX_TRAPS);
    expect(client.peer.sawEnd).toBe(false);
    expect(rejections).toEqual([]);
  });
});

describe('what a handler throws', () => {
  test.each<[string, unknown]>([
    ['an object without a prototype', Object.create(null)],
    ['nothing', undefined],
    ['a symbol', Symbol('x')],
  ])('may be %s', async (_, thrown) => {
    const failing: FetchHandler = () =>
      new HttpResponse(
        new ReadableStream({
          start: (controller) => controller.error(thrown),
        }),
      );
    const { peer } = serveHandler(failing);
    peer.send(GET);
    await settled();
    expect(readResponses(peer.take())).toMatchObject([{ status: 500 }]);
  });
});

describe('an access log that fails', () => {
  const LOGS: readonly (readonly [string, () => unknown])[] = [
    [
      'throws',
      () => {
        throw new Error('the disk is full');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('the disk is full'))],
  ];
  const LINE = 'the access log failed: requests are missing from it; this is said once: Error: the disk is full';

  test.each(LOGS)('because it %s costs one line of the log, and every request is answered', async (_, accessLog) => {
    const rejections = unhandled();
    const { peer, errors } = serveHandler(
      (request) => (request.method === 'GET' ? new HttpResponse('x') : Promise.resolve(new HttpResponse('y'))),
      { maxBodyBytes: 1 },
      { accessLog },
    );
    peer.send(GET + GET);
    peer.send(GET.replace('GET', 'DELETE'));
    await settled();
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n');
    await settled();
    expect(readResponses(peer.take()).map(({ status }) => status)).toEqual([200, 200, 200, 413]);
    expect(errors).toEqual([LINE]);
    expect(rejections).toEqual([]);
  });

  test.each(LOGS)('because it %s costs no upgraded connection', async (_, accessLog) => {
    const { peer, errors } = serveHandler(
      (_request, context) => {
        const { stream: upgraded, response } = context.upgrade();
        upgraded.write('mine');
        return response;
      },
      {},
      { accessLog },
    );
    peer.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    await settled();
    expect(peer.take()).toBe('mine');
    expect(errors).toEqual([LINE]);
  });

  test.each(LOGS)('because it %s costs no connection that breaks anything more', async (_, accessLog) => {
    const { peer, errors } = serveHandler(() => new Promise(() => undefined), {}, { accessLog });
    peer.send(GET);
    peer.reset();
    await settled();
    expect(errors).toEqual([LINE]);
  });

  test.each(LOGS)('because it %s costs no session of HTTP/2', async (_, accessLog) => {
    const rejections = unhandled();
    const lines: string[] = [];
    const nothing = (): void => undefined;
    const log: Logger = {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: (_fields, line) => void lines.push(line),
    };
    const client = await serveHttp2(() => new HttpResponse('x'), {}, { accessLog, log });
    client.send(get(1), get(3));
    await client.until(isEndOf(1));
    await client.until(isEndOf(3));
    expect(lines).toEqual(['the access log failed: requests are missing from it; this is said once']);
    expect(rejections).toEqual([]);
  });
});
