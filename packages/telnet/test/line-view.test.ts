// What is written is read by a terminal emulator: the screen has to be what the line says, however it came there.

import xterm from '@xterm/headless';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLineView, inColumns } from '../src/editor/line-view.ts';
import type { Frame, Screen } from '../src/editor/layout.ts';

const SCREEN: Screen = { columns: 20, rows: 10, hasCursor: true };

/** A terminal of this size, with what was written on it. */
class Emulator {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  constructor({ columns, rows }: Screen) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  }
  write(text: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(text.replaceAll('\n', '\r\n'), resolve));
  }
  resize({ columns, rows }: Screen): void {
    this.#terminal.resize(columns, rows);
  }
  /** The rows that are not empty, and the cursor. */
  get screen(): { readonly rows: readonly string[]; readonly cursor: string } {
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: active.length }, (_, row) =>
      (active.getLine(row)?.translateToString(true) ?? '').trimEnd(),
    );
    while (rows.at(-1) === '') rows.pop();
    return { rows, cursor: `${active.baseY + active.cursorY},${active.cursorX}` };
  }
}

const frame = (
  line: string,
  { prompt = '> ', mask }: { readonly prompt?: string; readonly mask?: string } = {},
): Frame => {
  const [before = '', after = ''] = line.split('|');
  return { prompt, before, after, mask };
};

async function shown(frames: readonly Frame[], screen: Screen = SCREEN): Promise<Emulator['screen']> {
  const emulator = new Emulator(screen);
  const view = createLineView(screen);
  for (const each of frames) await emulator.write(view.show(each));
  return emulator.screen;
}

describe('a line is shown with its cursor', () => {
  test.each([
    { line: 'hello|', rows: ['> hello'], cursor: '0,7' },
    { line: 'he|llo', rows: ['> hello'], cursor: '0,4' },
    { line: 'x'.repeat(17) + '|', rows: [`> ${'x'.repeat(17)}`], cursor: '0,19' },
    { line: 'x'.repeat(18) + '|', rows: [`> ${'x'.repeat(18)}`], cursor: '1,0' },
    { line: 'x'.repeat(19) + '|', rows: [`> ${'x'.repeat(18)}`, 'x'], cursor: '1,1' },
    { line: '|' + 'x'.repeat(40), rows: [`> ${'x'.repeat(18)}`, 'x'.repeat(20), 'xx'], cursor: '0,2' },
    { line: '日本|語', rows: ['> 日本語'], cursor: '0,6' },
    { line: 'x'.repeat(17) + '日|', rows: [`> ${'x'.repeat(17)}`, '日'], cursor: '1,2' },
    { line: 'e\u0301|x', rows: ['> e\u0301x'], cursor: '0,3' },
    { line: 'a\u001b[2Jb|', rows: ['> a^[[2Jb'], cursor: '0,9' },
    { line: 'a\tb|', rows: ['> a     b'], cursor: '0,9' },
  ])('$line', async ({ line, rows, cursor }) => expect(await shown([frame(line)])).toEqual({ rows, cursor }));

  test('with a mask, each character is one', async () =>
    expect(await shown([frame('pä👍|ss', { mask: '*' })])).toEqual({ rows: ['> *****'], cursor: '0,5' }));
  test('with an empty mask nothing is shown', async () =>
    expect(await shown([frame('pass|', { mask: '' })])).toEqual({ rows: ['>'], cursor: '0,2' }));
  test('colours of the prompt take no room', async () =>
    expect(await shown([frame('x|', { prompt: '\u001b[1;32m>\u001b[0m ' })])).toEqual({
      rows: ['> x'],
      cursor: '0,3',
    }));
  test('a prompt that fills its row', async () =>
    expect(await shown([frame('x|', { prompt: 'p'.repeat(20) })])).toEqual({
      rows: ['p'.repeat(20), 'x'],
      cursor: '1,1',
    }));
});

