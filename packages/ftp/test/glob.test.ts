import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compilePattern, isPattern } from '../src/listing/glob.ts';

describe('a pattern', () => {
  test.each([
    ['*', 'a.txt', true],
    ['*', '', true],
    ['*', '.hidden', false],
    ['.*', '.hidden', true],
    ['?hidden', '.hidden', false],
    ['[.]hidden', '.hidden', true],
    ['[!x]hidden', '.hidden', false],
    ['*.txt', 'a.txt', true],
    ['*.txt', 'a.txt.gz', false],
    ['a*b*c', 'a__b__b__c', true],
    ['a*b*c', 'a__c__b', false],
    ['a**c', 'abc', true],
    ['?', 'a', true],
    ['?', '', false],
    ['?', 'ab', false],
    ['[abc]x', 'bx', true],
    ['[abc]x', 'dx', false],
    ['[a-c]x', 'cx', true],
    ['[a-c]x', 'dx', false],
    ['[!a-c]x', 'dx', true],
    ['[^a-c]x', 'bx', false],
    ['[]]', ']', true],
    ['[a-]', '-', true],
    ['[]-a]', '^', true],
    ['[abc', '[abc', true],
    ['[]', '[]', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a\\', 'a\\', true],
    ['img_[0-9][0-9].jpg', 'img_07.jpg', true],
    ['gr?n', 'grün', true],
    ['gr?n', 'gr\udcfcn', true],
  ])('%s and the name %s: %s', (pattern, name, expected) => {
    expect(compilePattern(pattern)(name)).toBe(expected);
  });

  test('is told from a plain name', () => {
    expect(['*', 'a?', '[a]', 'a.txt', 'a-b', ''].map(isPattern)).toEqual([true, true, true, false, false, false]);
  });

  test('agrees with the same pattern as a regular expression', () => {
    const letters = fc.constantFrom('a', 'b', '*', '?');
    fc.assert(
      fc.property(
        fc.string({ unit: letters, maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 }),
        (pattern, name) => {
          const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
          expect(compilePattern(pattern)(name)).toBe(expression.test(name));
        },
      ),
    );
  });

  test('made to be slow takes steps in proportion to both lengths', () => {
    // A matcher that tries every way would not come back from this.
    const matches = compilePattern(`${'a*'.repeat(60)}b`);
    expect(matches('a'.repeat(255))).toBe(false);
  });

  test('of any text never throws, and matches itself with everything taken literally', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (pattern, name) => {
        compilePattern(pattern)(name);
        expect(compilePattern(name.replace(/[*?[\\]/g, '\\$&'))(name)).toBe(true);
      }),
    );
  });
});
