// The response of srvx, as its own server takes it apart. h3 applications are in fetch/frameworks.test.ts.

import { Readable, type PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { unwrapped } from '../../src/exchange/srvx-response.ts';
import { HttpResponse } from '../../src/fetch/response.ts';

/** Gives its parts once, as srvx's does. */
function srvxResponse(body: unknown, headers: readonly unknown[] = []): object {
  let content = body;
  return {
    _toNodeResponse: () => {
      const parts = { status: 201, statusText: 'Made', headers, body: content };
      content = undefined;
      return parts;
    },
  };
}
const seen = async (response: unknown): Promise<unknown> => {
  const { status, statusText, headers } = response as Response;
  return [
    status,
    statusText,
    [...headers].filter(([name]) => name !== 'content-type'),
    await (response as Response).text(),
  ];
};

test.each<readonly [what: string, body: unknown, text: string]>([
  ['text', 'téxt', 'téxt'],
  ['bytes', Buffer.from('bytes'), 'bytes'],
  ['a stream', new Response('stream').body, 'stream'],
  ['a stream of Node', Readable.from([Buffer.from('of '), Buffer.from('Node')]), 'of Node'],
  ['a stream that can only be piped', { pipe: (to: PassThrough) => Readable.from(['piped']).pipe(to) }, 'piped'],
  ['nothing', undefined, ''],
])('of %s, one of ours is made', async (_, body, text) => {
  const made = unwrapped(srvxResponse(body, ['x-a', '1', 'set-cookie', 'a', 'set-cookie', 'b']));
  const fields = [
    ['set-cookie', 'a'],
    ['set-cookie', 'b'],
    ['x-a', '1'],
  ];
  expect(made).toBeInstanceOf(HttpResponse);
  expect(await seen(made)).toEqual([201, 'Made', fields, text]);
});

test('one that is returned again is the same', () => {
  const response = srvxResponse('kept');
  expect(unwrapped(response)).toBe(unwrapped(response));
});

test('a length stays where it is not that of the content', () => {
  const lengthOf = (body: unknown, length: string): unknown =>
    (unwrapped(srvxResponse(body, [['content-length', length]])) as Response).headers.get('content-length');
  expect([lengthOf('abc', '3'), lengthOf('abc', '4'), lengthOf(new Response('abc').body, '3')]).toEqual([
    null,
    '4',
    '3',
  ]);
});

test('a stream that can only be piped is told when nobody reads it', async () => {
  const aborted = new Promise<void>((resolve) => {
    const body = { pipe: (to: PassThrough) => to, abort: () => resolve() };
    const made = unwrapped(srvxResponse(body)) as Response;
    void made.body?.cancel();
  });
  await aborted;
});

test.each([[null], ['text'], [new HttpResponse('ours')], [new Response('of the platform')], [{ status: 200 }]])(
  '%o stays what it is',
  (value) => {
    expect(unwrapped(value)).toBe(value);
  },
);
