import { byteByByte } from '@wellknown/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeaderSemantics } from '../../src/semantics/header-semantics.ts';
import { takeWholeLines } from '../../src/http1/field-lines.ts';
import { octets, parseAll } from './parse-all.ts';

// What field lines are made of, and what breaks them, in any order.
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'A: b\r\n',
      'Host: a\r\n',
      'Content-Length: 3\r\n',
      'Content-Type: a/b\r\n',
      'X-Empty:\r\n',
      'If-Match: *\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Connection: close\r\n',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'A',
      ':',
      ' ',
      '\t',
      '\r',
      '\n',
      '\r\n',
      '\0',
      '\x7f',
      '\x80',
      ' : ',
      'A b: c\r\n',
      ' fold\r\n',
      'A: b\n',
      'A: b\r',
      ': c\r\n',
      'abc',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 6 }) },
);
const limits = { maxFields: 4, maxHeadBytes: 160 };

test('whole lines are read, counted and refused as one byte at a time would be', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
      const bytes = octets(`GET / HTTP/1.1\r\n${pieces.join('')}\r\n`);
      // A line that comes byte by byte is never whole, so only the state machine sees it.
      expect(parseAll([bytes], limits)).toEqual(parseAll(byteByByte(bytes), limits));
    }),
    { numRuns: 2_000 },
  );
});

const taken = (
  text: string,
  maxFields = 100,
): { readonly rest: string; readonly count: number; readonly refusal: string | undefined } => {
  const facts = new HeaderSemantics();
  const bytes = Buffer.from(text, 'latin1');
  const rest = bytes.toString('latin1', takeWholeLines(bytes, 0, bytes.length, facts, maxFields));
  return { rest, count: facts.fieldCount, refusal: facts.refusal };
};

test('lines are taken up to the first one that is cut off, faulty or one too many', () => {
  expect(taken('A: b\r\nC: d\r\n\r\n')).toEqual({ rest: '\r\n', count: 2, refusal: undefined });
  expect(taken('A: b\r\nC: d\r')).toEqual({ rest: 'C: d\r', count: 1, refusal: undefined });
  expect(taken('A: b\r\nC : d\r\n')).toEqual({ rest: 'C : d\r\n', count: 1, refusal: undefined });
  expect(taken('A: b\r\nC: d\r\n', 2)).toEqual({ rest: '', count: 2, refusal: undefined });
  expect(taken('A: b\r\nC: d\r\nE: f\r\n', 2)).toEqual({ rest: 'E: f\r\n', count: 2, refusal: undefined });
});

test('a field that may not be repeated stops it with the reason', () => {
  expect(taken('Host: a\r\nHost: a\r\nA: b\r\n')).toEqual({ rest: 'A: b\r\n', count: 2, refusal: 'host-repeated' });
});
