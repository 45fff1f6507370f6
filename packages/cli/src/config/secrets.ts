// Values that do not stand in the file: in the environment, or in files that a secret store has made.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fail, ok, type Result } from '@wellknown/core';

export type SecretRef = { readonly env: string } | { readonly file: string };

/** Whether the value is written in place of a text; anything else that is an object is a mistake. */
export function isSecretRef(value: unknown): value is SecretRef {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const [[name, text] = [], ...others] = Object.entries(value);
  return others.length === 0 && (name === 'env' || name === 'file') && typeof text === 'string';
}

// As of a key or a token, with room: who names a log or a device has named the wrong file.
const MAX_SECRET_BYTES = 65_536;

/** Reads one. Files are relative to `folder`; the line end that editors leave behind a secret is no part of it. */
export function readSecret(
  ref: SecretRef,
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Result<string, string> {
  if ('env' in ref) {
    const value = environment[ref.env];
    return value === undefined || value === ''
      ? fail(`the environment has no variable '${ref.env}', or it is empty`)
      : ok(value);
  }
  try {
    const bytes = readFileSync(path.resolve(folder, ref.file));
    if (bytes.length > MAX_SECRET_BYTES) return fail(`the file '${ref.file}' has more than ${MAX_SECRET_BYTES} bytes`);
    const value = bytes.toString('utf8').replace(/\r?\n$/, '');
    return value === '' ? fail(`the file '${ref.file}' is empty`) : ok(value);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return fail(`the file '${ref.file}' ${code === 'ENOENT' ? 'does not exist' : `can't be read (${code})`}`);
  }
}
