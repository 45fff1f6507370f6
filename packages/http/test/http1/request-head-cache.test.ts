import { cutAt } from '@wellknown/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { octets, parseAll } from './parse-all.ts';

// Heads that repeat in part: the same line with other fields, the same fields with another line, another version, other
// bytes of the same length. What a connection remembers of one must never colour the next.
const line = fc.constantFrom(
  'GET / HTTP/1.1',
  'GET / HTTP/1.0',
  'GET /x HTTP/1.1',
  'HEAD / HTTP/1.1',
  'GET http://b/ HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'GET * HTTP/1.1',
  'POST / HTTP/1.1',
);
const fields = fc.constantFrom(
  'Host: a',
  'Host: b',
  'Host: a\r\nContent-Length: 3',
  'Host: a\r\nContent-Length: 4',
  'Host: a\r\nTransfer-Encoding: chunked',
  'Host: a\r\nX: y',
  'Host: a\r\nX: z',
  'Host: a\r\nExpect: 100-continue\r\nContent-Length: 3',
  `Host: a\r\nCookie: ${'c'.repeat(300)}`,
  `Host: a\r\nCookie: ${'c'.repeat(299)}d`,
  `Host: a\r\nCookie: ${'c'.repeat(5000)}`,
  'X: y',
);
const head = fc.tuple(line, fields).map(([first, rest]) => `${first}\r\n${rest}\r\n\r\n`);
const BODIES: Readonly<Record<string, string>> = {
  'Content-Length: 3': 'abc',
  'Content-Length: 4': 'abcd',
  chunked: '2\r\nab\r\n0\r\n\r\n',
};
const withBody = (text: string): string =>
  text + (Object.entries(BODIES).find(([mark]) => text.includes(mark))?.[1] ?? '');

test('a head that is partly known from before reads like one that was never seen', () => {
  fc.assert(
    fc.property(
      fc.array(head, { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(2_000), { maxLength: 4 }),
      (heads, offsets) => {
        const messages = heads.map(withBody);
        const together = parseAll(cutAt(octets(messages.join('')), offsets));
        const alone = messages.map((message) => parseAll([octets(message)]));
        const firstRefused = alone.findIndex(({ refusal }) => refusal !== undefined);
        const readable = firstRefused < 0 ? alone : alone.slice(0, firstRefused + 1);
        expect(together).toEqual({
          requests: readable.flatMap(({ requests }) => requests),
          refusal: readable.at(-1)?.refusal,
        });
      },
    ),
  );
});
