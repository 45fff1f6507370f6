import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanClientText } from '../src/engine/client-text.ts';
import { answerCharsetRequest, CHARSET_REQUEST, charsetOf, parseCharset } from '../src/engine/options/charset.ts';
import { parseWindowSize } from '../src/engine/options/naws.ts';
import { ENVIRONMENT_SEND, parseEnvironment } from '../src/engine/options/new-environ.ts';
import { encodeStatus, isStatusRequest } from '../src/engine/options/status.ts';
import {
  addTerminalName,
  mudClientOf,
  parseMtts,
  parseTerminalType,
  terminalOf,
} from '../src/engine/options/terminal-type.ts';

const bytes = (...parts: readonly (number | string)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)])));

describe('NAWS', () => {
  test.each([
    { name: '80 by 24', payload: [0, 80, 0, 24], size: { columns: 80, rows: 24 } },
    { name: 'more than a byte', payload: [1, 4, 0, 50], size: { columns: 260, rows: 50 } },
    { name: 'at the limit', payload: [3, 232, 3, 232], size: { columns: 1000, rows: 1000 } },
    { name: 'one past the limit is cut to it', payload: [3, 233, 255, 255], size: { columns: 1000, rows: 1000 } },
    { name: '0 by 0 is unknown', payload: [0, 0, 0, 0], size: { columns: undefined, rows: undefined } },
    { name: 'only the rows unknown', payload: [0, 80, 0, 0], size: { columns: 80, rows: undefined } },
    { name: 'too short is nothing', payload: [0, 80, 0], size: undefined },
    { name: 'too long is nothing', payload: [0, 80, 0, 24, 0], size: undefined },
    { name: 'empty is nothing', payload: [], size: undefined },
  ])('$name', ({ payload, size }) => expect(parseWindowSize(Uint8Array.from(payload))).toEqual(size));
});

describe('terminal type', () => {
  test('a name is read', () => expect(parseTerminalType(bytes(0, 'XTERM-256COLOR'))).toBe('XTERM-256COLOR'));
  test('a name has at most 40 characters', () => {
    expect(parseTerminalType(bytes(0, 'x'.repeat(40)))).toHaveLength(40);
    expect(parseTerminalType(bytes(0, 'x'.repeat(41)))).toHaveLength(40);
  });
  test('escape sequences do not survive', () =>
    expect(parseTerminalType(bytes(0, '\u001b]0;evil\u0007vt\u009b31m'))).toBe(']0;evilvt31m'));
  test.each([[[]], [[0]], [[1]], [[7, 65]], [[0, 32, 32]]])('%j is no name', (payload) =>
    expect(parseTerminalType(Uint8Array.from(payload))).toBeUndefined(),
  );

  test('the list ends when a name repeats', () => {
    expect(addTerminalName([], 'XTERM')).toEqual({ names: ['XTERM'], done: false });
    expect(addTerminalName(['XTERM'], 'XTERM')).toEqual({ names: ['XTERM'], done: true });
  });
  test('the list ends at eight names', () => {
    const names = Array.from({ length: 6 }, (_, index) => `T${index}`);
    expect(addTerminalName(names, 'T6').done).toBe(false);
    expect(addTerminalName([...names, 'T6'], 'T7').done).toBe(true);
  });

  test('MTTS is a set of bits', () => {
    expect(parseMtts('MTTS 271')).toEqual(['ansi', 'vt100', 'utf-8', '256-colors', 'truecolor']);
    expect(parseMtts('mtts 0')).toEqual([]);
    for (const name of ['MTTS', 'MTTS x', 'XTERM', 'xMTTS 1', 'MTTS 1x', 'MTTS 1234567890'])
      expect(parseMtts(name)).toBeUndefined();
  });

  test.each([
    { names: ['XTERM-256COLOR'], client: undefined, terminal: 'xterm-256color' },
    { names: ['ANSI', 'VT100'], client: undefined, terminal: 'ansi' },
    { names: ['TINTIN++', 'xterm', 'MTTS 271'], client: 'tintin++', terminal: 'xterm' },
    { names: ['MUDLET', 'ANSI-TRUECOLOR', 'MTTS 2349'], client: 'mudlet', terminal: 'ansi-truecolor' },
    { names: ['Mudlet 4.17'], client: 'mudlet 4.17', terminal: 'mudlet 4.17' },
    { names: ['SOMETHING', 'VT100', 'MTTS 1'], client: 'something', terminal: 'vt100' },
    { names: ['TINYFUGUE', 'ANSI-ATTR', 'ANSI', 'UNKNOWN'], client: 'tinyfugue', terminal: 'ansi-attr' },
    { names: [], client: undefined, terminal: undefined },
  ])('$names is the client $client on a $terminal', ({ names, client, terminal }) => {
    expect(mudClientOf(names)).toBe(client);
    expect(terminalOf(names)).toBe(terminal);
  });
});

