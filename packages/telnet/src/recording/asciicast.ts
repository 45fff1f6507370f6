// Asciicast, version 2: a line of JSON that says what the terminal is, then one for each event. Text in, lines out; time
// is the caller's.

export interface AsciicastHeader {
  readonly columns: number;
  readonly rows: number;
  /** When it begins, in milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly terminalType?: string | undefined;
  readonly title?: string | undefined;
}

/** Output, a new size, or a marker. */
export type AsciicastCode = 'o' | 'r' | 'm';

export function asciicastHeader({ columns, rows, startedAtMs, terminalType, title }: AsciicastHeader): string {
  const header = {
    version: 2,
    width: columns,
    height: rows,
    timestamp: Math.floor(startedAtMs / 1000),
    ...(title === undefined ? {} : { title }),
    ...(terminalType === undefined ? {} : { env: { TERM: terminalType } }),
  };
  return `${JSON.stringify(header)}\n`;
}

/** One event, `afterMs` from the beginning. */
export const asciicastEvent = (afterMs: number, code: AsciicastCode, text: string): string =>
  `${JSON.stringify([Math.max(0, Math.round(afterMs)) / 1000, code, text])}\n`;
