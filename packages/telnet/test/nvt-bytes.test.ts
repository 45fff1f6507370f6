import { byteByByte, cutAt, everyCut } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNvtBytes } from '../src/nvt-bytes.ts';
import { latin1 } from './session-fixture.ts';

const read = (chunks: readonly Uint8Array[], binary = false): string => {
  const nvt = createNvtBytes();
  return chunks.map((chunk) => Buffer.from(nvt.push(chunk, binary)).toString('latin1')).join('');
};

describe.each([
  { name: 'CR NUL is one CR', input: 'a\r\0b', bytes: 'a\rb' },
  { name: 'CR LF is one CR', input: 'a\r\nb', bytes: 'a\rb' },
  { name: 'CR alone stays', input: 'a\rb\r', bytes: 'a\rb\r' },
  { name: 'LF alone stays: it is a key too', input: 'a\nb', bytes: 'a\nb' },
  { name: 'NUL alone stays: it is ^@', input: 'a\0\0b', bytes: 'a\0\0b' },
  { name: 'only one byte belongs to a CR', input: '\r\n\n\r\0\0\r\r\n', bytes: '\r\n\r\0\r\r' },
])('$name', ({ input, bytes }) => {
  test('in one chunk', () => expect(read([latin1(input)])).toBe(bytes));
  test('byte by byte', () => expect(read(byteByByte(latin1(input)))).toBe(bytes));
  test('cut anywhere', () => {
    for (const cuts of everyCut(latin1(input))) expect(read(cuts)).toBe(bytes);
  });
});

test('under BINARY all bytes stand for themselves', () => {
  expect(read([latin1('a\r\nb\r\0c\r')], true)).toBe('a\r\nb\r\0c\r');
});

test('a chunk without such an end is passed on without a copy', () => {
  const chunk = latin1('a\rb\n');
  expect(createNvtBytes().push(chunk, false)).toBe(chunk);
});

test('any bytes, cut anywhere, give the same bytes', () => {
  const few = fc.uint8Array({ maxLength: 40, max: 14 });
  fc.assert(
    fc.property(few, fc.array(fc.nat(40), { maxLength: 6 }), (bytes, cuts) => {
      expect(read(cutAt(bytes, cuts))).toBe(read([bytes]));
    }),
  );
});
