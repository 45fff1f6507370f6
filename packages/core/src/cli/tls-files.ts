// The certificates and keys that the command line names, in pairs. The first pair is for clients that ask for no name,
// or for one that no certificate has.

import { readFileSync } from 'node:fs';
import { serverNamesOf } from '../connection/certificate-names.ts';
import { WellknownError } from '../errors.ts';
import { fileProblem } from '../files/file-problem.ts';
import { fail, ok, type Result } from '../result.ts';
import { shareFile, sharedFile } from '../supervisor/shared-files.ts';
import { createTlsContext, type TlsCertificate, type TlsContext, type TlsOptions } from '../connection/tls-context.ts';

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** Whose certificates clients have to show. */
export interface TlsClientFiles {
  readonly ca: string;
  readonly required: boolean;
}

/** A context from the files as they are now. The problem names the option and the file. */
export function loadTlsContext(pairs: readonly TlsFiles[], clients?: TlsClientFiles): Result<TlsContext, string> {
  const options = readFiles(pairs, clients);
  return options.ok ? ok(createTlsContext(options.value)) : options;
}

/** Reads the files again into a context that is in use. What was there before goes on when any of them is wrong. */
export function reloadTlsContext(
  context: TlsContext,
  pairs: readonly TlsFiles[],
  clients?: TlsClientFiles,
): Result<true, string> {
  const options = readFiles(pairs, clients);
  if (!options.ok) return options;
  context.setSecureContext(options.value);
  return ok(true);
}

function readFiles(pairs: readonly TlsFiles[], clients: TlsClientFiles | undefined): Result<TlsOptions, string> {
  const options = readPairs(pairs);
  if (!options.ok || clients === undefined) return options;
  const ca = readText('--tls-client-ca', clients.ca);
  if (!ca.ok) return ca;
  const clientCertificates = { ca: ca.value, required: clients.required };
  const problem = contextProblem({ ...options.value, clientCertificates });
  return problem === undefined
    ? ok({ ...options.value, clientCertificates })
    : fail(`--tls-client-ca '${clients.ca}' can't be used: ${problem}`);
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
    const text = readText(option, file);
    if (!text.ok) return text;
    contents.push(text.value);
  }
  const [cert = '', key = ''] = contents;
  const problem = contextProblem({ cert, key });
  return problem === undefined
    ? ok({ cert, key })
    : fail(
        `--tls-cert '${files.cert}' and --tls-key '${files.key}' can't be used together: ${whyNot(cert, key, problem)}`,
      );
}

const CERTIFICATE = /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/m;
const PRIVATE_KEY = /^-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/m;

/** In other words than OpenSSL's, where the files themselves say it. */
function whyNot(cert: string, key: string, problem: string): string {
  if (cert === '' || key === '') return problem;
  if (PRIVATE_KEY.test(cert) && CERTIFICATE.test(key)) return 'the first is the key and the second the certificate';
  if (!CERTIFICATE.test(cert)) return 'the first holds no certificate in PEM (-----BEGIN CERTIFICATE-----)';
  if (!PRIVATE_KEY.test(key)) return 'the second holds no private key in PEM (-----BEGIN PRIVATE KEY-----)';
  if (key.includes('ENCRYPTED'))
    return "the key has a passphrase, which there is nobody to ask for: 'openssl pkey -in KEY -out FILE' writes it without";
  return problem.includes('key values mismatch') ? 'the key is not that of the certificate' : problem;
}

/** A worker that may not read a file has it from its primary. */
function readText(option: string, file: string): Result<string, string> {
  try {
    const text = readFileSync(file, 'utf8');
    shareFile(file);
    return ok(text);
  } catch (error) {
    const given = sharedFile(file);
    if (given !== undefined) return ok(given);
    return fail(`${option} '${file}' ${fileProblem('read', error)}`);
  }
}

function contextProblem(options: TlsOptions): string | undefined {
  try {
    createTlsContext(options);
    return undefined;
  } catch (error) {
    return error instanceof WellknownError ? (error.hint ?? error.message) : String(error);
  }
}
