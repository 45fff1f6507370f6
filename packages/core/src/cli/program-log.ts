// The log of a program: pino's lines on standard error, or words for people made of them. pino is handed in by the program,
// since core has no dependencies; a program that embeds core passes its own logger instead.

import { consoleLog, LOG_LEVELS, type Logger, type LogLevel } from '../log.ts';
import { forgetLastStat } from '../kernel/last-stat.ts';
import { openStandardError, type DestinationLibrary, type LineOutput } from './line-output.ts';
import { prettyLine } from './pretty-line.ts';

/** What is used of pino: the library fits as it comes, `import { pino } from 'pino'`. */
export interface PinoLibrary extends DestinationLibrary {
  (
    options: { readonly level: string; readonly base: object },
    stream: { readonly write: (line: string) => void },
  ): Logger;
}

/** pino as it comes, or how it is loaded: that is a third of what else a start costs, and most starts log nothing. */
export type PinoSource = PinoLibrary | { readonly load: () => PinoLibrary };

export interface ProgramLog {
  readonly log: Logger;
  /** Where its lines go. Other lines may be written there too. */
  readonly output: LineOutput;
}

// By then a server is ready. It does not wait for the first line: that may come when no descriptor is left to read a file
// with, or while the files are replaced by those of another version.
const LOAD_AFTER_MS = 1_000;

/** Where the library can't be loaded, a line is still better than the end of the process. */
const LAST_RESORT: ProgramLog = { log: consoleLog, output: { write: (line) => void process.stderr.write(line) } };

/** Writes events of `level` and above to standard error. */
export function createProgramLog(pino: PinoSource, level: LogLevel, format: 'json' | 'pretty'): ProgramLog {
  if (!('load' in pino)) return openProgramLog(pino, level, format);
  let opened: ProgramLog | undefined;
  let present: string = level;
  const load = (): PinoLibrary => {
    // Whatever the protocols have looked at meanwhile.
    forgetLastStat();
    return pino.load();
  };
  const open = (): ProgramLog => {
    if (opened !== undefined) return opened;
    try {
      opened = openProgramLog(load(), level, format);
    } catch (error) {
      consoleLog.error({ err: error }, 'the library of the log could not be loaded');
      return LAST_RESORT;
    }
    opened.log.level = present;
    return opened;
  };
  const preload = (): void => {
    try {
      load();
    } catch {
      // The first line tries again, and says so.
    }
  };
  setTimeout(preload, LOAD_AFTER_MS).unref();
  const method =
    (name: LogLevel): Logger[LogLevel] =>
    (fields, message) => {
      if (opened !== undefined || isLogged(name, present)) open().log[name](fields, message);
    };
  return {
    log: {
      debug: method('debug'),
      info: method('info'),
      warn: method('warn'),
      error: method('error'),
      get level() {
        return present;
      },
      set level(changed) {
        present = changed;
        if (opened !== undefined) opened.log.level = changed;
      },
    },
    output: { write: (line) => open().output.write(line) },
  };
}

const isLogged = (name: LogLevel, level: string): boolean =>
  LOG_LEVELS.indexOf(name) >= LOG_LEVELS.indexOf(level as LogLevel);

function openProgramLog(pino: PinoLibrary, level: LogLevel, format: 'json' | 'pretty'): ProgramLog {
  const output = openStandardError(pino, (lost) =>
    log.warn({ lost }, 'lines were lost: standard error took no more for a while'),
  );
  const write = format === 'json' ? output.write : (line: string) => output.write(prettyLine(line, output.hasColours));
  const log = pino({ level, base: { pid: process.pid } }, { write });
  return { log, output };
}
