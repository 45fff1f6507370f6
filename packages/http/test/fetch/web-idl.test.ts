// What Web IDL says of every class of the platform: our classes in their places answer the same.

import util from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HttpHeaders } from '../../src/fetch/headers.ts';
import { platform } from '../../src/fetch/platform.ts';
import { putBackGlobals, replaceGlobals } from '../../src/fetch/replace-globals.ts';
import { RequestHeaders } from '../../src/fetch/request-headers.ts';
import { HttpResponse } from '../../src/fetch/response.ts';

const { Headers: NativeHeaders, Request: NativeRequest, Response: NativeResponse } = platform();

type Class = abstract new () => object;
const PAIRS: readonly [Class, Class][] = [
  [HttpResponse, NativeResponse],
  [HttpHeaders, NativeHeaders],
];

/** What lists the members of a class, its own and those of what it makes. */
function membersOf(Class: Class): unknown {
  const listed = (of: object): unknown =>
    Object.getOwnPropertyNames(of)
      .map((name): unknown[] => {
        const descriptor = Object.getOwnPropertyDescriptor(of, name);
        const value: unknown = descriptor?.value;
        return [name, descriptor?.enumerable, typeof value === 'function' && name !== 'constructor' ? value.length : 0];
      })
      .sort();
  return [Class.name, Class.length, listed(Class.prototype as object)];
}

test.each(PAIRS)('%o has the members of the platform’s, listed and counted as there', (ours, native) => {
  expect(membersOf(ours)).toEqual(membersOf(native));
});

// The types of the platform do not know it yet.
type WithTextStream = { readonly bodyUsed: boolean; textStream(): AsyncIterable<string> };
const hasTextStream = 'textStream' in NativeResponse.prototype;

test.runIf(hasTextStream).each(['héllo', '', null])(
  'the content %j as a stream of text is the platform’s',
  async (content) => {
    const outcomeOf = async (made: unknown): Promise<unknown> => {
      const response = made as WithTextStream;
      let text = '';
      for await (const piece of response.textStream()) text += piece;
      let again = 'streamed';
      try {
        response.textStream();
      } catch (error) {
        again = (error as Error).name;
      }
      return [text, response.bodyUsed, again];
    };
    expect(await outcomeOf(new HttpResponse(content))).toEqual(await outcomeOf(new NativeResponse(content)));
  },
);

test('what is made lists its members to `for`', () => {
  const listed: string[] = [];
  for (const name in new HttpResponse()) listed.push(name);
  const native: string[] = [];
  for (const name in new NativeResponse()) native.push(name);
  expect(listed.sort()).toEqual(native.sort());
});

describe.each([
  [
    'made',
    (): Headers =>
      new HttpHeaders([
        ['b', '2'],
        ['A', '1'],
        ['Set-Cookie', 'x=1'],
        ['set-cookie', 'y=2'],
      ]) as Headers,
  ],
  [
    'received',
    (): Headers => new RequestHeaders('b: 2\r\nA: 1\r\nSet-Cookie: x=1\r\nset-cookie: y=2\r\n') as unknown as Headers,
  ],
])('headers that are %s', (_, make) => {
  test.each<[string, (headers: Headers) => unknown]>([
    ['get', (headers) => (headers.get as () => unknown)()],
    ['has', (headers) => (headers.has as () => unknown)()],
    ['delete', (headers) => (headers.delete as () => unknown)()],
    ['set', (headers) => (headers.set as (name: string) => unknown)('x')],
    ['append', (headers) => (headers.append as (name: string) => unknown)('x')],
    ['forEach', (headers) => (headers.forEach as () => unknown)()],
  ])('throw for a call of %s without what it needs', (_name, call) => {
    expect(() => call(make())).toThrow(TypeError);
  });

  test('take what is undefined for a text', () => {
    const headers = make();
    headers.set('x', undefined as unknown as string);
    expect([headers.get('x'), headers.has(undefined as unknown as string)]).toEqual(['undefined', false]);
  });

  test('are iterated as the platform’s are', () => {
    const headers = make();
    expect(Object.prototype.toString.call(headers.entries())).toBe('[object Headers Iterator]');
    expect(headers[Symbol.iterator].name).toBe('entries');
    expect([...headers.entries()].map(([name]) => name)).toEqual(['a', 'b', 'set-cookie', 'set-cookie']);
    expect([[...headers.keys()].length, [...headers.values()]]).toEqual([4, ['1', '2', 'x=1', 'y=2']]);
  });

  test('are read by another iterator that somebody has put on them', () => {
    const headers = make();
    Object.assign(headers, { [Symbol.iterator]: () => new Map([['from', 'elsewhere']]).entries() });
    const read = [new HttpHeaders(headers), new HttpResponse(null, { headers }).headers];
    expect(read.map((copy) => [...copy])).toEqual([[['from', 'elsewhere']], [['from', 'elsewhere']]]);
  });

  test('are printed with all cookies', () => {
    expect(util.inspect(make())).toBe("Headers { a: '1', b: '2', 'set-cookie': 'x=1, y=2' }");
  });
});

