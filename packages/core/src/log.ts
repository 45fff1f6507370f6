import { WellknownError } from './errors.ts';

/** What core asks of a logger: fields first, then words, as pino takes them. A pino instance fits as it is. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Of one whose level can be changed while it runs, as pino's can: what is logged now. */
  level?: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** The level that is logged now. Throws WRONG_STATE where the logger has none. */
export function currentLogLevel({ level }: Logger): string {
  if (level !== undefined) return level;
  throw new WellknownError('WRONG_STATE', 'the logger of this program has no level', {
    fault: 'local',
    hint: "give 'log' one that has, such as pino",
  });
}

/** Changes it. Throws WRONG_STATE where the logger has none, and OPTION_INVALID for what is no level. */
export function setLogLevel(log: Logger, level: LogLevel): void {
  currentLogLevel(log);
  if (!LOG_LEVELS.includes(level))
    throw new WellknownError('OPTION_INVALID', `the log level is '${level}', allowed is ${LOG_LEVELS.join(', ')}`, {
      fault: 'local',
    });
  log.level = level;
}

const nothing = (): void => undefined;

/** An error comes last, as the console shows it with its stack; nothing is shown of a record without fields. */
function toConsole(fields: object, message: string): void {
  const { err, ...others } = fields as { readonly err?: unknown };
  console.error(
    '%s',
    message,
    ...(Object.keys(others).length === 0 ? [] : [others]),
    ...(err === undefined ? [] : [err]),
  );
}

/**
 * Writes warnings and errors to the console (stderr), errors with their stacks, and nothing else. The default of an
 * embedded server: without it, what the caller's own code throws would stay unseen.
 */
export const consoleLog: Logger = { debug: nothing, info: nothing, warn: toConsole, error: toConsole };

/** The same logger with these fields in every record; what a record says itself goes before. */
export function logWith(log: Logger, common: object): Logger {
  // pino takes an error in place of fields, too.
  const all = (fields: object): object => ({ ...common, ...(fields instanceof Error ? { err: fields } : fields) });
  // What says nothing anyway is given nothing to say: a record for each transfer would be made for nobody.
  const saying = (level: LogLevel): Logger[LogLevel] =>
    log[level] === nothing ? nothing : (fields, message) => log[level](all(fields), message);
  return { debug: saying('debug'), info: saying('info'), warn: saying('warn'), error: saying('error') };
}

/** Says nothing. */
export const silentLog: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** The warnings and errors of a logger, and nothing else. */
export const warningsTo = (log: Logger): Logger => ({
  ...silentLog,
  warn: (fields, message) => log.warn(fields, message),
  error: (fields, message) => log.error(fields, message),
});
