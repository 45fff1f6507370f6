// How the mistakes of a configuration are told.

import type { Mistake } from './load-config.ts';

/** `FILE:LINE:COLUMN: KEY: what is wrong`, as compilers write it, so that editors find the place. */
export function mistakeText({ file, line, column, key, message }: Mistake): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return `${place}: ${key === '' ? '' : `${key}: `}${message}`;
}

/** All of them, for standard error. */
export function mistakesText(program: string, mistakes: readonly Mistake[]): string {
  const [first] = mistakes;
  // Of a file that can't be read, its name says nothing of a place.
  if (mistakes.length === 1 && first?.key === '' && first.message.includes(`'${first.file}'`))
    return `${program}: ${first.message}\n`;
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  const lines = mistakes.map((mistake) => `${mistakeText(mistake)}\n`).join('');
  return `${lines}${program}: the configuration has ${count}\n`;
}
