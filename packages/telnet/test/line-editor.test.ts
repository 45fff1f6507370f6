import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyCompletions } from '../src/editor/completion.ts';
import { EMPTY_LINE, textOf, type EditState } from '../src/editor/edit-state.ts';
import { createHistory } from '../src/editor/history.ts';
import { stepLine, type EditContext, type EditEffect } from '../src/editor/line-editor.ts';
import { createKeyDecoder } from '../src/keys/key-decoder.ts';

const CONTEXT: EditContext = { history: [], maxLineBytes: 4096, isSecret: false };

interface Typed {
  readonly state: EditState;
  readonly effects: readonly EditEffect[];
  /** The line, with `|` for the cursor. */
  readonly shown: string;
}

/** Types characters, and keys by their names in angle brackets: `ab<left>c`. */
function type(text: string, context: Partial<EditContext> = {}, from: EditState = EMPTY_LINE): Typed {
  const effects: EditEffect[] = [];
  let state = from;
  for (const [, name, character] of text.matchAll(/<([^<>]+)>|([^])/gu)) {
    const key = name === undefined ? { name: character!, text: character! } : { name, text: undefined };
    const step = stepLine(state, key, { ...CONTEXT, ...context });
    state = step.state;
    if (step.effect !== undefined) effects.push(step.effect);
  }
  return { state, effects, shown: `${state.before}|${state.after}` };
}

describe('keys edit the line', () => {
  test.each([
    { keys: 'abc', shown: 'abc|' },
    { keys: 'abc<left><left>X', shown: 'aX|bc' },
    { keys: 'abc<home>X<end>Y', shown: 'XabcY|' },
    { keys: 'abc<ctrl-a><right>X<ctrl-e>', shown: 'aXbc|' },
    { keys: 'abc<backspace>', shown: 'ab|' },
    { keys: 'abc<home><delete>', shown: '|bc' },
    { keys: 'abc<home><ctrl-d>', shown: '|bc' },
    { keys: 'one two-three<ctrl-left>', shown: 'one two-|three' },
    { keys: 'one two-three<alt-b><alt-b><alt-f>', shown: 'one two|-three' },
    { keys: 'one two-three <ctrl-w>', shown: 'one |' },
    { keys: 'one two-three<alt-backspace>', shown: 'one two-|' },
    { keys: 'one two<home><alt-d>', shown: '| two' },
    { keys: 'one two<home><alt-d><end> <ctrl-y>', shown: ' two one|' },
    { keys: 'one two<ctrl-u>', shown: '|' },
    { keys: 'one two<ctrl-left><ctrl-k><ctrl-a><ctrl-y>', shown: 'two|one ' },
    { keys: 'a b c<ctrl-w><ctrl-w><ctrl-y>', shown: 'a b c|' },
    { keys: 'a b c<home><alt-d><alt-d><ctrl-y>', shown: 'a b| c' },
    { keys: 'a b<ctrl-w>x<ctrl-w><ctrl-y>', shown: 'a x|' },
    { keys: 'abc<ctrl-t>', shown: 'acb|' },
    { keys: 'abc<left><ctrl-t>', shown: 'acb|' },
    { keys: 'a<ctrl-t>', shown: 'a|' },
    { keys: 'ae\u0301<backspace>', shown: 'a|' },
    { keys: 'a👨‍👩‍👧b<left><left>x', shown: 'ax|👨‍👩‍👧b' },
    { keys: '🇩🇪🇫🇷<backspace>', shown: '🇩🇪|' },
    { keys: '日本語<left><backspace>', shown: '日|語' },
    { keys: 'äöü ßé<alt-b>', shown: 'äöü |ßé' },
    { keys: 'a𝒳𝒴<alt-b>', shown: '|a𝒳𝒴' },
    { keys: '<left><right><home><end><ctrl-y>', shown: '|' },
    { keys: 'x<f5><unknown><alt-q><constructor>', shown: 'x|' },
  ])('$keys', ({ keys, shown }) => expect(type(keys).shown).toBe(shown));
});

