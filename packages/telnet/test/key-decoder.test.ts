import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createKeyDecoder } from '../src/keys/key-decoder.ts';
import type { Key } from '../src/keys/key.ts';

const encoder = new TextEncoder();
const bytesOf = (text: string): Uint8Array => encoder.encode(text);
const ESC = '\u001b';

/** Names of the keys, with text that was typed or pasted in one piece after another put together. */
function namesOf(keys: readonly Key[]): string[] {
  const names: string[] = [];
  for (const { name, text } of keys) {
    const last = names.at(-1);
    if (name !== 'paste') names.push(name);
    else if (last?.startsWith('paste:')) names[names.length - 1] = `${last}${text ?? ''}`;
    else names.push(`paste:${text ?? ''}`);
  }
  return names;
}
const whole = (text: string): string[] => {
  const decoder = createKeyDecoder();
  return namesOf([...decoder.push(bytesOf(text)), ...decoder.flush()]);
};
const byteByByte = (text: string): string[] => {
  const decoder = createKeyDecoder();
  const keys = [...bytesOf(text)].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
  return namesOf([...keys, ...decoder.flush()]);
};

const cases: readonly { readonly sent: string; readonly keys: readonly string[] }[] = [
  { sent: 'aé日👍', keys: ['a', 'é', '日', '👍'] },
  { sent: '-', keys: ['-'] },
  { sent: '\r\n\r\0\n\r', keys: ['enter', 'enter', 'enter', 'enter'] },
  { sent: '\u0001\u001a\u0000\u001c\u001f', keys: ['ctrl-a', 'ctrl-z', 'ctrl-space', 'ctrl-\\', 'ctrl-_'] },
  { sent: '\b\u007f\t', keys: ['backspace', 'backspace', 'tab'] },
  { sent: `${ESC}[A${ESC}OB${ESC}[1;5C${ESC}[1;2D`, keys: ['up', 'down', 'ctrl-right', 'shift-left'] },
  { sent: `${ESC}[H${ESC}[4~${ESC}[7~${ESC}[8~${ESC}OF`, keys: ['home', 'end', 'home', 'end', 'end'] },
  { sent: `${ESC}[3~${ESC}[3;5~${ESC}[5~${ESC}[6;3~`, keys: ['delete', 'ctrl-delete', 'page-up', 'alt-page-down'] },
  {
    sent: `${ESC}OP${ESC}[1;2P${ESC}[15~${ESC}[24;6~${ESC}[[E`,
    keys: ['f1', 'shift-f1', 'f5', 'ctrl-shift-f12', 'f5'],
  },
  { sent: `${ESC}[Z`, keys: ['shift-tab'] },
  { sent: `${ESC}b${ESC}F${ESC}\u007f${ESC}é`, keys: ['alt-b', 'alt-F', 'alt-backspace', 'alt-é'] },
  { sent: `${ESC}${ESC}[A`, keys: ['alt-up'] },
  { sent: `${ESC}\u0001`, keys: ['ctrl-alt-a'] },
  { sent: ESC, keys: ['escape'] },
  { sent: `${ESC}[`, keys: ['alt-['] },
  { sent: `${ESC}O`, keys: ['alt-O'] },
  { sent: `${ESC}[12;`, keys: ['unknown'] },
  { sent: `${ESC}[12\rx`, keys: ['unknown', 'enter', 'x'] },
  { sent: `${ESC}[12${ESC}[Ax`, keys: ['unknown', 'up', 'x'] },
  {
    sent: `${ESC}[a${ESC}Oa${ESC}[7$${ESC}[7^${ESC}[7@`,
    keys: ['shift-up', 'ctrl-up', 'shift-home', 'ctrl-home', 'ctrl-shift-home'],
  },
  { sent: `${ESC}Oq${ESC}OM${ESC}Ok`, keys: ['1', 'enter', '+'] },
  { sent: `${ESC}O5A`, keys: ['ctrl-up'] },
  { sent: `${ESC}[200~a\u0003b${ESC}[20`, keys: ['paste:a', 'ctrl-c', 'b', 'unknown'] },
  { sent: `${ESC}[97;5u${ESC}[27;3;98~${ESC}[228u`, keys: ['ctrl-a', 'alt-b', 'ä'] },
  { sent: `${ESC}[99999999999u`, keys: ['unknown'] },
  { sent: `${ESC}[M !!x`, keys: ['x'] },
  { sent: `${ESC}[<0;3;4Mx${ESC}[?1;2cy`, keys: ['unknown', 'x', 'unknown', 'y'] },
  { sent: `${ESC}[200~a\tb\nc${ESC}[201~d`, keys: ['paste:a\tb\nc', 'd'] },
  { sent: `${ESC}[200~a${ESC}${ESC}[201${ESC}[201~d`, keys: [`paste:a${ESC}${ESC}[201`, 'd'] },
  { sent: `${ESC}[200~${ESC}[201~d`, keys: ['d'] },
  { sent: '\u0085\u009b', keys: [] },
];

