// Options of files as texts of a command line.

import { fail, ok, type Result } from '@wellknown/core';
import { problemOfErrorPage } from './error-pages.ts';
import { problemOfField, type HeaderRule } from './response-fields.ts';

/** A regular expression, or why it is none. */
export function readPattern(option: string, pattern: string): Result<RegExp, string> {
  try {
    return ok(new RegExp(pattern, 'u'));
  } catch {
    return fail(`--${option} '${pattern}' is no regular expression`);
  }
}

/** Rules of `NAME: VALUE` or `PATTERN NAME: VALUE`. A pattern holds no space and does not end in a colon, as a name does. */
export function readHeaderRules(texts: readonly string[]): Result<HeaderRule[], string> {
  const rules: HeaderRule[] = [];
  for (const text of texts) {
    const match = /^(?:(\S*[^\s:]) +)?([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(text);
    if (match === null) return fail(`--header '${text}' is neither 'NAME: VALUE' nor 'PATTERN NAME: VALUE'`);
    const [, pattern, name = '', value = ''] = match;
    const problem = problemOfField(name, value);
    if (problem !== undefined) return fail(`--header '${text}': ${problem}`);
    const path = pattern === undefined ? ok(undefined) : readPattern('header', pattern);
    if (!path.ok) return path;
    rules.push({ path: path.value, headers: { [name]: value } });
  }
  return ok(rules);
}

/** Pages of `STATUS=PATH`. */
export function readErrorPages(texts: readonly string[]): Result<Record<number, string>, string> {
  const pages: Record<number, string> = {};
  for (const text of texts) {
    const match = /^([0-9]{3})=(.*)$/.exec(text);
    if (match === null) return fail(`--error-page '${text}' is not STATUS=PATH, such as 404=/404.html`);
    const [, status = '', path = ''] = match;
    const problem = problemOfErrorPage(Number(status), path);
    if (problem !== undefined) return fail(`--error-page '${text}': ${problem}`);
    pages[Number(status)] = path;
  }
  return ok(pages);
}