test.each([{ b: '2', A: '1' }, { a: '1', '\uffff': '2' }, { a: '\uffff', b: '2' }, Object.create({ a: '1' }, {})])(
  'what looks through a proxy at %j is asked in the order of the platform',
  (record: Record<string, string>) => {
    const questionsOf = (Class: new (record: Record<string, string>) => unknown): string[] => {
      const asked: string[] = [];
      const trap = (name: 'get' | 'has' | 'ownKeys' | 'getOwnPropertyDescriptor') => ({
        [name]: (...given: [object, PropertyKey?]) => {
          asked.push(`${name} ${String(given[1])}`);
          return (Reflect[name] as (...given: unknown[]) => unknown)(...given);
        },
      });
      const traps = { ...trap('get'), ...trap('has'), ...trap('ownKeys'), ...trap('getOwnPropertyDescriptor') };
      try {
        new Class(new Proxy(record, traps));
      } catch (error) {
        asked.push((error as Error).name);
      }
      return asked;
    };
    expect(questionsOf(HttpHeaders)).toEqual(questionsOf(NativeHeaders));
  },
);

test('a field that a symbol names is refused', () => {
  expect(() => new HttpHeaders({ [Symbol('x')]: 'y' })).toThrow(TypeError);
});

describe('a redirect', () => {
  test.each<[string, (headers: Headers) => void]>([
    ['set', (headers) => headers.set('a', 'b')],
    ['append', (headers) => headers.append('a', 'b')],
    ['delete', (headers) => headers.delete('nothing')],
  ])('has headers that can’t be changed: %s', (_, change) => {
    const redirect = HttpResponse.redirect('/x');
    // Frameworks look for the word, and make another response then.
    expect(() => change(redirect.headers)).toThrow(new TypeError('immutable'));
    expect(() => change(redirect.clone().headers)).toThrow(new TypeError('immutable'));
    change(new Headers(redirect.headers));
  });

  test.each([undefined, null])('to %s is a mistake', (location) => {
    expect(() => HttpResponse.redirect(location as unknown as string)).toThrow(TypeError);
  });
});

test('under the platform’s name, Request has its prototype and needs `new`', () => {
  replaceGlobals();
  onTestFinished(putBackGlobals);
  expect(Request.prototype).toBe(NativeRequest.prototype);
  expect(() => (Request as unknown as (url: string) => Request)('http://a/')).toThrow(TypeError);
  class Extended extends Request {}
  expect([new Extended('http://a/') instanceof Extended, new Extended('http://a/') instanceof Request]).toEqual([
    true,
    true,
  ]);
  expect([Request.name, Request.length]).toEqual(['Request', NativeRequest.length]);
});
