/** What core asks of a logger: fields first, then words, as pino takes them. A pino instance fits as it is. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
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

/** Says nothing. */
export const silentLog: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
