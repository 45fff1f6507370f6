// The one place where a path from the network becomes a path of a file system. POSIX only, purely textual, before any
// permission is asked: two normalisers that disagree are a way out (CVE-2026-30914 was such a pair).

import { fail, ok, type Result } from '@wellknown/core';

/** An absolute path: begins with `/`, has no `.`, `..` or empty part, and ends with `/` only if it is the root. */
export type AbsolutePath = string;

/**
 * Resolves `argument` against `cwd`. `..` at the root stays at the root. NUL, CR and LF are refused: no listing could
 * show them.
 */
export function resolvePath(cwd: AbsolutePath, argument: string): Result<AbsolutePath, 'bad-path'> {
  if (/[\0\r\n]/.test(argument)) return fail('bad-path');
  const parts = argument.startsWith('/') ? [] : partsOf(cwd);
  for (const part of argument.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return ok(`/${parts.join('/')}`);
}

/** The names on the way from the root; none for the root itself. */
export const partsOf = (path: AbsolutePath): string[] => path.split('/').filter((part) => part !== '');

/** The directory above; the root is its own. */
export const parentOf = (path: AbsolutePath): AbsolutePath => path.slice(0, path.lastIndexOf('/')) || '/';

/** The last name; empty for the root. */
export const nameOf = (path: AbsolutePath): string => path.slice(path.lastIndexOf('/') + 1);
