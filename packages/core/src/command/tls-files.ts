// The certificate and the key that the command line names.

import { readFileSync } from 'node:fs';
import { WellknownError } from '../errors.ts';
import { fail, ok, type Result } from '../result.ts';
import { createTlsContext, type TlsContext, type TlsOptions } from '../tls-context.ts';

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** A context from the files as they are now. The problem names the option and the file. */
export function loadTlsContext(files: TlsFiles): Result<TlsContext, string> {
  const options = readTlsFiles(files);
  if (!options.ok) return options;
  try {
    return ok(createTlsContext(options.value));
  } catch (error) {
    return fail(problemOf(files, error));
  }
}

/** Reads the files again into a context that is in use. What was there before goes on when they are wrong. */
export function reloadTlsContext(context: TlsContext, files: TlsFiles): Result<true, string> {
  const options = readTlsFiles(files);
  if (!options.ok) return options;
  try {
    context.setSecureContext(options.value);
    return ok(true);
  } catch (error) {
    return fail(problemOf(files, error));
  }
}

function readTlsFiles(files: TlsFiles): Result<TlsOptions, string> {
  const contents: string[] = [];
  for (const [option, file] of [['--tls-cert', files.cert], ['--tls-key', files.key]] as const) {
    try {
      contents.push(readFileSync(file, 'utf8'));
    } catch (error) {
      return fail(`${option} '${file}' can't be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const [cert = '', key = ''] = contents;
  return ok({ cert, key });
}

const problemOf = ({ cert, key }: TlsFiles, error: unknown): string =>
  `--tls-cert '${cert}' and --tls-key '${key}' can't be used together: ${error instanceof WellknownError ? (error.hint ?? error.message) : String(error)}`;