describe.each(cases)('$sent', ({ sent, keys }) => {
  test('in one chunk', () => expect(whole(sent)).toEqual(keys));
  test('byte by byte', () => expect(byteByByte(sent)).toEqual(keys));
});

test('a character says what it types, and a key that types nothing does not', () => {
  const decoder = createKeyDecoder();
  expect(decoder.push(bytesOf(`x${ESC}[A\r`))).toEqual([
    { name: 'x', text: 'x' },
    { name: 'up', text: undefined },
    { name: 'enter', text: undefined },
  ]);
});

test('it waits after ESC and in a sequence, and at no other time', () => {
  const decoder = createKeyDecoder();
  const waits = Array.from(`a${ESC}[1;5Cb${ESC}OPc${ESC}[200~x${ESC}[201~`, (character) => {
    decoder.push(bytesOf(character));
    return decoder.waiting ? character : '.';
  });
  expect(waits.join('')).toBe(`.${ESC}[1;5..${ESC}O..${ESC}[200.......`.padEnd(waits.length, '.'));
});

test('a sequence at the limit is a key, one that goes on is read to its end and is one unknown key', () => {
  const at = `${ESC}[1;${'0'.repeat(61)}5C`;
  expect(whole(`${at}x`)).toEqual(['ctrl-right', 'x']);
  expect(whole(`${ESC}[1;${'0'.repeat(62)}5Cx`)).toEqual(['unknown', 'x']);
  expect(whole(`${ESC}[${'1'.repeat(100_000)}Cx`)).toEqual(['unknown', 'x']);
});

test('a long paste is given out with each chunk, and nothing of it is kept', () => {
  const decoder = createKeyDecoder();
  decoder.push(bytesOf(`${ESC}[200~`));
  expect(decoder.push(bytesOf('x'.repeat(1000)))).toEqual([{ name: 'paste', text: 'x'.repeat(1000) }]);
  expect(decoder.push(bytesOf(`y${ESC}[20`))).toEqual([{ name: 'paste', text: 'y' }]);
  expect(decoder.push(bytesOf('1~z'))).toEqual([{ name: 'z', text: 'z' }]);
});

test('what is no UTF-8 is typed as U+FFFD', () => {
  expect(namesOf(createKeyDecoder().push(Uint8Array.of(0x61, 0xff, 0x62)))).toEqual(['a', '\ufffd', 'b']);
});

test('any bytes, cut anywhere, give the same keys, and typing goes on after them', () => {
  const byte = fc.oneof(
    fc.constantFrom(0x1b, 0x5b, 0x4f, 0x0d, 0x0a, 0x00, 0x7e, 0x3b, 0x32, 0x30, 0x31, 0x41, 0x4d, 0xc3, 0xa9),
    fc.integer({ min: 0, max: 255 }),
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 80 }), fc.array(fc.nat({ max: 80 })), (bytes, cuts) => {
      const one = createKeyDecoder();
      const expected = namesOf([...one.push(Uint8Array.from(bytes)), ...one.flush()]);
      const other = createKeyDecoder();
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const keys = places.flatMap((place, index) =>
        other.push(Uint8Array.from(bytes.slice(place, places[index + 1] ?? place))),
      );
      expect(namesOf([...keys, ...other.flush()])).toEqual(expected);
    }),
  );
});