describe('CHARSET', () => {
  test('our request asks for UTF-8 first, then for what old clients have, in the 64 bytes of the smallest buffer', () => {
    expect(parseCharset(CHARSET_REQUEST)).toEqual({
      type: 'request',
      charsets: ['UTF-8', 'ISO-8859-1', 'CP437', 'US-ASCII'],
    });
    expect(CHARSET_REQUEST.length).toBeLessThan(64);
  });
  test('a list is split at its first character', () =>
    expect(parseCharset(bytes(1, ' ISO-8859-1 utf-8'))).toEqual({
      type: 'request',
      charsets: ['ISO-8859-1', 'utf-8'],
    }));
  test('an offer of a table is read past', () =>
    expect(parseCharset(bytes(1, '[TTABLE]', 1, ';UTF-8'))).toEqual({ type: 'request', charsets: ['UTF-8'] }));
  test('the other messages', () => {
    expect(parseCharset(bytes(2, 'UTF-8'))).toEqual({ type: 'accepted', charset: 'UTF-8' });
    expect(parseCharset(bytes(3))).toEqual({ type: 'rejected' });
    expect(parseCharset(bytes(4, 1, 2))).toEqual({ type: 'table' });
    expect(parseCharset(bytes(1))).toEqual({ type: 'request', charsets: [] });
    expect(parseCharset(bytes())).toBeUndefined();
    expect(parseCharset(bytes(9))).toBeUndefined();
  });
  test.each([
    ['UTF-8', ['UTF-8', 'utf8', 'csUTF8'], ['xutf-8', 'utf-8x', 'utf--8']],
    [
      'ISO-8859-1',
      ['ISO-8859-1', 'iso_8859-1:1987', 'iso88591', 'latin1', 'LATIN-1', 'l1', 'cp819', 'iso-ir-100'],
      ['ISO-8859-15', 'iso-8859-1:1988', 'xlatin1', 'latin10'],
    ],
    ['CP437', ['CP437', 'ibm437', 'IBM-437', 'csPC8CodePage437'], ['xcp437', 'cp4370', '437']],
    [
      'US-ASCII',
      ['US-ASCII', 'ascii', 'usascii', 'ANSI_X3.4-1968', 'ansi_x3.4-1986'],
      ['xascii', 'asciix', 'ansi_x3.4-1977'],
    ],
  ] as const)('%s has these names, and no others that look like them', (charset, names, others) => {
    expect(names.map((name) => charsetOf(name))).toEqual(names.map(() => charset));
    expect(others.map((name) => charsetOf(name))).toEqual(others.map(() => undefined));
  });
  test('names have at most 40 characters, and a list at most 64 names of them', () => {
    expect(parseCharset(bytes(2, 'x'.repeat(41)))).toEqual({ type: 'accepted', charset: 'x'.repeat(40) });
    const list = `;${'x'.repeat(40)}`.repeat(64);
    expect(parseCharset(bytes(1, list))).toHaveProperty('charsets.length', 64);
    expect(parseCharset(bytes(1, `${list};utf-8`))).toHaveProperty('charsets.length', 64);
  });
  test('what we like best is accepted as spelled, what we do not speak is rejected', () => {
    expect(answerCharsetRequest(['ASCII', 'utf8'])).toEqual({ payload: bytes(2, 'utf8'), charset: 'UTF-8' });
    expect(answerCharsetRequest(['IBM437', 'latin1'])).toEqual({ payload: bytes(2, 'latin1'), charset: 'ISO-8859-1' });
    expect(answerCharsetRequest(['KOI8-R'])).toEqual({ payload: bytes(3), charset: undefined });
  });
});

