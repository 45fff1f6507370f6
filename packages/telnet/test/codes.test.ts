import { expect, test } from 'vitest';
import { commandOf, COMMANDS, OPTIONS, optionText, verbOf } from '../src/engine/codes.ts';

const codesOf = (table: Readonly<Record<string, { readonly code: number }>>): number[] =>
  Object.values(table).map(({ code }) => code);

test('no two commands and no two options share a number', () => {
  for (const codes of [codesOf(COMMANDS), codesOf(OPTIONS)]) expect(new Set(codes).size).toBe(codes.length);
});

test('commands are the twenty numbers from 236, each a verb, a command of its own, or SB, SE and IAC', () => {
  const numbers = codesOf(COMMANDS).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => 236 + index));
  const neither = Object.entries(COMMANDS).filter(
    ([, { code }]) => verbOf(code) === undefined && commandOf(code) === undefined,
  );
  expect(neither.map(([name]) => name)).toEqual(['SE', 'SB', 'IAC']);
});

test('an option is written by its name, or its number where it has none', () => {
  expect(optionText(31)).toBe('NAWS');
  expect(optionText(200)).toBe('200');
});
