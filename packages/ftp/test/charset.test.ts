import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeName, encodeName, nameForSystem } from '../src/charset.ts';

describe('names that should be UTF-8', () => {
  test('that are, are what they say', () => {
    expect(decodeName(Buffer.from('grün 🐱'))).toBe('grün 🐱');
    expect(encodeName('grün 🐱')).toEqual(Buffer.from('grün 🐱'));
    expect(nameForSystem('grün')).toBe('grün');
  });

  test.each([
    ['latin-1', [0x67, 0x72, 0xfc, 0x6e], 'gr\udcfcn'],
    ['an overlong slash', [0xc0, 0xaf], '\udcc0\udcaf'],
    ['a surrogate', [0xed, 0xb2, 0x80], '\udced\udcb2\udc80'],
    ['a sequence that is cut', [0xe2, 0x82], '\udce2\udc82'],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80], '\udcf4\udc90\udc80\udc80'],
  ])('that are not (%s) keep their bytes', (_, bytes, text) => {
    expect(decodeName(Uint8Array.from(bytes))).toBe(text);
    expect([...encodeName(text)]).toEqual(bytes);
    expect(nameForSystem(text)).toEqual(Buffer.from(bytes));
  });

  test('lose nothing, whatever bytes they are, and no separator appears that was not there', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = decodeName(bytes);
        expect(Buffer.from(encodeName(text)).equals(bytes)).toBe(true);
        expect(text.replace(/[^/\0\r\n]/g, '').length).toBe(
          bytes.filter((byte) => [0x2f, 0, 0x0d, 0x0a].includes(byte)).length,
        );
      }),
    );
  });
});
