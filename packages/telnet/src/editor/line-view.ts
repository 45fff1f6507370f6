// What has to be written so that the screen shows a line: as little as will do, which is also what a screen reader reads
// out. Knows where it left the cursor; whoever writes in between hides the line first.

import { columnsOf } from './graphemes.ts';
import { layOut, type Cell, type Frame, type Layout, type Place, type Screen } from './layout.ts';

export interface LineView {
  /** From what is shown to `frame`. */
  show(frame: Frame): string;
  /** Takes the line off the screen; the cursor is left where its prompt began. */
  hide(): string;
  /** The cursor below the line, which stays, with `rest` behind it. */
  leave(rest?: string): string;
  /** The whole screen is cleared, and nothing is shown. */
  clearScreen(): string;
  /** The screen has another size, and the terminal may have moved what was shown: takes it off as far as can be told. */
  resized(screen: Screen): string;
}

const ESC = '\u001b[';
const ERASE_LINE = `${ESC}K`;
const ERASE_BELOW = `${ESC}J`;

export function createLineView(initial: Screen): LineView {
  let screen = initial;
  let shown: { readonly frame: Frame; readonly layout: Layout } | undefined;

  /** From one place of the same layout to another. */
  const go = (from: Place, to: Place, { cells }: { readonly cells: readonly Cell[] }): string => {
    if (!screen.hasCursor) return goByBackspace(from, to, cells);
    const rows = to.row - from.row;
    const vertical = rows === 0 ? '' : `${ESC}${amount(Math.abs(rows))}${rows < 0 ? 'A' : 'B'}`;
    if (to.column === from.column) return vertical;
    if (to.column === 0) return `${vertical}\r`;
    const columns = to.column - from.column;
    if (columns < 0 && columns >= -3) return vertical + '\b'.repeat(-columns);
    return `${vertical}${ESC}${amount(Math.abs(columns))}${columns < 0 ? 'D' : 'C'}`;
  };

  const showFirst = (layout: Layout): string => {
    const text = layout.cells.map((cell) => cell.text).join('');
    return (
      layout.prompt +
      text +
      settle(layout, layout.cells.length > 0 || layout.prompt !== '') +
      go(layout.end, layout.cursor, layout)
    );
  };

  /** Beyond the last column the cursor waits at the edge: a blank and a return take it to the next row for certain. */
  const settle = ({ wraps, end }: Layout, hasWritten: boolean): string =>
    wraps && hasWritten && end.column === 0 && end.row > 0 ? ' \r' : '';

  const change = (old: Layout, next: Layout): string => {
    let same = 0;
    while (same < next.cells.length && old.cells[same]?.text === next.cells[same]?.text) same += 1;
    const isLonger = isAfter(old.end, next.end);
    if (same === next.cells.length && same === old.cells.length) return go(old.cursor, next.cursor, next);
    const from = next.cells[same]?.place ?? next.end;
    const written = next.cells
      .slice(same)
      .map((cell) => cell.text)
      .join('');
    return (
      go(old.cursor, from, old) +
      written +
      settle(next, written !== '') +
      (isLonger ? erase(next.end, old.end) : '') +
      go(next.end, next.cursor, next)
    );
  };

  const erase = (from: Place, to: Place): string => {
    if (screen.hasCursor) return to.row > from.row ? ERASE_BELOW : ERASE_LINE;
    const blanks = to.column - from.column;
    return ' '.repeat(blanks) + '\b'.repeat(blanks);
  };

  const hide = (): string => {
    if (shown === undefined) return '';
    const { layout } = shown;
    shown = undefined;
    const start = { row: 0, column: 0 };
    if (screen.hasCursor) return go(layout.cursor, start, layout) + (layout.end.row > 0 ? ERASE_BELOW : ERASE_LINE);
    // Over the prompt too: each of its columns is one backspace away.
    return (
      goByBackspace(layout.cursor, start, layout.cells) + ' '.repeat(layout.end.column) + '\b'.repeat(layout.end.column)
    );
  };

  return {
    show(frame) {
      const layout = layOut(frame, screen);
      const old = shown?.layout;
      if (old?.prompt === layout.prompt && old.wraps === layout.wraps) {
        shown = { frame, layout };
        return change(old, layout);
      }
      const before = hide();
      shown = { frame, layout };
      return before + showFirst(layout);
    },
    hide,
    leave(rest = '') {
      if (shown === undefined) return '';
      const { layout } = shown;
      shown = undefined;
      // The cursor is already on a row of its own when the line ends at the edge.
      const isBelow = rest === '' && layout.wraps && layout.end.column === 0 && layout.end.row > 0;
      return go(layout.cursor, layout.end, layout) + rest + (isBelow ? '' : '\n');
    },
    clearScreen() {
      shown = undefined;
      return screen.hasCursor ? `${ESC}H${ESC}2J` : '\n';
    },
    resized(next) {
      const before = shown;
      const wasPlain = !screen.hasCursor;
      screen = next;
      if (before === undefined) return '';
      if (wasPlain || !screen.hasCursor) {
        shown = undefined;
        return '\n';
      }
      // Some terminals wrap the line again and some do not. The lesser way up leaves a row too many, not one too few.
      const { frame, layout } = before;
      const anew = layOut(frame, screen);
      shown = anew.cursor.row < layout.cursor.row ? { frame, layout: anew } : before;
      return hide();
    },
  };
}

const amount = (count: number): string => (count === 1 ? '' : String(count));
const isAfter = (a: Place, b: Place): boolean => a.row > b.row || (a.row === b.row && a.column > b.column);

/** To the left by backspace, to the right by writing again what stands there. */
function goByBackspace(from: Place, to: Place, cells: readonly Cell[]): string {
  if (to.column <= from.column) return '\b'.repeat(from.column - to.column);
  return cells
    .filter(({ place }) => place.column >= from.column && place.column < to.column)
    .map(({ text }) => text)
    .join('');
}

/** Texts in columns, as `ls` shows names. */
export function inColumns(texts: readonly string[], columns: number): string {
  const width = Math.max(0, ...texts.map(columnsOf)) + 2;
  const perRow = Math.max(1, Math.floor(columns / width));
  const rows = Math.ceil(texts.length / perRow);
  return Array.from({ length: rows }, (_, row) =>
    texts
      .filter((_each, index) => index % rows === row)
      .map((text) => text + ' '.repeat(width - columnsOf(text)))
      .join('')
      .trimEnd(),
  ).join('\n');
}
