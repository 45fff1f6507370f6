import { byteByByte, cutAt, everyCut } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLocalLineEnds, createNetworkLineEnds, type LineEndConverter } from '../src/ascii.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

function convert(converter: LineEndConverter, chunks: readonly Uint8Array[]): string {
  const out = [...chunks.map((chunk) => converter.push(chunk).slice()), converter.flush()];
  return out.map((chunk) => String.fromCharCode(...chunk)).join('');
}

const toNetwork = (chunks: readonly Uint8Array[]): string => convert(createNetworkLineEnds(), chunks);
const toLocal = (chunks: readonly Uint8Array[]): string => convert(createLocalLineEnds(), chunks);

describe.each([
  { name: 'LF becomes CR LF', local: 'a\nb\n', network: 'a\r\nb\r\n' },
  { name: 'a CR that stands alone stays', local: 'a\rb\r', network: 'a\rb\r' },
  { name: 'empty stays empty', local: '', network: '' },
  { name: 'lines without text', local: '\n\n', network: '\r\n\r\n' },
])('$name, in both directions', ({ local, network }) => {
  test('whole, byte by byte, and cut anywhere', () => {
    expect(toNetwork(byteByByte(bytesOf(local)))).toBe(network);
    for (const chunks of everyCut(bytesOf(local))) expect(toNetwork(chunks)).toBe(network);
    expect(toLocal(byteByByte(bytesOf(network)))).toBe(local);
    for (const chunks of everyCut(bytesOf(network))) expect(toLocal(chunks)).toBe(local);
  });
});

test('a file that has CR LF already is sent as it is', () => {
  for (const chunks of everyCut(bytesOf('a\r\nb\n'))) expect(toNetwork(chunks)).toBe('a\r\nb\r\n');
});

test('CR CR LF loses one CR only', () => {
  for (const chunks of everyCut(bytesOf('a\r\r\nb'))) expect(toLocal(chunks)).toBe('a\r\nb');
});

test('cut anywhere, the conversion is the same, and what has no CR comes back as it was', () => {
  const byte = fc.constantFrom(10, 13, 65, 255);
  fc.assert(
    fc.property(fc.array(byte), fc.array(fc.nat(50)), (bytes, cuts) => {
      const input = Uint8Array.from(bytes);
      expect(toNetwork(cutAt(input, cuts))).toBe(toNetwork([input]));
      expect(toLocal(cutAt(input, cuts))).toBe(toLocal([input]));
      const withoutCr = input.filter((each) => each !== 13);
      expect(toLocal([bytesOf(toNetwork(cutAt(withoutCr, cuts)))])).toBe(String.fromCharCode(...withoutCr));
    }),
  );
});
