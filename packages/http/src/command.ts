// `wellknown http` and `wellknown-http`: from options to the protocol they mean.

import fs from 'node:fs';
import { fail, ok, type Protocol, type Result } from '@wellknown/core';
import { readChoice, type OptionValues, type ServerCommand } from '@wellknown/core/command';
import { loadHandler } from './handler-module.ts';
import { httpProtocol } from './protocol.ts';
import { serveFiles, type ServeFilesOptions } from './static/serve-files.ts';

const FILE_OPTIONS = ['no-listing', 'spa', 'cache-control', 'symlinks', 'dotfiles'] as const;
const SYMLINK_POLICIES = ['deny', 'inside', 'follow'] as const;
const DOTFILE_POLICIES = ['deny', 'allow'] as const;

export const httpCommand: ServerCommand = {
  name: 'http',
  summary: 'serve files or a fetch handler over HTTP/1.1',
  positional: { name: 'ROOT', help: 'the directory whose files are served (default: the current one)' },
  options: [
    { name: 'handler', argument: 'FILE', help: 'serve a fetch handler instead: the default export of this module' },
    { name: 'no-listing', help: 'answer a directory without index.html with 404 instead of a listing' },
    { name: 'spa', help: "answer a page that is not there with the root's index.html" },
    { name: 'cache-control', argument: 'VALUE', help: 'the Cache-Control of every file (default: no-cache)' },
    { name: 'symlinks', argument: 'POLICY', help: 'deny, inside (only those that end below ROOT) or follow (default: inside)' },
    { name: 'dotfiles', argument: 'POLICY', help: 'deny or allow names that start with a dot (default: deny)' },
  ],
  defaultScheme: 'tcp',
  schemes: ['tcp', 'tls', 'unix'],
  build: (values) => (values.text('handler') === undefined ? Promise.resolve(buildFiles(values)) : buildHandler(values, values.text('handler') ?? '')),
};

async function buildHandler(values: OptionValues, file: string): Promise<Result<Protocol, string>> {
  if (values.positional !== undefined) return fail(`--handler ${file} and the directory '${values.positional}' were both given: serve one of them`);
  const other = FILE_OPTIONS.find((name) => values.has(name));
  if (other !== undefined) return fail(`--${other} is for files and has no meaning with --handler ${file}`);
  const handler = await loadHandler(file);
  return handler.ok ? ok(httpProtocol(handler.value)) : fail(`--handler ${file}: ${handler.error}`);
}

function buildFiles(values: OptionValues): Result<Protocol, string> {
  const root = values.positional ?? '.';
  const problem = problemOfRoot(root);
  if (problem !== undefined) return fail(`ROOT '${root}' ${problem}`);
  const symlinks = readChoice(values, 'symlinks', SYMLINK_POLICIES);
  if (!symlinks.ok) return symlinks;
  const dotfiles = readChoice(values, 'dotfiles', DOTFILE_POLICIES);
  if (!dotfiles.ok) return dotfiles;
  const cacheControl = values.text('cache-control');
  if (cacheControl !== undefined && !/^[\x20-\x7e]+$/.test(cacheControl)) return fail(`--cache-control '${cacheControl}' can't be sent: only printable ASCII is allowed`);
  const options: ServeFilesOptions = {
    listing: !values.has('no-listing'),
    spa: values.has('spa'),
    ...(cacheControl !== undefined && { cacheControl }),
    ...(symlinks.value !== undefined && { symlinks: symlinks.value }),
    ...(dotfiles.value !== undefined && { dotfiles: dotfiles.value }),
  };
  return ok(httpProtocol(serveFiles(root, options)));
}

function problemOfRoot(root: string): string | undefined {
  try {
    if (!fs.statSync(root).isDirectory()) return 'is not a directory';
    fs.accessSync(root, fs.constants.R_OK | fs.constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' ? 'does not exist' : `can't be read (${String(code)})`;
  }
}