describe('what keys ask for', () => {
  test('Enter gives the line wherever the cursor is, and begins an empty one', () => {
    const { effects, shown } = type('abc<left><enter>');
    expect(effects).toEqual([{ type: 'line', text: 'abc' }]);
    expect(shown).toBe('|');
  });
  test('^C throws the line away', () => {
    const { effects, shown } = type('abc<ctrl-c>');
    expect(effects).toEqual([{ type: 'interrupt' }]);
    expect(shown).toBe('|');
  });
  test('^D ends the input of an empty line only', () => {
    expect(type('<ctrl-d>').effects).toEqual([{ type: 'end-of-input' }]);
    expect(type('a<ctrl-d>').effects).toEqual([{ type: 'bell' }]);
  });
  test('the second Tab in a row says so, and any key between them ends the row', () => {
    expect(type('a<tab><tab>b<tab><left><tab>').effects).toEqual([
      { type: 'complete', again: false },
      { type: 'complete', again: true },
      { type: 'complete', again: false },
      { type: 'complete', again: false },
    ]);
  });
  test('what can do nothing rings', () => {
    expect(type('<backspace><delete><up><down><ctrl-k>').effects).toEqual(Array(5).fill({ type: 'bell' }));
  });
});

describe('the limit of a line', () => {
  test('a line at the limit is taken, in bytes of UTF-8', () => {
    const { effects } = type('abcdé<enter>', { maxLineBytes: 6 });
    expect(effects).toEqual([{ type: 'line', text: 'abcdé' }]);
  });
  test('one past it rings, and is not a line: half a command is worse than none', () => {
    const { effects, shown } = type('abcdéf<enter>', { maxLineBytes: 6 });
    expect(effects).toEqual([{ type: 'bell' }, { type: 'overlong-line' }]);
    expect(shown).toBe('|');
  });
  test('once something was taken away it is what is shown', () => {
    const { effects } = type('abcdefg<backspace>x<enter>', { maxLineBytes: 6 });
    expect(effects).toEqual([{ type: 'bell' }, { type: 'line', text: 'abcdex' }]);
  });
  test('^D does not end the input of a line that is too long', () => {
    expect(type('a<ctrl-d>', { maxLineBytes: 0 }).effects).not.toContainEqual({ type: 'end-of-input' });
  });
});

describe('the history', () => {
  const history = ['first', 'second'];
  test.each([
    { keys: '<up>', shown: 'second|' },
    { keys: '<up><up>', shown: 'first|' },
    { keys: '<ctrl-p><ctrl-p><ctrl-p>', shown: 'first|' },
    { keys: 'draft<up><up><down><down>', shown: 'draft|' },
    { keys: 'draft<up><down><down>', shown: 'draft|' },
    { keys: '<up>!<up><down>', shown: 'second|' },
  ])('$keys', ({ keys, shown }) => expect(type(keys, { history }).shown).toBe(shown));

  test('keeps what is not empty and not the line before', () => {
    const kept = createHistory(['a', 'a', ' ']);
    kept.add('b');
    kept.add('b');
    kept.add('a');
    expect(kept.lines).toEqual(['a', 'b', 'a']);
  });
  test('has a limit in lines, and one in characters', () => {
    const kept = createHistory([], { maxLines: 2 });
    for (const line of ['a', 'b']) kept.add(line);
    expect(kept.lines).toEqual(['a', 'b']);
    kept.add('c');
    expect(kept.lines).toEqual(['b', 'c']);
    const long = createHistory(['x'.repeat(65_536)]);
    expect(long.lines).toHaveLength(1);
    long.add('y');
    expect(long.lines).toEqual(['y']);
  });
});

