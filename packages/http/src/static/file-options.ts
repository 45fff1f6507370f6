// The files of a directory, from the options of a command line.

import fs from 'node:fs';
import { fail, fileProblem, ok, type Result } from '@wellknown/core';
import { readChoice, type OptionSpec, type OptionValues } from '@wellknown/core/cli';
import type { FetchHandler } from '../handler.ts';
import { codeOf, DiskRoot } from './disk.ts';
import { findProblemOfErrorPage } from './error-pages.ts';
import { readErrorPages, readHeaderRules, readPattern } from './option-texts.ts';
import { ResponseFields } from './response-fields.ts';
import { serveFiles, type ServeFilesOptions } from './serve-files.ts';

const SYMLINK_POLICIES = ['deny', 'inside', 'follow'] as const;
const DOTFILE_POLICIES = ['deny', 'allow'] as const;

/** What makes sense for files alone. */
export const FILE_OPTIONS: readonly OptionSpec[] = [
  { name: 'no-listing', help: 'answer a directory without index.html with 404 instead of a listing' },
  { name: 'spa', help: "answer a page that is not there with the root's index.html" },
  { name: 'cache-control', argument: 'VALUE', help: 'the Cache-Control of every file (default: no-cache)' },
  {
    name: 'symlinks',
    argument: 'POLICY',
    help: 'deny, inside (only those that end below ROOT) or follow (default: inside)',
  },
  { name: 'dotfiles', argument: 'POLICY', help: 'deny or allow names that start with a dot (default: deny)' },
  {
    name: 'immutable',
    argument: 'PATTERN',
    help: 'paths that match this regular expression never change and are cached for a year (default: none)',
  },
  {
    name: 'append-only',
    argument: 'PATTERN',
    help: 'paths that match are only ever appended to: one that grows while it is sent, such as a log, is sent as long as it was (default: none)',
  },
  {
    name: 'no-precompressed',
    help: 'do not send FILE.br, FILE.zst or FILE.gz in place of FILE to clients that take them',
  },
  {
    name: 'compress',
    help: 'compress text on the fly by Brotli or gzip where there is no such file beside it (default: sent as it is)',
  },
  {
    name: 'header',
    argument: 'FIELD',
    repeatable: true,
    help: "add 'NAME: VALUE' to every response, or as 'PATTERN NAME: VALUE' to those for paths that match this regular expression; without a value, take the field away",
  },
  {
    name: 'security-headers',
    help: 'add the usual ones: no sniffing, no frames of other sites, no use by them, short referrers, and HTTPS only after a visit over it',
  },
  {
    name: 'error-page',
    argument: 'STATUS=PATH',
    repeatable: true,
    help: 'answer this error with a file below ROOT, as in 404=/404.html',
  },
];

/** The handler of the files that a command line means, or why there is none. */
export async function filesFromOptions(values: OptionValues): Promise<Result<FetchHandler, string>> {
  const root = values.positional ?? '.';
  const problem = problemOfRoot(root);
  if (problem !== undefined) return fail(`ROOT '${root}' ${problem}`);
  const symlinks = readChoice(values, 'symlinks', SYMLINK_POLICIES);
  if (!symlinks.ok) return symlinks;
  const dotfiles = readChoice(values, 'dotfiles', DOTFILE_POLICIES);
  if (!dotfiles.ok) return dotfiles;
  const cacheControl = values.text('cache-control');
  if (cacheControl !== undefined && !/^[\x20-\x7e]+$/.test(cacheControl))
    return fail(`--cache-control '${cacheControl}' can't be sent: only printable ASCII is allowed`);
  const immutable = readOptionalPattern(values, 'immutable');
  if (!immutable.ok) return immutable;
  const appendOnly = readOptionalPattern(values, 'append-only');
  if (!appendOnly.ok) return appendOnly;
  const headers = readHeaderRules(values.list('header'));
  if (!headers.ok) return headers;
  const errorPages = readErrorPages(values.list('error-page'));
  if (!errorPages.ok) return errorPages;
  const disk = new DiskRoot(root, symlinks.value ?? 'inside');
  for (const [status, path] of Object.entries(errorPages.value)) {
    const pageProblem = await findProblemOfErrorPage(disk, path);
    if (pageProblem !== undefined) return fail(`--error-page '${status}=${path}': ${pageProblem}`);
  }
  const options: ServeFilesOptions = {
    compress: values.has('compress'),
    headers: headers.value,
    securityHeaders: values.has('security-headers'),
    errorPages: errorPages.value,
    precompressed: !values.has('no-precompressed'),
    ...(immutable.value !== undefined && { immutable: immutable.value }),
    ...(appendOnly.value !== undefined && { appendOnly: appendOnly.value }),
    listing: !values.has('no-listing'),
    spa: values.has('spa'),
    ...(cacheControl !== undefined && { cacheControl }),
    ...(symlinks.value !== undefined && { symlinks: symlinks.value }),
    ...(dotfiles.value !== undefined && { dotfiles: dotfiles.value }),
  };
  return ok(serveFiles(root, options));
}

/** The fields that a command line adds to all responses, where what it says of them is valid. */
export function fieldsFromOptions(values: OptionValues): ResponseFields {
  const rules = readHeaderRules(values.list('header'));
  return new ResponseFields(rules.ok ? rules.value : [], values.has('security-headers'));
}

const readOptionalPattern = (
  values: OptionValues,
  name: 'immutable' | 'append-only',
): Result<RegExp | undefined, string> => {
  const pattern = values.text(name);
  return pattern === undefined ? ok(undefined) : readPattern(name, pattern);
};

function problemOfRoot(root: string): string | undefined {
  try {
    if (!fs.statSync(root).isDirectory()) return 'is not a directory';
    // To be entered is enough: what is in it may be served, though not listed.
    fs.accessSync(root, fs.constants.X_OK);
    return undefined;
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'does not exist' : fileProblem('read', error);
  }
}
