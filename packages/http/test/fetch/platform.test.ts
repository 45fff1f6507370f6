// Our Request and Headers beside the platform's: what a handler reads is the same, whatever it asks and in whatever
// order.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FetchHandler } from '../../src/handler.ts';
import { HttpResponse } from '../../src/fetch/response.ts';
import { serveHandler, settled } from '../serve.ts';

const characters = (text: string): string[] => Array.from(text);
const token = fc.string({ unit: fc.constantFrom(...characters('!#$%&*+-.^_|~09azAZ')), minLength: 1, maxLength: 8 });
const value = fc
  .string({ unit: fc.constantFrom(...characters('azAZ09 \t,;="/\x80\xff')), maxLength: 12 })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''))
  // The platform trims a list again each time that it is copied, and so loses the space after an empty member.
  .filter((text) => text !== '');
const RESERVED = new Set([
  'host',
  'expect',
  'connection',
  'content-type',
  'content-length',
  'transfer-encoding',
  'upgrade',
]);
const name = fc
  .oneof(
    token,
    fc.constantFrom(
      'Cookie',
      'cookie',
      'Set-Cookie',
      'set-cookie',
      'Accept',
      'ACCEPT',
      'X-A',
      'constructor',
      '__proto__',
      'get',
    ),
  )
  .filter((text) => !RESERVED.has(text.toLowerCase()));
const fields = fc.array(fc.tuple(name, value), { maxLength: 6 });

/** The request as a handler got it, and the same made by the platform. */
async function both(
  given: readonly (readonly [string, string])[],
  content: string | undefined,
  use: (ours: Request, theirs: Request) => Promise<void>,
): Promise<void> {
  const method = content === undefined ? 'GET' : 'POST';
  let failure: unknown = new Error('the handler was not called');
  const handler: FetchHandler = async (request) => {
    const headers = new Headers([
      ['host', 'a.example'],
      ...given.map(([key, text]): [string, string] => [key, text]),
      ...(content === undefined
        ? []
        : ([
            ['content-type', 'text/plain'],
            ['content-length', String(content.length)],
          ] as [string, string][])),
    ]);
    const theirs = new Request('http://a.example/x?y', {
      method,
      headers,
      ...(content !== undefined && { body: Buffer.from(content, 'latin1') }),
    });
    failure = await use(request, theirs).then(
      () => undefined,
      (error: unknown) => error,
    );
    return new HttpResponse('x');
  };
  const { peer } = serveHandler(handler);
  const lines = given.map(([key, text]) => `${key}: ${text}\r\n`).join('');
  peer.send(
    `${method} /x?y HTTP/1.1\r\nHost: a.example\r\n${lines}${content === undefined ? '' : `Content-Type: text/plain\r\nContent-Length: ${content.length}\r\n`}\r\n${content ?? ''}`,
  );
  await settled();
  if (failure !== undefined)
    throw failure instanceof Error ? failure : new Error('the handler failed', { cause: failure });
}

