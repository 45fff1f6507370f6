// The certificates and keys that the command line names, in pairs. The first pair is for clients that ask for no name,
// or for one that no certificate has.

import { readFileSync } from 'node:fs';
import { serverNamesOf } from '../connection/certificate-names.ts';
import { WellknownError } from '../errors.ts';
import { fail, ok, type Result } from '../result.ts';
import { createTlsContext, type TlsCertificate, type TlsContext, type TlsOptions } from '../connection/tls-context.ts';

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** A context from the files as they are now. The problem names the option and the file. */
export function loadTlsContext(pairs: readonly TlsFiles[]): Result<TlsContext, string> {
  const options = readPairs(pairs);
  return options.ok ? ok(createTlsContext(options.value)) : options;
}

/** Reads the files again into a context that is in use. What was there before goes on when any of them is wrong. */
export function reloadTlsContext(context: TlsContext, pairs: readonly TlsFiles[]): Result<true, string> {
  const options = readPairs(pairs);
  if (!options.ok) return options;
  context.setSecureContext(options.value);
  return ok(true);
}

function readPairs(pairs: readonly TlsFiles[]): Result<TlsOptions, string> {
  const byServerName = new Map<string, TlsCertificate>();
  let byDefault: TlsCertificate | undefined;
  for (const files of pairs) {
    const certificate = readPair(files);
    if (!certificate.ok) return certificate;
    // With one pair there is nothing to choose, and its names do not matter.
    const names = pairs.length === 1 ? [] : serverNamesOf(certificate.value.cert);
    if (byDefault !== undefined && names.length === 0)
      return fail(
        `--tls-cert '${files.cert}' would never be used: its subjectAltName has no DNS name, and it is not the first`,
      );
    byDefault ??= certificate.value;
    for (const name of names) if (!byServerName.has(name)) byServerName.set(name, certificate.value);
  }
  return byDefault === undefined
    ? fail('--tls-cert and --tls-key name no files')
    : ok({ ...byDefault, byServerName: Object.fromEntries(byServerName) });
}

/** One pair, which fits together. */
function readPair(files: TlsFiles): Result<TlsCertificate & { readonly cert: string }, string> {
  const contents: string[] = [];
  for (const [option, file] of [
    ['--tls-cert', files.cert],
    ['--tls-key', files.key],
  ] as const) {
    try {
      contents.push(readFileSync(file, 'utf8'));
    } catch (error) {
      return fail(`${option} '${file}' can't be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const [cert = '', key = ''] = contents;
  try {
    createTlsContext({ cert, key });
    return ok({ cert, key });
  } catch (error) {
    return fail(
      `--tls-cert '${files.cert}' and --tls-key '${files.key}' can't be used together: ${error instanceof WellknownError ? (error.hint ?? error.message) : String(error)}`,
    );
  }
}
