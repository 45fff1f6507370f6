// The log of the programs: one line for each event on stderr, as JSON for machines or words for people. Field names are
// pino's, so that its tools read it; a program that embeds core passes its own logger instead.

import type { Logger } from '../log.ts';
import type { LogLevel } from './parse.ts';

const LEVEL_NUMBERS: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

const plain = (value: unknown): unknown =>
  value instanceof Error
    ? { type: value.name, message: value.message, stack: value.stack, ...('code' in value ? { code: value.code } : {}) }
    : value;

/** What a peer sent may stand in a log line; its control characters must not steer the operator's terminal. */
const printable = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

function prettyFields(fields: object): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        ` ${key}=${printable(value instanceof Error ? value.message : typeof value === 'string' ? value : JSON.stringify(value))}`,
    )
    .join('');
}

/** Writes events of `level` and above to stderr. */
export function createStandardLog(level: LogLevel, format: 'json' | 'pretty'): Logger {
  const line = (at: LogLevel, fields: object, message: string): void => {
    if (LEVEL_NUMBERS[at] < LEVEL_NUMBERS[level]) return;
    const now = new Date();
    const text =
      format === 'json'
        ? JSON.stringify({
            level: LEVEL_NUMBERS[at],
            time: now.getTime(),
            pid: process.pid,
            ...Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plain(value)])),
            msg: message,
          })
        : `${now.toISOString().slice(11, 23)} ${at.padEnd(5)} [${process.pid}] ${message}${prettyFields(fields)}`;
    process.stderr.write(`${text}\n`);
  };
  return {
    debug: (fields, message) => line('debug', fields, message),
    info: (fields, message) => line('info', fields, message),
    warn: (fields, message) => line('warn', fields, message),
    error: (fields, message) => line('error', fields, message),
  };
}
