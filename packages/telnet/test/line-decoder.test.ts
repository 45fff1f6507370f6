import { byteByByte, cutAt, everyCut } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLineDecoder, type LineEvent } from '../src/line-decoder.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const plain = (event: LineEvent): string => (event.type === 'line' ? event.text : `<${event.type}>`);
const decode = (chunks: readonly Uint8Array[], maxLineBytes = 64): string[] => {
  const decoder = createLineDecoder({ maxLineBytes });
  const lines = chunks.flatMap((chunk) => decoder.push(chunk)).map(plain);
  const rest = decoder.finish();
  return rest === undefined ? lines : [...lines, `${rest}…`];
};

describe.each([
  { name: 'CR LF ends a line', input: 'a\r\nb\r\n', lines: ['a', 'b'] },
  { name: 'CR NUL ends a line', input: 'a\r\0b\r\0', lines: ['a', 'b'] },
  { name: 'CR alone ends a line at once', input: 'a\rb\r', lines: ['a', 'b'] },
  { name: 'LF alone ends a line', input: 'a\nb\n', lines: ['a', 'b'] },
  { name: 'all of them mixed', input: 'a\r\n\r\0\r\r\n\n\nb\n', lines: ['a', '', '', '', '', '', 'b'] },
  { name: 'LF CR is one end', input: 'a\n\r\n\rb\n', lines: ['a', '', 'b'] },
  { name: 'a line without an end is what is left', input: 'a\nb', lines: ['a', 'b…'] },
  { name: 'UTF-8 is put together again', input: 'grüße, 世界 😀\n', lines: ['grüße, 世界 😀'] },
  { name: 'backspace and DEL take a character off', input: 'helo\b\u007fllo\n', lines: ['hello'] },
  { name: 'erasing takes a whole UTF-8 character', input: 'ü😀\b\b!\n', lines: ['!'] },
  { name: 'erasing an empty line is nothing', input: '\b\b\u007fa\n', lines: ['a'] },
  { name: '^U erases the line', input: 'rm -rf\u0015ls\n', lines: ['ls'] },
  { name: '^W erases the last word', input: 'one two  \u0017three\n', lines: ['one three'] },
  { name: '^C erases and interrupts', input: 'abc\u0003d\n', lines: ['<interrupt>', 'd'] },
  { name: '^D ends the input of an empty line', input: 'a\u0004b\n\u0004', lines: ['ab', '<end-of-input>'] },
  { name: 'tab stays, other controls go', input: 'a\tb\u0000\u0007\u0018c\n', lines: ['a\tbc'] },
  { name: 'arrow and function keys go, whole', input: 'a\u001b[Ab\u001bOPc\u001b[1;5Cd\u001bxe\n', lines: ['abcde'] },
  { name: 'Enter inside a key sequence is Enter', input: 'a\u001b\rb\u001b[1\n', lines: ['a', 'b'] },
  { name: 'C1 controls go', input: 'a\u009bb\n', lines: ['ab'] },
  { name: 'U+FEFF stays', input: '\ufeffa\n', lines: ['\ufeffa'] },
])('$name', ({ input, lines }) => {
  const bytes = utf8(input);
  test('in one chunk', () => expect(decode([bytes])).toEqual(lines));
  test('byte by byte', () => expect(decode(byteByByte(bytes))).toEqual(lines));
  test('cut anywhere', () => {
    for (const chunks of everyCut(bytes)) expect(decode(chunks)).toEqual(lines);
  });
});

test('bytes that are no UTF-8 become U+FFFD', () =>
  expect(decode([Uint8Array.of(97, 0xc3, 10, 0xff, 10)])).toEqual(['a\ufffd', '\ufffd']));

describe('the limit of a line', () => {
  test('a line at the limit is read', () => expect(decode([utf8(`${'x'.repeat(8)}\n`)], 8)).toEqual(['xxxxxxxx']));
  test('one byte more rings once, and the whole line is thrown away', () => {
    for (const input of [`${'x'.repeat(9)}\nok\n`, `${'x'.repeat(500)}\r\nok\n`]) {
      for (const chunks of [[utf8(input)], byteByByte(utf8(input))])
        expect(decode(chunks, 8)).toEqual(['<overflow>', '<overlong-line>', 'ok']);
    }
  });
  test('erasing the line makes room again', () =>
    expect(decode([utf8(`${'x'.repeat(9)}\u0015ok\n`)], 8)).toEqual(['<overflow>', 'ok']));
  test('the default is 4096 bytes', () => {
    const decoder = createLineDecoder();
    expect(decoder.push(utf8(`${'x'.repeat(4096)}\n`)).map((event) => event.type)).toEqual(['line']);
    expect(decoder.push(utf8(`${'x'.repeat(4097)}\n`)).map((event) => event.type)).toEqual([
      'overflow',
      'overlong-line',
    ]);
  });
});

test('any bytes, cut anywhere, give the same lines, without controls', () => {
  const typed = fc
    .array(fc.oneof(fc.constantFrom(13, 10, 0, 8, 27, 91, 127, 21, 195, 188), fc.integer({ min: 0, max: 255 })), {
      maxLength: 60,
    })
    .map((bytes) => Uint8Array.from(bytes));
  fc.assert(
    fc.property(typed, fc.array(fc.nat(60), { maxLength: 6 }), (input, cuts) => {
      const whole = decode([input], 8);
      expect(decode(cutAt(input, cuts), 8)).toEqual(whole);
      for (const line of whole) expect(line).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
    }),
  );
});
