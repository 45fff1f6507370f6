// What a connection is said to be doing: for people, on terminals and in logs.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_DOING_CHARACTERS, shortText } from '../../src/connection/short-text.ts';
import { createMemoryConnection } from '../../src/testing/index.ts';

test('a sink is asked, and the present one goes before what was set', () => {
  const { connection } = createMemoryConnection();
  expect(connection.doing).toBeUndefined();
  connection.doing = 'waiting for its turn';
  expect(connection.doing).toBe('waiting for its turn');
  let doing: string | undefined = 'RETR big.iso';
  connection.attach({ data: () => undefined, doing: () => doing });
  expect(connection.doing).toBe('RETR big.iso');
  doing = undefined;
  expect(connection.doing).toBeUndefined();
  connection.attach({ data: () => undefined });
  expect(connection.doing).toBe('waiting for its turn');
});

test('a sink that throws when it is asked ends its connection, and nothing else', () => {
  const memory = createMemoryConnection();
  memory.connection.attach({
    data: () => undefined,
    doing() {
      throw new Error('a mistake');
    },
  });
  expect(memory.connection.doing).toBeUndefined();
  expect(memory.closeReason).toBe('handler-failed');
});

test.each([
  ['escapes of a terminal', 'RETR \x1b[2Ja\x07', 'RETR [2Ja'],
  ['ends of lines', 'GET /a\r\nGET /b\u2028c', 'GET /aGET /bc'],
  ['what turns a line around', 'RETR \u202Egnp.exe', 'RETR gnp.exe'],
  ['C1 controls', 'a\x9bb', 'ab'],
  ['half a pair', 'a\ud83d', 'a'],
])('%s are taken out of it', (_, said, shown) => {
  expect(shortText(said)).toBe(shown);
});

test('160 characters are shown as they are, of one more the first 160', () => {
  const most = 'x'.repeat(MAX_DOING_CHARACTERS);
  expect(shortText(most)).toBe(most);
  expect(shortText(`${most}y`)).toBe(`${most}…`);
});

test('whatever is said comes out as one line of bounded length that is well-formed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (said) => {
      const shown = shortText(said);
      expect(shown.length).toBeLessThanOrEqual(MAX_DOING_CHARACTERS + 1);
      expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
      expect(shortText(shown.slice(0, MAX_DOING_CHARACTERS))).toBe(shown.slice(0, MAX_DOING_CHARACTERS));
    }),
  );
});