/** What a call gives, or the kind of its failure. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    const result = await call();
    if (result instanceof ArrayBuffer) return Buffer.from(result).toString('latin1');
    if (result instanceof Uint8Array) return Buffer.from(result).toString('latin1');
    return result instanceof Blob
      ? [result.size, result.type, Buffer.from(await result.arrayBuffer()).toString('latin1')]
      : result;
  } catch (error) {
    return error instanceof Error ? error.name : error;
  }
}

describe('headers', () => {
  const looks: Readonly<Record<string, (headers: Headers, key: string) => unknown>> = {
    get: (headers, key) => headers.get(key),
    'get in upper case': (headers, key) => headers.get(key.toUpperCase()),
    has: (headers, key) => headers.has(key),
    iteration: (headers) => [...headers],
    keys: (headers) => [...headers.keys()],
    values: (headers) => [...headers.values()],
    entries: (headers) => [...headers.entries()],
    forEach: (headers) => {
      const seen: [string, string][] = [];
      headers.forEach((text, key) => seen.push([key, text]));
      return seen;
    },
    getSetCookie: (headers) => headers.getSetCookie(),
    set: (headers, key) => {
      headers.set(key, 'new');
      return [...headers];
    },
    append: (headers, key) => {
      headers.append(key, 'more');
      return [...headers];
    },
    delete: (headers, key) => {
      headers.delete(key);
      return [...headers];
    },
    'a copy': (headers) => [...new Headers(headers)],
    'an object': (headers) => Object.fromEntries(headers),
    'a name that is none': (headers) => headers.get('a b'),
    'a name that is none, asked for': (headers) => headers.has(''),
    'a value that is none': (headers, key) => headers.set(key, 'a\nb'),
    JSON: (headers) => JSON.stringify(headers),
    'a tag': (headers) => Object.prototype.toString.call(headers),
  };
  const calls = fc.array(fc.tuple(fc.constantFrom(...Object.keys(looks)), fc.oneof(name, fc.constant('host'))), {
    minLength: 1,
    maxLength: 6,
  });

  test('say the same as the platform’s, whatever is asked of them', async () => {
    await fc.assert(
      fc.asyncProperty(fields, calls, async (given, asked) => {
        await both(given, undefined, async (ours, theirs) => {
          for (const [look, key] of asked) {
            const own = await outcome(() => looks[look]?.(ours.headers, key));
            expect([look, key, own]).toEqual([look, key, await outcome(() => looks[look]?.(theirs.headers, key))]);
          }
        });
      }),
    );
  });
});

describe('a request', () => {
  const looks: Readonly<Record<string, (request: Request) => unknown>> = {
    method: (request) => request.method,
    url: (request) => request.url,
    bodyUsed: (request) => request.bodyUsed,
    'whether it has a body': (request) => request.body !== null,
    'a tag': (request) => Object.prototype.toString.call(request),
    text: (request) => request.text(),
    json: (request) => request.json(),
    arrayBuffer: (request) => request.arrayBuffer(),
    blob: (request) => request.blob(),
    'the text of a clone': (request) => request.clone().text(),
    'the headers of a clone': (request) => [...request.clone().headers],
    'reading the stream': async (request) => {
      let text = '';
      for await (const chunk of request.body ?? []) text += Buffer.from(chunk as Uint8Array).toString('latin1');
      return text;
    },
    // Of two branches, as after a clone, the first to be cancelled waits for the other.
    'cancelling the stream': (request) => void request.body?.cancel().catch(() => undefined),
    'locking the stream': (request) => void request.body?.getReader(),
    signal: (request) => [request.signal instanceof AbortSignal, request.signal.aborted],
    'what only fetches use': ({
      cache,
      credentials,
      destination,
      integrity,
      keepalive,
      mode,
      redirect,
      referrer,
      referrerPolicy,
    }) => [cache, credentials, destination, integrity, keepalive, mode, redirect, referrer, referrerPolicy],
  };
  const contents = fc.oneof(
    fc.constant(undefined),
    fc.constantFrom('{"a":[1,"b"]}', '\xef\xbb\xbf{"a":1}', '{', 'a=1&b=2', '\xff\xfe\xe2\x82'),
    fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 }),
  );

  test('says the same as the platform’s, whatever is asked of it and in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fields,
        contents,
        fc.array(fc.constantFrom(...Object.keys(looks)), { minLength: 1, maxLength: 5 }),
        async (given, content, asked) => {
          await both(given, content, async (ours, theirs) => {
            for (const [index, look] of asked.entries()) {
              const own = await outcome(() => looks[look]?.(ours));
              expect([index, look, own]).toEqual([index, look, await outcome(() => looks[look]?.(theirs))]);
            }
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('platform code', () => {
  const withRequest = async (use: (request: Request) => Promise<unknown>): Promise<unknown> => {
    let result: unknown;
    const { peer } = serveHandler(async (request) => {
      result = await outcome(() => use(request));
      return new HttpResponse('x');
    });
    peer.send(
      'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\nX-A: b\r\n\r\na=1&b=2',
    );
    await settled();
    return result;
  };

  test('finds a Request and Headers', async () => {
    expect(
      await withRequest(async (request) => [request instanceof Request, request.headers instanceof Headers]),
    ).toEqual([true, true]);
  });

  test('takes a clone, and `new Request` also takes the parts', async () => {
    expect(
      await withRequest(async (request) => {
        const copy = new Request(request.clone());
        return [copy.method, copy.url, copy.headers.get('x-a'), await copy.text()];
      }),
    ).toEqual(['POST', 'http://a.example/x', 'b', 'a=1&b=2']);
    expect(
      await withRequest(async (request) => {
        const copy = new Request(request.url, {
          method: request.method,
          headers: request.headers,
          body: request.body,
          duplex: 'half',
        });
        return [copy.headers.get('x-a'), await copy.text()];
      }),
    ).toEqual(['b', 'a=1&b=2']);
  });

  // It reads slots that only its own objects have: the README says to give it a clone.
  test('that is given the request itself throws a TypeError', async () => {
    expect(await withRequest(async (request) => new Request(request))).toBe('TypeError');
  });

  test('reads forms', async () => {
    expect(
      await withRequest(async (request) => {
        const form: { formData(): Promise<FormData> } = request;
        return [...(await form.formData())];
      }),
    ).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  test('says that the content was read, and a second read rejects with a TypeError', async () => {
    expect(
      await withRequest(async (request) => {
        const before = request.bodyUsed;
        await request.text();
        return [
          before,
          request.bodyUsed,
          await outcome(() => request.text()),
          await outcome(() => request.json()),
          await outcome(() => request.clone()),
        ];
      }),
    ).toEqual([false, true, 'TypeError', 'TypeError', 'TypeError']);
  });
});

describe('a response of ours', () => {
  const looks: Readonly<Record<string, (response: Response) => unknown>> = {
    'what it says': ({ status, statusText, ok, type, url, redirected }) => [
      status,
      statusText,
      ok,
      type,
      url,
      redirected,
    ],
    headers: (response) => [...response.headers],
    'setting a header': (response) => response.headers.set('X-Set', '1'),
    bodyUsed: (response) => response.bodyUsed,
    'whether it has a body': (response) => response.body !== null,
    'a tag': (response) => Object.prototype.toString.call(response),
    'its kind': (response) => response instanceof Response,
    text: (response) => response.text(),
    json: (response) => response.json(),
    arrayBuffer: (response) => response.arrayBuffer(),
    blob: (response) => response.blob(),
    'the text of a clone': (response) => response.clone().text(),
    'the headers of a clone': (response) => [...response.clone().headers],
    'reading the stream': async (response) => {
      let text = '';
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString('latin1');
      return text;
    },
    'locking the stream': (response) => void response.body?.getReader(),
    'a copy': async (response) => {
      const copy = new Response(response.body, response);
      return [copy.status, [...copy.headers], await copy.text()];
    },
  };
  const contents = fc.oneof(fc.constantFrom(null, undefined, '', '{"a":1}', 'Grüße'), fc.uint8Array({ maxLength: 8 }));
  const inits = fc.record(
    {
      status: fc.constantFrom(200, 201, 404, 500),
      statusText: fc.constantFrom('', 'Fine'),
      headers: fc.oneof(
        fc.constant(undefined),
        fields,
        fields.map((given) => new Headers(given.map(([key, text]): [string, string] => [key, text]))),
      ),
    },
    { requiredKeys: [] },
  );

  test('says the same as the platform’s, whatever is asked of it and in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(
        contents,
        fc.option(inits, { nil: undefined }),
        fc.array(fc.constantFrom(...Object.keys(looks)), { minLength: 1, maxLength: 5 }),
        async (content, init, asked) => {
          const seen: unknown = new HttpResponse(content, init);
          const ours = seen as Response;
          const theirs = new Response(content, init as ResponseInit | undefined);
          for (const [index, look] of asked.entries()) {
            const own = await outcome(() => looks[look]?.(ours));
            expect([index, look, own]).toEqual([index, look, await outcome(() => looks[look]?.(theirs))]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
