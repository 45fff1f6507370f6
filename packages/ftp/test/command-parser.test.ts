import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isHttpMethod, parseCommand } from '../src/command-parser.ts';

const parse = (text: string) => parseCommand({ type: 'line', bytes: new TextEncoder().encode(text) });

describe('a command line', () => {
  test.each([
    ['NOOP', 'NOOP', ''],
    ['user Ann', 'USER', 'Ann'],
    ['STOR  two  spaces ', 'STOR', ' two  spaces '],
    ['CWD ', 'CWD', ''],
    ['RETR naïve–file', 'RETR', 'naïve–file'],
    ['SITE CHMOD 644 x', 'SITE', 'CHMOD 644 x'],
  ])('%j is split at its first space', (text, verb, argument) => {
    expect(parse(text)).toEqual({ ok: true, value: { verb, argument } });
  });

  test.each([
    ['', 500],
    ['   ', 500],
    ['__proto__', 500],
    ['\x16\x03\x01', 500],
    ['ABCDEFGHIJKLMNOPQ', 500],
    ['RETR a\0b', 501],
    ['RETR a\rb', 501],
  ])('%j is answered %i', (text, code) => {
    expect(parse(text)).toMatchObject({ ok: false, error: { code } });
  });

  test('what is not UTF-8 is answered 501', () => {
    expect(parseCommand({ type: 'line', bytes: Uint8Array.of(0x43, 0x57, 0x44, 0x20, 0xe4) })).toMatchObject({
      ok: false,
      error: { code: 501 },
    });
  });

  test('a line that was too long is answered 500', () => {
    expect(parseCommand({ type: 'too-long' })).toMatchObject({ ok: false, error: { code: 500 } });
  });

  test('any bytes give a command or a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const result = parseCommand({ type: 'line', bytes });
        if (result.ok) expect(result.value.verb).toMatch(/^[A-Z]+$/);
        else expect([500, 501]).toContain(result.error.code);
      }),
    );
  });

  test('DELETE is a word of HTTP, DELE is not', () => {
    expect(isHttpMethod('DELETE')).toBe(true);
    expect(isHttpMethod('DELE')).toBe(false);
  });
});
