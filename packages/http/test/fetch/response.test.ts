// Our Response and Headers beside the platform's: whatever they are made of and whatever is asked of them, in whatever
// order, both say and throw the same.

import fc from 'fast-check';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { HttpHeaders } from '../../src/fetch/headers.ts';
import { platform } from '../../src/fetch/platform.ts';
import { HttpResponse } from '../../src/fetch/response.ts';

const { Headers: NativeHeaders, Response: NativeResponse } = platform();

/** What a call gives, or the kind of its failure. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    const result = await call();
    if (result instanceof ArrayBuffer || result instanceof Uint8Array)
      return Buffer.from(result as Uint8Array).toString('latin1');
    return result instanceof Blob
      ? [result.size, result.type, Buffer.from(await result.arrayBuffer()).toString('latin1')]
      : result;
  } catch (error) {
    return error instanceof Error ? error.name : error;
  }
}

const OurResponse = HttpResponse as unknown as typeof Response;
const OurHeaders = HttpHeaders as unknown as typeof Headers;

const characters = (text: string): string[] => Array.from(text);
const token = fc.string({ unit: fc.constantFrom(...characters('!#$%&*+-.^_`|~09azAZ')), minLength: 1, maxLength: 8 });
const value = fc
  .string({ unit: fc.constantFrom(...characters('azAZ09 \t,;="/\x80\xff')), maxLength: 12 })
  // The platform trims a list again each time that it is copied, and so loses the space after an empty member.
  .filter((text) => text.trim() !== '' && !text.trim().endsWith(','));
const name = fc.oneof(
  token,
  fc.constantFrom('Set-Cookie', 'set-cookie', 'Cookie', 'Content-Type', 'content-type', 'X-A', 'constructor'),
);
const pairs = fc.array(fc.tuple(name, value), { maxLength: 4 });
const odd = fc.constantFrom<() => unknown>(
  () => [['a b', 'c']],
  () => [['a', 'b\nc']],
  () => [['a', ' b\r\n']],
  () => ({ a: 'ü\u0100' }),
  () => ({ 'a b': '1' }),
  () => [['a']],
  () => ['ab'],
  () => ({ n: 5 }),
  () => ({ a: undefined }),
  () => 'text',
  () => 7,
  () => null,
  () => new Map([['m', '1']]),
  () => new NativeHeaders({ a: '1' }),
  () => new HttpHeaders({ a: '1' }),
);
/** Made afresh for each of the two: what is given may be used up. */
const headersInit: fc.Arbitrary<() => unknown> = fc.oneof(
  { weight: 3, arbitrary: pairs.map((given) => () => given) },
  { weight: 3, arbitrary: pairs.map((given) => () => Object.fromEntries(given)) },
  pairs.map((given) => () => new NativeHeaders(given)),
  odd,
);

