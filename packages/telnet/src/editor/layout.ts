// Where each piece of a line stands on the screen.

import { clusterColumns, columnsOf, graphemesOf } from './graphemes.ts';

/** A line as it is to be shown: the cursor stands between the two texts. */
export interface Frame {
  /** One line; colours are allowed. */
  readonly prompt: string;
  readonly before: string;
  readonly after: string;
  /** What is shown for each character; undefined where the text itself is. Empty: nothing is shown. */
  readonly mask?: string | undefined;
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** It obeys the cursor movements of ECMA-48. Otherwise backspace is all there is. */
  readonly hasCursor: boolean;
}

export interface Place {
  readonly row: number;
  readonly column: number;
}

export interface Cell {
  readonly text: string;
  readonly place: Place;
}

/** Rows are counted from the one where the prompt begins. */
export interface Layout {
  readonly prompt: string;
  /** The line goes over several rows, or is moved under one. */
  readonly wraps: boolean;
  readonly promptEnd: Place;
  readonly cells: readonly Cell[];
  readonly end: Place;
  readonly cursor: Place;
}

/** Lays the frame out; a line that the screen could not show whole, or could not go back up in, under one row. */
export function layOut(frame: Frame, screen: Screen): Layout {
  const wrapped = screen.hasCursor ? wrap(frame, screen.columns) : undefined;
  return wrapped !== undefined && wrapped.end.row < screen.rows ? wrapped : scroll(frame, screen.columns);
}

const TAB_STOP = 8;

/** What stands on the screen for one cluster that comes at `column`. */
function shown(cluster: string, column: number, mask: string | undefined): string {
  if (mask !== undefined) return mask;
  if (cluster === '\t') return ' '.repeat(TAB_STOP - (column % TAB_STOP));
  const code = cluster.charCodeAt(0);
  // As a terminal echoes them (ECHOCTL): nothing in a line may act on the screen.
  if (code < 0x20 || code === 0x7f) return `^${String.fromCharCode(code ^ 0x40)}`;
  return code >= 0x80 && code < 0xa0 ? '\ufffd' : cluster;
}

const placeOf = (offset: number, columns: number): Place => ({
  row: Math.floor(offset / columns),
  column: offset % columns,
});

function wrap(frame: Frame, columns: number): Layout {
  let offset = columnsOf(frame.prompt);
  const promptEnd = placeOf(offset, columns);
  const cells: Cell[] = [];
  const lay = (text: string): void => {
    for (const cluster of graphemesOf(text)) {
      const piece = shown(cluster, offset % columns, frame.mask);
      if (piece === '') continue;
      const width = piece === cluster ? clusterColumns(piece) : columnsOf(piece);
      const left = columns - (offset % columns);
      // A wide character is not cut at the edge. The blank is written, since not every terminal wraps early.
      if (width > left && width <= columns) {
        cells.push({ text: ' '.repeat(left), place: placeOf(offset, columns) });
        offset += left;
      }
      cells.push({ text: piece, place: placeOf(offset, columns) });
      offset += width;
    }
  };
  lay(frame.before);
  const cursor = placeOf(offset, columns);
  lay(frame.after);
  return { prompt: frame.prompt, wraps: true, promptEnd, cells, end: placeOf(offset, columns), cursor };
}

/** One row: of a long line, the part around the cursor. */
function scroll(frame: Frame, columns: number): Layout {
  // The last column stays empty: to write into it means a new line on some terminals and not on others.
  const promptColumns = Math.min(columnsOf(frame.prompt), columns - 1);
  const room = Math.max(1, columns - 1 - promptColumns);
  const pieces = (text: string): string[] => graphemesOf(text).map((cluster) => shown(cluster, 0, frame.mask));
  const before = pieces(frame.before);
  // The cursor stays in the right half of what is shown, so that both sides of it are seen.
  const leftRoom = fitting(pieces(frame.after), room).columns < room / 2 ? room : Math.ceil(room / 2);
  const left = fitting(before.toReversed(), leftRoom);
  const visibleLeft = before.slice(before.length - left.count);
  const right = pieces(frame.after);
  const visibleRight = right.slice(0, fitting(right, room - left.columns).count);

  let column = promptColumns;
  const cells: Cell[] = [];
  const lay = (texts: readonly string[]): void => {
    for (const text of texts) {
      cells.push({ text, place: { row: 0, column } });
      column += columnsOf(text);
    }
  };
  lay(visibleLeft);
  const cursor = { row: 0, column };
  lay(visibleRight);
  return {
    prompt: frame.prompt,
    wraps: false,
    promptEnd: { row: 0, column: promptColumns },
    cells,
    end: { row: 0, column },
    cursor,
  };
}

/** How many of the pieces fit, and how many columns those take. */
function fitting(pieces: readonly string[], room: number): { readonly count: number; readonly columns: number } {
  let columns = 0;
  let count = 0;
  for (const piece of pieces) {
    const width = columnsOf(piece);
    if (columns + width > room) break;
    columns += width;
    count += 1;
  }
  return { count, columns };
}