describe('as little is written as will do', () => {
  test.each([
    { from: 'hell|', to: 'hello|', written: 'o' },
    { from: 'hello|', to: 'hell|', written: '\b\u001b[K' },
    { from: 'hello|', to: 'hel|lo', written: '\b\b' },
    { from: 'hel|lo', to: 'hello|', written: '\u001b[2C' },
    { from: 'hel|lo', to: 'helX|lo', written: 'Xlo\b\b' },
    { from: 'hello|', to: 'hello|', written: '' },
    { from: 'show version|', to: 'show clock|', written: '\u001b[7Dclock\u001b[K' },
  ])('$from to $to', ({ from, to, written }) => {
    const view = createLineView({ columns: 80, rows: 24, hasCursor: true });
    view.show(frame(from));
    expect(view.show(frame(to))).toBe(written);
  });

  test('to a terminal without cursor movement, by backspace and blanks', () => {
    const view = createLineView({ columns: 80, rows: 24, hasCursor: false });
    const written = ['abc|', 'a|bc', 'aX|bc', 'aXbc|', 'a|'].map((line) => view.show(frame(line)));
    expect(written).toEqual(['> abc', '\b\b', 'Xbc\b\b', 'bc', '\b\b\b   \b\b\b']);
  });
});

const character = fc.constantFrom('a', 'b', ' ', 'é', '日', '語', 'e\u0301', '\t');
const text = fc.string({ unit: character, maxLength: 50 });
const frames = fc.array(fc.record({ prompt: fc.constantFrom('> ', 'long prompt: ', ''), before: text, after: text }), {
  minLength: 1,
  maxLength: 5,
});
const screens = [
  { columns: 20, rows: 10, hasCursor: true },
  { columns: 7, rows: 30, hasCursor: true },
  { columns: 20, rows: 3, hasCursor: true },
  { columns: 20, rows: 10, hasCursor: false },
];

test.each(screens)('however the line came about, the screen is the same: %o', async (screen) => {
  await fc.assert(
    fc.asyncProperty(frames, async (all) => {
      expect(await shown(all, screen)).toEqual(await shown(all.slice(-1), screen));
    }),
    { numRuns: 30 },
  );
});

test.each(screens)('a hidden line leaves nothing, and the cursor where it began: %o', async (screen) => {
  await fc.assert(
    fc.asyncProperty(frames, async (all) => {
      const emulator = new Emulator(screen);
      const view = createLineView(screen);
      for (const each of all) await emulator.write(view.show(each));
      await emulator.write(view.hide());
      expect(emulator.screen).toEqual({ rows: [], cursor: '0,0' });
    }),
    { numRuns: 30 },
  );
});

test.each(screens)('what comes after the line stands below it: %o', async (screen) => {
  await fc.assert(
    fc.asyncProperty(frames, async (all) => {
      const emulator = new Emulator(screen);
      const view = createLineView(screen);
      for (const each of all) await emulator.write(view.show(each));
      const { rows } = emulator.screen;
      await emulator.write(`${view.leave()}@`);
      expect(emulator.screen.rows.at(-1)).toBe('@');
      expect(emulator.screen.rows.slice(0, rows.length)).toEqual(rows);
    }),
    { numRuns: 30 },
  );
});

test('a line is drawn anew on a screen of another size, and nothing above it is lost', async () => {
  const emulator = new Emulator(SCREEN);
  const view = createLineView(SCREEN);
  const line = frame(`${'x'.repeat(30)}|${'y'.repeat(5)}`);
  await emulator.write(`above\n${view.show(line)}`);
  for (const columns of [12, 15, 30, 50]) {
    const screen = { ...SCREEN, columns };
    emulator.resize(screen);
    await emulator.write(view.resized(screen) + view.show(line));
    const { rows } = await shown([line], screen);
    expect(emulator.screen.rows.slice(-rows.length)).toEqual(rows);
    expect(emulator.screen.rows[0]).toBe('above');
  }
});

test('a cleared screen shows the line at its top', async () => {
  const emulator = new Emulator(SCREEN);
  const view = createLineView(SCREEN);
  await emulator.write(`earlier\n${view.show(frame('a|b'))}${view.clearScreen()}${view.show(frame('a|b'))}`);
  expect(emulator.screen).toEqual({ rows: ['> ab'], cursor: '0,3' });
});

test('names stand in columns, one below the other, as wide as they need', () => {
  expect(inColumns(['alpha', 'b', 'c', 'd', '日本'], 20)).toBe('alpha  d\nb      日本\nc');
  expect(inColumns(['x'.repeat(30), 'y'], 20)).toBe(`${'x'.repeat(30)}\ny`);
  expect(inColumns([], 20)).toBe('');
});