describe('headers', () => {
  type Look = (headers: Headers, key: string, text: string) => unknown;
  const looks: Readonly<Record<string, Look>> = {
    get: (headers, key) => headers.get(key),
    'get in upper case': (headers, key) => headers.get(key.toUpperCase()),
    has: (headers, key) => headers.has(key),
    iteration: (headers) => [...headers],
    keys: (headers) => [...headers.keys()],
    values: (headers) => [...headers.values()],
    entries: (headers) => [...headers.entries()],
    forEach: (headers) => {
      const seen: unknown[] = [];
      headers.forEach((text, key, parent) => seen.push([key, text, parent === headers]));
      return seen;
    },
    'forEach without a function': (headers) => headers.forEach('x' as never),
    cookies: (headers) => headers.getSetCookie(),
    set: (headers, key, text) => headers.set(key, text),
    append: (headers, key, text) => headers.append(key, text),
    delete: (headers, key) => headers.delete(key),
    'a number': (headers, key) => headers.set(key, 5 as never),
    'a name that is none': (headers) => headers.get('a b'),
    'no name': (headers) => headers.delete(''),
    'a value that is none': (headers, key) => headers.append(key, 'a\0b'),
    'a value above octets': (headers, key) => headers.set(key, '\u0100'),
    'a value with line ends around': (headers, key) => headers.set(key, '\r\n x\t\n'),
    'changes on the way': (headers, key) => {
      const seen: string[] = [];
      for (const [each] of headers) {
        seen.push(each);
        if (seen.length === 1) headers.append(key, 'late');
        if (seen.length > 20) break;
      }
      return seen;
    },
    'a copy': (headers) => [...new NativeHeaders(headers)],
    'a copy in a Request': (headers) => [...new Request('http://a/', { headers }).headers],
    'a tag': (headers) => Object.prototype.toString.call(headers),
    JSON: (headers) => JSON.stringify(headers),
    kind: (headers) => headers instanceof NativeHeaders,
    'constructor name': (headers) => headers.constructor.name,
  };
  const calls = fc.array(fc.tuple(fc.constantFrom(...Object.keys(looks)), fc.oneof(name, fc.constant('a')), value), {
    minLength: 1,
    maxLength: 6,
  });

  test('say and throw the same', async () => {
    await fc.assert(
      fc.asyncProperty(headersInit, calls, async (init, asked) => {
        const ours = await outcome(() => new OurHeaders(init() as never));
        const theirs = await outcome(() => new NativeHeaders(init() as never));
        if (!(ours instanceof HttpHeaders) || !(theirs instanceof NativeHeaders)) {
          expect(ours).toEqual(theirs);
          return;
        }
        for (const [look, key, text] of asked) {
          const own = await outcome(() => looks[look]?.(ours, key, text));
          expect([look, own]).toEqual([look, await outcome(() => looks[look]?.(theirs, key, text))]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('print as the platform’s do', () => {
    const init: [string, string][] = [
      ['X-B', '1'],
      ['a', 'x, y'],
    ];
    expect(inspect(new OurHeaders(init))).toBe("Headers { a: 'x, y', 'x-b': '1' }");
  });
});

describe('a response', () => {
  const inits: fc.Arbitrary<() => unknown> = fc.oneof(
    fc.constantFrom<() => unknown>(
      () => undefined,
      () => null,
      () => 5,
      () => 'x',
      () => ({}),
    ),
    fc
      .record(
        {
          status: fc.constantFrom<unknown>(
            200,
            201,
            204,
            304,
            404,
            500,
            99,
            600,
            1000,
            101,
            '201',
            200.5,
            undefined,
            NaN,
          ),
          statusText: fc.constantFrom<unknown>('', 'Fine', 'a\nb', 'ü', '\u0100', 5, undefined),
          headers: headersInit,
        },
        { requiredKeys: [] },
      )
      .map((init) => () => ('headers' in init ? { ...init, headers: init.headers() } : init)),
  );
  const bodies = fc.constantFrom<() => unknown>(
    () => undefined,
    () => null,
    () => '',
    () => 'text',
    () => '{"a":[1]}',
    () => 'Grüße',
    () => '\ufeffmarked',
    () => 'lone \ud800 surrogate',
    () => Buffer.from('bytes'),
    () => Buffer.from('\xef\xbb\xbfmarked', 'latin1'),
    () => new Uint8Array(0),
    () => new Uint8Array([1, 2]).buffer,
    () => new Uint16Array([1, 2]),
    () => new DataView(new ArrayBuffer(3)),
    () => new Blob(['b'], { type: 'x/y' }),
    () => new Blob(['b']),
    () => new URLSearchParams('a=b&c=ü'),
    () => 5,
    () => true,
    () => ({ toString: () => 'obj' }),
    () => new Blob(['s']).stream(),
    () => new Response('of another').body,
    () => {
      const { body } = new Response('touched');
      body?.getReader();
      return body;
    },
  );
  const looks: Readonly<Record<string, (response: Response) => unknown>> = {
    says: ({ status, statusText, ok, type, url, redirected }) => [status, statusText, ok, type, url, redirected],
    headers: (response) => [...response.headers],
    'setting a header': (response) => response.headers.set('X-Set', '1'),
    'taking the type away': (response) => response.headers.delete('content-type'),
    bodyUsed: (response) => response.bodyUsed,
    'whether it has a body': (response) => response.body !== null,
    'whether its body is one': (response) => response.body === response.body,
    locked: (response) => response.body?.locked,
    'a tag': (response) => Object.prototype.toString.call(response),
    kind: (response) => [response instanceof Response, response instanceof NativeResponse],
    'constructor name': (response) => response.constructor.name,
    text: (response) => response.text(),
    json: (response) => response.json(),
    arrayBuffer: (response) => response.arrayBuffer(),
    blob: (response) => response.blob(),
    'the text of a clone': (response) => response.clone().text(),
    'the headers of a clone': (response) => {
      const clone = response.clone();
      clone.headers.set('x-clone', '1');
      return [[...clone.headers], [...response.headers], clone.status];
    },
    lock: (response) => void response.body?.getReader(),
    cancel: (response) => void response.body?.cancel().catch(() => undefined),
    'a copy by the platform': async (response) => {
      const copy = new NativeResponse(response.body, response);
      return [copy.status, copy.statusText, [...copy.headers], await copy.text()];
    },
    'a copy by its own class': async (response) => {
      const copy = new (response.constructor as typeof Response)(response.body, response);
      return [copy.status, copy.statusText, [...copy.headers], await copy.text(), response.bodyUsed];
    },
    'reading the stream': async (response) => {
      let text = '';
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString('latin1');
      return text;
    },
    'reading into a buffer of its own': async (response) => {
      const reader = response.body?.getReader({ mode: 'byob' });
      const { done, value: bytes } = (await reader?.read(new Uint8Array(20))) ?? { done: true, value: undefined };
      return [done, bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1')];
    },
  };

  test('is made, answers and throws as the platform’s', async () => {
    await fc.assert(
      fc.asyncProperty(
        bodies,
        inits,
        fc.array(fc.constantFrom(...Object.keys(looks)), { maxLength: 5 }),
        async (body, init, asked) => {
          const ours = await outcome(() => new OurResponse(body() as never, init() as never));
          const theirs = await outcome(() => new NativeResponse(body() as never, init() as never));
          if (typeof ours === 'string' || typeof theirs === 'string') {
            expect(ours).toEqual(theirs);
            return;
          }
          for (const [index, look] of asked.entries()) {
            const own = await outcome(() => looks[look]?.(ours as Response));
            expect([index, look, own]).toEqual([index, look, await outcome(() => looks[look]?.(theirs as Response))]);
          }
        },
      ),
      { numRuns: 1_500 },
    );
  });

  test('keeps nothing that its maker can still change', async () => {
    const headers: Record<string, string> = { a: '1' };
    const bytes = Buffer.from('abc');
    const responses = [new OurResponse(bytes, { headers }), new OurResponse(bytes.buffer, { headers })];
    headers.a = '2';
    bytes.fill(120);
    expect([responses[0]?.headers.get('a'), await responses[0]?.text(), responses[1]?.headers.get('a')]).toEqual([
      '1',
      'abc',
      '1',
    ]);
    const shared = new Headers({ a: '1' });
    const response = new OurResponse('x', { headers: shared });
    response.headers.set('a', '2');
    expect([shared.get('a'), new OurResponse('x', { headers: shared }).headers.get('a')]).toEqual(['1', '1']);
  });

  test('can be extended', async () => {
    class Mine extends OurResponse {
      extra = 7;
      get more(): number {
        return this.extra;
      }
    }
    const mine = new Mine('x', { status: 201 });
    expect([
      mine instanceof Mine,
      mine instanceof NativeResponse,
      mine instanceof OurResponse,
      new OurResponse('x') instanceof Mine,
      new NativeResponse('x') instanceof Mine,
    ]).toEqual([true, true, true, false, false]);
    expect([mine.more, mine.status, await mine.text()]).toEqual([7, 201, 'x']);
    expect(await new Mine(new URLSearchParams('a=b')).text()).toBe('a=b');
  });

  test.each<[string, (Class: typeof Response) => Response]>([
    ['json', (Class) => Class.json({ a: 1 })],
    ['json with fields', (Class) => Class.json([], { status: 201, headers: { 'X-A': 'b' } })],
    ['json with a type', (Class) => Class.json('x', { headers: [['Content-TYPE', 'application/problem+json']] })],
    ['json of nothing', (Class) => Class.json(undefined)],
    ['json of a function', (Class) => Class.json(() => undefined)],
    ['json without content', (Class) => Class.json(1, { status: 204 })],
    ['redirect', (Class) => Class.redirect('http://a/b', 307)],
    ['redirect with what no URL may hold', (Class) => Class.redirect('http://a/日 本?é#"', 302)],
    ['redirect to a URL', (Class) => Class.redirect(new URL('https://a/b'), 308)],
    ['redirect with a status that is text', (Class) => Class.redirect('http://a/b', '303' as unknown as 303)],
    ['redirect with a status that is a fraction', (Class) => Class.redirect('http://a/b', 307.9 as 307)],
    ['redirect with a status that is no number', (Class) => Class.redirect('http://a/b', 'x' as unknown as 303)],
    ['redirect with a status that is none', (Class) => Class.redirect('http://a/b', 200 as 301)],
    ['error', (Class) => Class.error()],
  ])('has the static method %s', async (_, make) => {
    const seen = (Class: typeof Response): Promise<unknown> =>
      outcome(async () => {
        const response = make(Class);
        return [response.status, response.type, [...response.headers], await response.text()];
      });
    expect(await seen(OurResponse)).toEqual(await seen(NativeResponse));
  });

  test.each([
    ['/café', '/caf%C3%A9'],
    ['/日本?q=a b', '/%E6%97%A5%E6%9C%AC?q=a%20b'],
    ['/a b', '/a%20b'],
    ['./x/', './x/'],
    ['/100%25', '/100%25'],
    ['/\\host', '/%5Chost'],
    [' /x\r\nSet-Cookie: a ', '/xSet-Cookie:%20a'],
    ['?q=[1]', '?q=[1]'],
  ])('redirects to %j, which is relative, in characters of a URL', (location, sent) => {
    expect(HttpResponse.redirect(location).headers.get('location')).toBe(sent);
  });

  test.each(['http://', 'http://:80/', 'https://a:65536', '//', 'http://[::1', 'http://a b/'])(
    'does not redirect to %j, which is no URL',
    (location) => {
      expect(() => HttpResponse.redirect(location)).toThrow(TypeError);
    },
  );

  test('prints as the platform’s does', async () => {
    const printed = (Class: typeof Response): string =>
      inspect(new Class('x', { status: 404, headers: { 'X-A': '1' } }), { depth: 4 });
    expect(printed(OurResponse)).toContain("status: 404,\n  statusText: ''");
    expect(printed(OurResponse)).toContain("'x-a': '1'");
    expect(printed(OurResponse)).toMatch(/^Response \{/);
    const response = new OurResponse('looked at');
    inspect(response);
    expect(await response.text()).toBe('looked at');
  });

  test('is known where the platform looks for its own', async () => {
    expect(Function.prototype[Symbol.hasInstance].call(NativeResponse, new HttpResponse('x'))).toBe(true);
    // Its types belong to browsers.
    const { WebAssembly } = globalThis as unknown as {
      WebAssembly: { compileStreaming(response: Response): Promise<object> };
    };
    const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
    const compiled = WebAssembly.compileStreaming(
      new OurResponse(wasm, { headers: { 'content-type': 'application/wasm' } }),
    );
    expect(String(await outcome(() => compiled))).toBe('[object WebAssembly.Module]');
  });
});
