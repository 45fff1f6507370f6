import { cutAt } from '@wellknown/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { octets, parseAll } from './parse-all.ts';

const cuts = fc.array(fc.nat(400), { maxLength: 6 });

/** Pieces that steer a parser into its corners more often than chance does. */
const piece = fc.oneof(
  fc.constantFrom(
    'GET ',
    'POST ',
    '/',
    '* ',
    'http://a/',
    ' HTTP/1.1\r\n',
    ' HTTP/1.0\r\n',
    '\r\n',
    '\r',
    '\n',
    'Host: a\r\n',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    '3\r\n',
    'abc',
    '0\r\n',
    ';a="b',
    ': ',
    '\t',
    '\0',
    'Expect: 100-continue\r\n',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 8 }),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);

test('any bytes, cut anywhere, never throw and give the same events', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), cuts, (pieces, offsets) => {
      const bytes = octets(pieces.join(''));
      expect(parseAll(cutAt(bytes, offsets), { maxHeadBytes: 200, maxBodyBytes: 100 })).toEqual(
        parseAll([bytes], { maxHeadBytes: 200, maxBodyBytes: 100 }),
      );
    }),
  );
});

const characters = (text: string): string[] => Array.from(text);
const tokenCharacters = fc.constantFrom(...characters("!#$%&'*+-.^_`|~09azAZ"));
const token = fc.string({ unit: tokenCharacters, minLength: 1, maxLength: 12 });
const value = fc
  .string({ unit: fc.constantFrom(...characters('azAZ09 \t,;="/\x80\xff')), maxLength: 20 })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));
const steering = new Set(['host', 'expect', 'connection', 'content-type', 'content-length', 'transfer-encoding']);
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PROPFIND', 'X-Y'),
  target: fc.string({ unit: fc.constantFrom(...characters('abc/?%20&=._~')), maxLength: 30 }).map((text) => `/${text}`),
  fields: fc.array(
    fc.tuple(
      token.filter((name) => !steering.has(name.toLowerCase())),
      value,
    ),
    { maxLength: 8 },
  ),
  body: fc.string({ unit: 'binary-ascii', maxLength: 30 }),
  chunked: fc.boolean(),
});

test('requests built from valid parts are read back, one after another, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), cuts, (requests, offsets) => {
      const text = requests.map(({ method, target, fields, body, chunked }) => {
        const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
        const content = chunked ? `${body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`}0\r\n\r\n` : body;
        return `${method} ${target} HTTP/1.1\r\nHost: a\r\n${fields.map(([name, text]) => `${name}: ${text}\r\n`).join('')}${framing}\r\n\r\n${content}`;
      });
      const parsed = parseAll(cutAt(octets(text.join('')), offsets));
      expect(parsed.refusal).toBeUndefined();
      expect(
        parsed.requests.map(({ method, target, body, complete, fields }) => ({
          method,
          target,
          body,
          complete,
          fields: fields.slice(1, -1),
        })),
      ).toEqual(
        requests.map(({ method, target, body, fields }) => ({
          method,
          target,
          body,
          complete: true,
          fields: fields.map(([name, text]) => [name.toLowerCase(), text]),
        })),
      );
    }),
  );
});
