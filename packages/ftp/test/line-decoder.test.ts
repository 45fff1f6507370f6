import { byteByByte, cutAt, everyCut } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineDecoder, type LineEvent, type TelnetRefusal } from '../src/line-decoder.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

function decode(chunks: readonly Uint8Array[], maxLineBytes = 64): string[] {
  const decoder = new LineDecoder({ maxLineBytes });
  const lines: string[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    chunk.fill(0xee);
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) lines.push(textOf(event));
  }
  return lines;
}

function textOf(event: LineEvent | TelnetRefusal): string {
  if (event.type === 'too-long') return '<too long>';
  const text = String.fromCharCode(...event.bytes);
  return event.type === 'line' ? text : `<${text}>`;
}

const CASES = [
  { name: 'CR LF ends a line', input: 'NOOP\r\n', lines: ['NOOP'] },
  { name: 'LF alone ends a line', input: 'NOOP\nPWD\n', lines: ['NOOP', 'PWD'] },
  { name: 'an empty line is a line', input: '\r\n\n', lines: ['', ''] },
  { name: 'a line without an end is no line yet', input: 'NOO', lines: [] },
  { name: 'only one CR belongs to the line end', input: 'A\r\r\n', lines: ['A\r'] },
  { name: 'spaces are kept', input: 'CWD  a b \r\n', lines: ['CWD  a b '] },
  { name: 'IAC IP, IAC DM before ABOR are taken out', input: '\xff\xf4\xff\xf2ABOR\r\n', lines: ['ABOR'] },
  {
    name: 'ABOR survives when the Data Mark travels as urgent data and is lost',
    input: '\xff\xf4\xffABOR\r\n',
    lines: ['ABOR'],
  },
  { name: 'ABOR survives when the IAC before the Data Mark is lost', input: '\xff\xf4\xf2ABOR\r\n', lines: ['ABOR'] },
  {
    name: 'WILL and DO are refused, WONT and DONT need no answer, and the line around them is whole',
    input: '\xff\xfb\x01NO\xff\xfe\x03O\xff\xfd\x18\xff\xfc\x01P\r\n',
    lines: ['<\xff\xfe\x01>', '<\xff\xfc\x18>', 'NOOP'],
  },
  { name: 'a subnegotiation is taken out whole', input: '\xff\xfa\x18A\nB\xff\xffC\xff\xf0NOOP\r\n', lines: ['NOOP'] },
  { name: 'IAC IAC is one data byte', input: 'CWD a\xff\xff\r\n', lines: ['CWD a\xff'] },
  {
    name: '0xFF in an argument is a letter, for those who do not send it twice',
    input: 'CWD \xff\xfe\r\nCWD a\xff\nCWD \xff\xff\xff\xfaa\xf0\n',
    lines: ['CWD \xff\xfe', 'CWD a\xff', 'CWD \xff\xff\xfaa\xf0'],
  },
  { name: 'UTF-8 bytes in an argument are kept', input: 'CWD \xf0\x9f\x98\x80\r\n', lines: ['CWD \xf0\x9f\x98\x80'] },
];

describe.each(CASES)('$name', ({ input, lines }) => {
  test('whole, byte by byte, and cut anywhere in two', () => {
    expect(decode(byteByByte(bytesOf(input)))).toEqual(lines);
    for (const chunks of everyCut(bytesOf(input))) expect(decode(chunks)).toEqual(lines);
  });
});

test('any bytes, cut anywhere, give the same lines, none longer than the limit', () => {
  const byte = fc.oneof(fc.constantFrom(10, 13, 65, 255, 250, 240, 242, 251), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(byte, { maxLength: 300 }),
      fc.array(fc.nat(600)),
      (noise, biased, cuts) => {
        const input = Uint8Array.from([...biased, ...noise]);
        const whole = decode([input.slice()], 16);
        expect(decode(cutAt(input, cuts), 16)).toEqual(whole);
        for (const line of whole) expect(line === '<too long>' || line.length <= 16).toBe(true);
      },
    ),
  );
});

test('a line of exactly the limit is a line, one byte more is reported once and discarded to its end', () => {
  const limit = 'x'.repeat(64);
  expect(decode([bytesOf(`${limit}\r\n${limit}\n`)])).toEqual([limit, limit]);
  expect(decode([bytesOf(`${limit}x\r\nNOOP\r\n`)])).toEqual(['<too long>', 'NOOP']);
  expect(decode([bytesOf(`${limit}x\nNOOP\r\n`)])).toEqual(['<too long>', 'NOOP']);
  expect(decode([bytesOf(`${'y'.repeat(100_000)}\r\nNOOP\r\n`)])).toEqual(['<too long>', 'NOOP']);
});

test('without Telnet 0xFF twice in an argument is two bytes of it, and in front of a verb a command still is none', () => {
  const decoder = new LineDecoder({ isPlain: () => true });
  decoder.push(bytesOf('\xff\xf4\xff\xf2CWD \xff\xff\xfe\r\n'));
  const event = decoder.next();
  expect(event && textOf(event)).toBe('CWD \xff\xff\xfe');
});

test('lines that were not asked for stay bytes', () => {
  const decoder = new LineDecoder();
  decoder.push(bytesOf('A\nB\nC\n'));
  decoder.next();
  expect(decoder.pendingBytes).toBe(4);
});

test.each([
  ['nothing', '', 0],
  ['a line that was given', 'NOOP\r\n', 0],
  ['the beginning of a line', 'NOOP\r\nNOO', 3],
  ['the beginning of a line that is too long already', 'x'.repeat(80), 65],
  ['the end of one, and nothing behind it', `${'x'.repeat(80)}\n`, 0],
  ['an IAC', '\xff', 1],
  ['a WILL without its option', 'NO\xff\xfb', 3],
  ['a subnegotiation that has not ended', '\xff\xfa\x18abc', 1],
])('%s: what is held of it, which a handshake must not find, is %s in %i bytes', (_, input, held) => {
  const decoder = new LineDecoder({ maxLineBytes: 64 });
  for (const chunk of byteByByte(bytesOf(input))) {
    decoder.push(chunk);
    decoder.next();
  }
  expect(decoder.heldBytes).toBe(held);
  const whole = new LineDecoder({ maxLineBytes: 64 });
  whole.push(bytesOf(input));
  while (whole.next() !== undefined);
  expect(whole.heldBytes).toBe(held);
});

test('ABOR whose line feed was lost as urgent data ends at its CR, and one that came whole is one line', () => {
  const lines = (text: string): string[] => {
    const decoder = new LineDecoder();
    decoder.push(Buffer.from(text, 'latin1'));
    const found: string[] = [];
    for (let event = decoder.next(); event !== undefined; event = decoder.next())
      found.push(event.type === 'line' ? Buffer.from(event.bytes).toString('latin1') : event.type);
    return found;
  };
  expect(lines('ABOR\r')).toEqual(['ABOR']);
  expect(lines('abor\rNOOP\r\n')).toEqual(['abor', 'NOOP']);
  expect(lines('ABOR\r\nNOOP\r\n')).toEqual(['ABOR', 'NOOP']);
  expect(lines('ABOR\r\0\r\n')).toEqual(['ABOR', '']);
  expect(lines('STOR\rX\r\n')).toEqual(['STOR\rX']);
});
