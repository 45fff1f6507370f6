import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { legacyCharset } from '../src/legacy-charset.ts';
import type { Charset } from '../src/charset.ts';

async function known(name: string): Promise<Charset> {
  const charset = await legacyCharset(name);
  if (charset === undefined) throw new Error(name);
  return charset;
}

describe('a legacy charset', () => {
  test.each([
    ['gbk', '\u4e2d\u6587.txt', 'd6d0cec42e747874'],
    ['GB2312', '\u8054\u901a', 'c1aacda8'],
    ['big5', '\u4e2d', 'a4a4'],
    ['shift_jis', '\u30c6', '8365'],
    ['euc-kr', '\ud55c', 'c7d1'],
    ['windows-1251', '\u041f\u0440', 'cff0'],
    ['iso-8859-1', 'gr\u00fcn', '6772fc6e'],
  ])('%s writes %s as its clients do', async (name, text, hex) => {
    const charset = await known(name);
    expect(Buffer.from(charset.encode(text)).toString('hex')).toBe(hex);
    expect(charset.decode(Buffer.from(hex, 'hex'))).toBe(text);
  });

  test('writes what it does not have as codes, and they come back as what they were', async () => {
    const latin = await known('iso-8859-1');
    expect(Buffer.from(latin.encode('a\u20acb')).toString('latin1')).toBe('a%u20ACb');
    expect(latin.decode(Buffer.from('a%u20ACb'))).toBe('a\u20acb');
    expect(Buffer.from(latin.encode('100%u20AC')).toString('latin1')).toBe('100%u0025u20AC');
    expect(latin.decode(latin.encode('\ud83d\udc31 gr\udcfcn'))).toBe('\ud83d\udc31 gr\udcfcn');
  });

  test.each(['gbk', 'shift_jis', 'windows-1251'])('%s loses nothing of any name', async (name) => {
    const charset = await known(name);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        expect(charset.decode(charset.encode(text))).toBe(text);
      }),
    );
  });

  test('must be known, and hold ASCII', async () => {
    expect(await Promise.all(['klingon', 'utf-16le', ''].map(legacyCharset))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