describe('the search', () => {
  const history = ['show version', 'configure', 'show clock'];
  test.each([
    { keys: '<ctrl-r>sho', shown: '|show clock', place: 1 },
    { keys: '<ctrl-r>sho<ctrl-r>', shown: '|show version', place: 3 },
    { keys: '<ctrl-r>show v', shown: '|show version', place: 3 },
    { keys: '<ctrl-r>show v<backspace><backspace>', shown: '|show clock', place: 1 },
    { keys: '<ctrl-r>conf<end>x', shown: 'configurex|', place: undefined },
    { keys: 'draft<ctrl-r>conf<ctrl-g>', shown: 'draft|', place: undefined },
    { keys: '<ctrl-r>conf<left>', shown: '|configure', place: undefined },
    { keys: '<ctrl-r>nothing like it', shown: 'co|nfigure', place: 0 },
  ])('$keys', ({ keys, shown, place }) => {
    const found = type(keys, { history });
    expect(found.shown).toBe(shown);
    expect(found.state.search?.place).toBe(place);
  });
  test('Enter enters what was found', () => {
    expect(type('<ctrl-r>vers<enter>', { history }).effects).toEqual([{ type: 'line', text: 'show version' }]);
  });
  test('a query at the limit is searched for, a longer one is not', () => {
    const long = [`${'x'.repeat(128)}y`];
    expect(type(`<ctrl-r>${'x'.repeat(128)}`, { history: long }).state.search?.query).toHaveLength(128);
    expect(type(`<ctrl-r>${'x'.repeat(128)}y`, { history: long }).state.search?.query).toHaveLength(128);
  });
});

test('of a secret line nothing is kept, completed or found', () => {
  const secret = { isSecret: true, history: ['old'] };
  const { state, effects } = type('hunter2<ctrl-u><up><tab><ctrl-r>', secret);
  expect(state).toEqual(EMPTY_LINE);
  expect(effects).toEqual(Array(3).fill({ type: 'bell' }));
});

describe('completion', () => {
  const complete = (line: string, candidates: readonly string[], from?: number): string => {
    const { state, choices, bell } = applyCompletions(
      type(line).state,
      from === undefined ? candidates : { candidates, from },
    );
    return `${state.before}|${state.after}${bell ? ' bell' : ''}${choices.length > 0 ? ` ${choices.join(',')}` : ''}`;
  };
  test.each([
    { line: 'show ver', candidates: ['version'], becomes: 'show version |' },
    { line: 'ver<left>', candidates: ['version'], becomes: 'version |r' },
    { line: 'cd us', candidates: ['usr/'], becomes: 'cd usr/|' },
    { line: 'x s', candidates: ['show', 'shutdown'], becomes: 'x sh|' },
    { line: 'x sh', candidates: ['show', 'shutdown'], becomes: 'x sh| bell show,shutdown' },
    { line: 'x q', candidates: [], becomes: 'x q| bell' },
    { line: 'SH', candidates: ['show'], becomes: 'show |' },
    { line: 'a b', candidates: ['a big one'], from: 0, becomes: 'a big one |' },
    { line: 'a', candidates: ['ab', 'ab'], becomes: 'ab |' },
    { line: 'a', candidates: ['a\u001b[2J', 'a\nb'], becomes: 'a| bell' },
    { line: 'e', candidates: ['e\u0301a', 'e\u0300a'], becomes: 'e| bell e\u0301a,e\u0300a' },
  ])('$line', ({ line, candidates, from, becomes }) => expect(complete(line, candidates, from)).toBe(becomes));
});

test('any keys leave a line within its limit, whose text and cursor are whole characters', () => {
  const keys = fc.array(
    fc.constantFrom(
      'a',
      ' ',
      'é',
      '日',
      '👍',
      '<left>',
      '<right>',
      '<home>',
      '<end>',
      '<backspace>',
      '<delete>',
      '<ctrl-w>',
      '<ctrl-k>',
      '<ctrl-u>',
      '<ctrl-y>',
      '<ctrl-t>',
      '<up>',
      '<down>',
      '<ctrl-r>',
      '<enter>',
      '<alt-b>',
      '<alt-d>',
      '<escape>',
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(keys, (names) => {
      const { state } = type(names.join(''), { maxLineBytes: 20, history: ['old 👍 line', 'other'] });
      expect(Buffer.byteLength(textOf(state))).toBeLessThanOrEqual(20);
      expect(`${state.before}|${state.after}`).not.toMatch(/\p{Surrogate}/u);
    }),
  );
});

test('the decoder and the editor together: what a terminal sends becomes a line', () => {
  const keys = createKeyDecoder().push(Buffer.from('helo\u001b[Dl\u001b[F, world\r\0'));
  let state = EMPTY_LINE;
  const effects = keys.map((key) => {
    const step = stepLine(state, key, CONTEXT);
    state = step.state;
    return step.effect;
  });
  expect(effects.at(-1)).toEqual({ type: 'line', text: 'hello, world' });
});
