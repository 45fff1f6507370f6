import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { programEnvironment, programTerminalType } from '../src/program/environment.ts';
import { createProgramOutput } from '../src/program/program-output.ts';
import { UNKNOWN_TERMINAL } from '../src/terminal.ts';

const through = (text: string, options: { readonly addsReturns: boolean; readonly binary?: boolean }): string => {
  const output = createProgramOutput({ addsReturns: options.addsReturns, binary: () => options.binary ?? false });
  return Buffer.from(output.push(Buffer.from(text, 'latin1'))).toString('latin1');
};

describe('output of a program as a network virtual terminal wants it', () => {
  test.each([
    { name: 'a line end of a terminal driver stays', text: 'a\r\nb\r\n', addsReturns: false, becomes: 'a\r\nb\r\n' },
    { name: 'a CR that ends no line is CR NUL', text: 'a\rb\r\rc', addsReturns: false, becomes: 'a\r\0b\r\0\r\0c' },
    { name: 'an LF alone moves down and stays', text: 'a\nb', addsReturns: false, becomes: 'a\nb' },
    { name: 'CR NUL stays', text: 'a\r\0b', addsReturns: false, becomes: 'a\r\0b' },
    { name: 'under BINARY a CR stands for itself', text: 'a\rb', addsReturns: false, binary: true, becomes: 'a\rb' },
    { name: 'of pipes, LF is CR LF', text: '\na\nb\r\nc\n', addsReturns: true, becomes: '\r\na\r\nb\r\nc\r\n' },
    { name: 'nothing', text: '', addsReturns: true, becomes: '' },
  ])('$name', ({ text, becomes, ...options }) => expect(through(text, options)).toBe(becomes));

  test('what lacks nothing is passed on without a copy', () => {
    const chunk = Buffer.from('plain text\r\n');
    expect(createProgramOutput({ addsReturns: false, binary: () => false }).push(chunk)).toBe(chunk);
  });

  test('any bytes, cut anywhere, become the same', () => {
    const text = fc.array(fc.constantFrom('\r', '\n', '\0', 'a', '\u00ff'), { maxLength: 30 });
    fc.assert(
      fc.property(text, fc.nat({ max: 30 }), (characters, cut) => {
        const bytes = Buffer.from(characters.join(''), 'latin1');
        const output = createProgramOutput({ addsReturns: false, binary: () => false });
        const cutInTwo = [bytes.subarray(0, cut), bytes.subarray(cut)].map((part) => Buffer.from(output.push(part)));
        expect(Buffer.concat(cutInTwo).toString('latin1')).toBe(through(characters.join(''), { addsReturns: false }));
      }),
    );
  });
});

describe('the terminal type for a program', () => {
  test.each([
    ['xterm', 'xterm'],
    ['xterm-256color', 'xterm-256color'],
    ['tmux-256color', 'tmux-256color'],
    ['vt220', 'vt220'],
    ['linux', 'linux'],
    ['xterm-kitty', 'xterm-256color'],
    ['xterm-ghostty', 'xterm-256color'],
    ['vt340', 'vt100'],
    ['syncterm', 'ansi'],
    ['unknown', 'dumb'],
    ['mudlet', 'dumb'],
    ['../../tmp/evil', 'dumb'],
    ['-xterm', 'dumb'],
    ['xterm/../../evil', 'dumb'],
    ['xterm:evil', 'dumb'],
    ['xterm\n', 'dumb'],
    ['x'.repeat(41), 'dumb'],
    ['', 'dumb'],
  ])('%s is %s', (type, expected) => expect(programTerminalType(type)).toBe(expected));
});

describe('the environment of a program', () => {
  const own = { PATH: '/bin', HOME: '/root', LC_ALL: 'C', SECRET: 'x', LD_PRELOAD: '/evil.so', NODE_OPTIONS: '--x' };
  const terminal = { ...UNKNOWN_TERMINAL, type: 'vt100', environment: new Map([['LANG', 'de_DE.UTF-8'] as const]) };

  test('has of ours what a program needs to find its files, and of the client the terminal type alone', () =>
    expect(programEnvironment({ own, terminal, isDumb: false })).toEqual({
      PATH: '/bin',
      HOME: '/root',
      LC_ALL: 'C',
      TERM: 'vt100',
    }));
  test('has a variable of the client that the operator lets in, and what the operator gives before all', () =>
    expect(
      programEnvironment({ own, terminal, isDumb: true, accept: ['LANG'], given: { PATH: '/usr/bin', X: 'y' } }),
    ).toEqual({ PATH: '/usr/bin', HOME: '/root', LC_ALL: 'C', LANG: 'de_DE.UTF-8', TERM: 'dumb', X: 'y' }));
});
