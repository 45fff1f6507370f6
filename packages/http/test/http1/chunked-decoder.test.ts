import { byteByByte, everyCut } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../src/semantics/refusals.ts';
import { octets, parseAll } from './parse-all.ts';

const post = (coded: string): Uint8Array =>
  octets(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${coded}`);

const DECODED: readonly (readonly [string, string, string])[] = [
  ['chunks of several sizes', '3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n', 'abc0123456789'],
  ['nothing at all', '0\r\n\r\n', ''],
  ['leading zeros in a size', '0003\r\nabc\r\n000\r\n\r\n', 'abc'],
  ['an extension', '3;a\r\nabc\r\n0;b=c\r\n\r\n', 'abc'],
  [
    'several extensions, blanks around them, a quoted value',
    '3 ;a = b\t; c="d;\\"\r\n'.replace('\\"', '\\"e"') + 'abc\r\n0\r\n\r\n',
    'abc',
  ],
  ['extensions with blanks before and behind each sign', '3 \t; a \t= \tb \t ;\t c \t ; d\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['data that looks like a chunk', '7\r\n0\r\n\r\nab\r\n0\r\n\r\n', '0\r\n\r\nab'],
];

const REFUSED: readonly (readonly [string, string, Refusal])[] = [
  ['a size with 0x', '0x3\r\nabc\r\n0\r\n\r\n', 'chunk-size-invalid'],
  ['a signed size', '+3\r\nabc\r\n', 'chunk-size-invalid'],
  ['a negative size', '-3\r\nabc\r\n', 'chunk-size-invalid'],
  ['a size with an underscore', '1_0\r\n', 'chunk-size-invalid'],
  ['a space before a size', ' 3\r\nabc\r\n', 'chunk-size-invalid'],
  ['a space after a size', '3 \r\nabc\r\n', 'chunk-size-invalid'],
  ['an empty size', '\r\nabc\r\n', 'chunk-size-invalid'],
  ['a size of fourteen digits', '10000000000000\r\n', 'chunk-size-invalid'],
  ['LF after a size', '3\nabc\r\n', 'bare-lf'],
  ['CR without LF after a size', '3\rXabc\r\n', 'bare-cr'],
  ['LF after data', '3\r\nabc\n0\r\n\r\n', 'chunk-end-invalid'],
  ['more data than the size says', '3\r\nabcd\r\n0\r\n\r\n', 'chunk-end-invalid'],
  ['LF in an extension (CVE-2021-22960)', '3;a\nabc\r\n', 'bare-lf'],
  ['a CR in a quoted extension value', '3;a="\r\n"\r\nabc\r\n', 'chunk-extension-invalid'],
  ['an extension without a name', '3;\r\nabc\r\n', 'chunk-extension-invalid'],
  ['an extension without a value after =', '3;a=\r\nabc\r\n', 'chunk-extension-invalid'],
  ['blanks after the name of an extension', '3;a \r\nabc\r\n', 'chunk-extension-invalid'],
  ['two names without a sign between', '3;a b\r\nabc\r\n', 'chunk-extension-invalid'],
  ['text after a quoted value', '3;a="b"c\r\nabc\r\n', 'chunk-extension-invalid'],
  ['a trailer that is no field', '0\r\nabc\r\n\r\n', 'field-name-invalid'],
  ['a trailer folded', '0\r\nA: b\r\n c\r\n\r\n', 'field-folded'],
  ['Content-Length in a trailer', '0\r\nContent-Length: 5\r\n\r\n', 'trailer-forbidden'],
  ['Transfer-Encoding in a trailer', '0\r\nTransfer-Encoding: chunked\r\n\r\n', 'trailer-forbidden'],
  ['Host in a trailer', '0\r\nHost: b\r\n\r\n', 'trailer-forbidden'],
  ['Authorization in a trailer', '0\r\nAuthorization: b\r\n\r\n', 'trailer-forbidden'],
];

describe.each(DECODED)('%s', (_, coded, body) => {
  test('is decoded, however it is cut (RFC 9112 §7.1)', () => {
    for (const chunks of [...everyCut(post(coded)), byteByByte(post(coded))]) {
      expect(parseAll(chunks)).toMatchObject({ refusal: undefined, requests: [{ body, complete: true }] });
    }
  });
});

describe.each(REFUSED)('%s', (_, coded, refusal) => {
  test(`is refused as ${refusal}, however it is cut`, () => {
    for (const chunks of [...everyCut(post(coded)), byteByByte(post(coded))]) {
      const parsed = parseAll(chunks);
      expect(parsed.refusal).toBe(refusal);
      expect(parsed.requests.map(({ complete }) => complete)).toEqual([false]);
    }
  });
});

test('trailers are kept apart from the headers (RFC 9112 §7.1.2)', () => {
  const [request] = parseAll([post('0\r\nDigest: x\r\n\r\n')]).requests;
  expect(request?.trailers).toEqual([['digest', 'x']]);
  expect(request?.fields.map(([name]) => name)).toEqual(['host', 'transfer-encoding']);
});

describe('limits', () => {
  test('extensions up to the limit over all chunks are ignored, one byte more is refused with 413 (CVE-2024-22019)', () => {
    // Each line has `;` uncounted and `aaaa` and CR counted.
    const coded = '1;aaaa\r\nx\r\n1;aaaa\r\nx\r\n0\r\n\r\n';
    expect(parseAll([post(coded)], { maxChunkExtensionBytes: 10 }).refusal).toBeUndefined();
    expect(parseAll([post(coded)], { maxChunkExtensionBytes: 9 }).refusal).toBe('chunk-extensions-too-large');
  });

  test('content up to the limit passes, one byte more is refused with 413 when it is crossed', () => {
    expect(parseAll([post('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n')], { maxBodyBytes: 5 }).refusal).toBeUndefined();
    expect(parseAll([post('3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n')], { maxBodyBytes: 5 }).refusal).toBe('body-too-large');
    // By the announcement alone, at its last byte.
    expect(parseAll([post('3\r\nabc\r\n3\r')], { maxBodyBytes: 5 }).refusal).toBeUndefined();
    expect(parseAll([post('3\r\nabc\r\n3\r\n')], { maxBodyBytes: 5 }).refusal).toBe('body-too-large');
  });

  test('trailers up to the limit pass, one byte more is refused with 431', () => {
    const coded = '0\r\nA: bcd\r\n\r\n';
    expect(parseAll([post(coded)], { maxTrailerBytes: 10 }).refusal).toBeUndefined();
    expect(parseAll([post(coded)], { maxTrailerBytes: 9 }).refusal).toBe('trailers-too-large');
  });
});
