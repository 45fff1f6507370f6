/** What core asks of a logger: fields first, then words, as pino takes them. A pino instance fits as it is. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const nothing = (): void => undefined;

/** Says nothing. The default where a library is embedded. */
export const silentLog: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
