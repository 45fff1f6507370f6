// The window of a client, drawn as large as it says, and anew whenever it changes.

import type { TelnetSession } from './session.ts';

const ESC = '\u001b[';
// The screen that editors use, so that what stood there before comes back.
const ENTER_SCREEN = `${ESC}?1049h${ESC}?25l`;
const LEAVE_SCREEN = `${ESC}?25h${ESC}?1049l`;

/** A frame around the whole window, with the texts in its middle. Every row is as wide as the window. */
export function frameOf(columns: number, rows: number, texts: readonly string[]): string[] {
  const inside = Math.max(0, columns - 2);
  const border = `+${'-'.repeat(inside)}+`.slice(0, columns);
  const height = Math.max(0, rows - 2);
  const first = Math.max(0, Math.floor((height - texts.length) / 2));
  const body = Array.from({ length: height }, (_, row) => {
    const text = (texts[row - first] ?? '').slice(0, inside);
    const left = Math.floor((inside - text.length) / 2);
    return `|${' '.repeat(left)}${text}${' '.repeat(inside - left - text.length)}|`.slice(0, columns);
  });
  return [border, ...body, border].slice(0, rows);
}

/** Shows the window until a key, or in line mode a line, comes. */
export async function showWindow(session: TelnetSession): Promise<void> {
  const isDrawn = session.mode === 'character' && session.terminal.type !== 'dumb' && !readsAloud(session);
  let changes = 0;
  const draw = (): void => {
    const { columns, rows } = session.terminal;
    if (!isDrawn) {
      void session.print(`  ${columns} columns, ${rows} rows`);
      return;
    }
    const news =
      changes === 0
        ? 'Make the window larger or smaller.'
        : `Its size has changed ${changes === 1 ? 'once' : `${changes} times`}.`;
    const lines = frameOf(columns, rows, [`${columns} x ${rows}`, '', news, 'Any key goes back.']);
    // The last cell of the screen stays empty: writing there would make it scroll.
    const text = lines.join('\r\n').slice(0, -1);
    void session.write(`${ESC}2J${ESC}H${text}`);
  };
  const offResize = session.on('resize', () => {
    changes += 1;
    draw();
  });
  try {
    if (!isDrawn) await session.print('Make the window larger or smaller; Enter goes back.');
    else await session.write(ENTER_SCREEN);
    draw();
    if (!isDrawn) await session.readLine();
    else for await (const key of session.keys()) if (key.name !== 'unknown') break;
  } finally {
    offResize();
    if (isDrawn) void session.write(LEAVE_SCREEN);
  }
}

/** A screen reader reads what is written, and a drawing is noise to it. */
export const readsAloud = ({ terminal }: TelnetSession): boolean => terminal.abilities.includes('screen-reader');
