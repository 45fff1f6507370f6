// The log of a program: pino's lines on standard error, or words for people made of them. pino is handed in by the program,
// since core has no dependencies; a program that embeds core passes its own logger instead.

import type { Logger, LogLevel } from '../log.ts';
import { openStandardError, type DestinationLibrary, type LineOutput } from './line-output.ts';
import { prettyLine } from './pretty-line.ts';

/** What is used of pino: the library fits as it comes, `import { pino } from 'pino'`. */
export interface PinoLibrary extends DestinationLibrary {
  (
    options: { readonly level: string; readonly base: object },
    stream: { readonly write: (line: string) => void },
  ): Logger;
}

export interface ProgramLog {
  readonly log: Logger;
  /** Where its lines go. Other lines may be written there too. */
  readonly output: LineOutput;
}

/** Writes events of `level` and above to standard error. */
export function createProgramLog(pino: PinoLibrary, level: LogLevel, format: 'json' | 'pretty'): ProgramLog {
  const output = openStandardError(pino, (lost) =>
    log.warn({ lost }, 'lines were lost: standard error took no more for a while'),
  );
  const write = format === 'json' ? output.write : (line: string) => output.write(prettyLine(line, output.hasColours));
  const log = pino({ level, base: { pid: process.pid } }, { write });
  return { log, output };
}