describe('NEW-ENVIRON', () => {
  test('the request names no USER and fits the smallest client buffer', () => {
    expect(new TextDecoder().decode(ENVIRONMENT_SEND)).not.toContain('USER');
    expect(ENVIRONMENT_SEND.length).toBeLessThanOrEqual(60);
  });
  test('known variables are kept, of either kind', () =>
    expect(parseEnvironment(bytes(0, 0, 'LANG', 1, 'de_DE.UTF-8', 3, 'COLORTERM', 1, 'truecolor'))).toEqual(
      new Map([
        ['LANG', 'de_DE.UTF-8'],
        ['COLORTERM', 'truecolor'],
      ]),
    ));
  test.each([
    ['USER', '-f root'],
    ['USER', '-froot'],
    ['LD_PRELOAD', '/tmp/x.so'],
    ['CREDENTIALS_DIRECTORY', '/tmp'],
    ['TERMCAP', '/tmp/x'],
    ['DISPLAY', ':0'],
    ['LANG', '../../etc'],
    ['LANG', '--'],
    ['LANG', '-f'],
    ['LANG', 'a\nb'],
    ['LANG', '\u001b[2J'],
    ['LANG', 'C; rm'],
    ['LANG', 'x'.repeat(65)],
    ['toString', 'x'],
  ])('%s=%j is not kept', (name, value) =>
    expect(parseEnvironment(bytes(0, 0, name, 1, value, 3, name, 1, value))).toEqual(new Map()),
  );
  test('a value at the limit is kept', () =>
    expect(parseEnvironment(bytes(0, 0, 'LANG', 1, 'x'.repeat(64)))?.get('LANG')).toHaveLength(64));
  test('a value may be escaped', () =>
    expect(parseEnvironment(bytes(2, 0, 2, 'LANG', 1, 2, 'C'))?.get('LANG')).toBe('C'));
  test('a name without a value is not set', () =>
    expect(parseEnvironment(bytes(0, 3, 'LANG', 3, 'LC_ALL', 1, 'C'))).toEqual(new Map([['LC_ALL', 'C']])));
  test('a value without a name is ignored', () =>
    expect(parseEnvironment(bytes(0, 1, 'C', 0, 'LANG', 1, 'C', 1, 'D'))).toEqual(new Map([['LANG', 'C']])));
  test('an escape at the very end is survived', () =>
    expect(parseEnvironment(bytes(0, 0, 'LANG', 1, 'C', 2))?.get('LANG')).toBe('C'));
  test('other messages are nothing', () => {
    expect(parseEnvironment(bytes())).toBeUndefined();
    expect(parseEnvironment(bytes(1, 0, 'LANG'))).toBeUndefined();
  });
});

test('STATUS lists both sides', () => {
  expect(isStatusRequest(bytes(1))).toBe(true);
  for (const payload of [bytes(), bytes(0), bytes(1, 1)]) expect(isStatusRequest(payload)).toBe(false);
  expect([
    ...encodeStatus([
      { side: 'us', option: 5 },
      { side: 'peer', option: 31 },
    ]),
  ]).toEqual([0, 251, 5, 253, 31]);
});

describe('text from a client', () => {
  test.each([
    ['plain', 'plain'],
    ['\u001b[31mred', '[31mred'],
    ['a\r\nb\0', 'ab'],
    ['\u009b2J', '2J'],
    ['x\u202eevil', 'xevil'],
    ['grüße 😀', 'grüße 😀'],
  ])('%j becomes %j', (given, clean) => expect(cleanClientText(given, 40)).toBe(clean));
  test('is cut between characters', () => {
    expect(cleanClientText('😀'.repeat(5), 4)).toBe('😀'.repeat(4));
    expect(cleanClientText('😀'.repeat(4), 4)).toBe('😀'.repeat(4));
  });
});

test('no payload makes any of them throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (payload) => {
      parseWindowSize(payload);
      parseTerminalType(payload);
      parseCharset(payload);
      parseEnvironment(payload);
      isStatusRequest(payload);
    }),
  );
});
