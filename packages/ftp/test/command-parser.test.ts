import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UTF8 } from '../src/charset.ts';
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

  test('bytes that are no UTF-8 get through, for they may be the name of a file', () => {
    const line = Uint8Array.of(0x43, 0x57, 0x44, 0x20, 0xe4, 0x62);
    const command = parseCommand({ type: 'line', bytes: line });
    expect(command).toEqual({ ok: true, value: { verb: 'CWD', argument: '\udce4b' } });
    expect(UTF8.encode('\udce4b')).toEqual(Buffer.from([0xe4, 0x62]));
  });

  test('a line that was too long is answered 500', () => {
    expect(parseCommand({ type: 'too-long' })).toMatchObject({ ok: false, error: { code: 500 } });
  });

  const outcomeOf = (bytes: Uint8Array): string => {
    const result = parseCommand({ type: 'line', bytes });
    return result.ok ? result.value.verb : String(result.error.code);
  };

  test('any bytes give a verb of capital letters and digits, 500 or 501', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(outcomeOf(bytes)).toMatch(/^(?:[A-Z][A-Z0-9]*|500|501)$/);
      }),
    );
  });

  test('any bytes behind a verb are its argument, or refused with 501', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (argument) => {
        const outcome = outcomeOf(Uint8Array.of(...Buffer.from('stor '), ...argument));
        seen.add(outcome);
        expect(outcome).toMatch(/^(?:STOR|501)$/);
      }),
    );
    expect([...seen].sort()).toEqual(['501', 'STOR']);
  });

  test('DELETE is a word of HTTP, DELE is not', () => {
    expect(isHttpMethod('DELETE')).toBe(true);
    expect(isHttpMethod('DELE')).toBe(false);
  });
});
