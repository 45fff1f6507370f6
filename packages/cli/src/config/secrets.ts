// Values that do not stand in the file: in the environment, or in files that a secret store has made.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { fail, fileProblem, ok, type Result } from '@wellknown/core';

export type SecretRef = { readonly env: string } | { readonly file: string };

/** Whether the value is written in place of a text; anything else that is an object is a mistake. */
export function isSecretRef(value: unknown): value is SecretRef {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const [[name, text] = [], ...others] = Object.entries(value);
  return others.length === 0 && (name === 'env' || name === 'file') && typeof text === 'string';
}

// As of a key or a token, with room: who names a log or a device has named the wrong file.
const MAX_SECRET_BYTES = 65_536;

// A pipe is waited for, since its writer may still be at work; not for long, since nothing is served meanwhile.
const PIPE_WAIT_MS = 5_000;
// A pipe without a writer has ended, or is about to be opened, which takes a shell no time.
const SHARE_FOR_THE_WRITER = 10;
const PIPE_STEP_MS = 10;

/** Reads one. Files are relative to `folder`; the line end that editors leave behind a secret is no part of it. */
export function readSecret(
  ref: SecretRef,
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  pipeWaitMs = PIPE_WAIT_MS,
): Result<string, string> {
  if ('env' in ref) {
    const value = environment[ref.env];
    return value === undefined || value === ''
      ? fail(`the environment has no variable '${ref.env}', or it is empty`)
      : ok(value);
  }
  try {
    const bytes = readAll(path.resolve(folder, ref.file), pipeWaitMs);
    if (bytes === undefined) return fail(`nothing came from the file '${ref.file}' for ${pipeWaitMs / 1000} s`);
    if (bytes.length > MAX_SECRET_BYTES) return fail(`the file '${ref.file}' has more than ${MAX_SECRET_BYTES} bytes`);
    const value = bytes.toString('utf8').replace(/\r?\n$/, '');
    return value === '' ? fail(`the file '${ref.file}' is empty`) : ok(value);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return fail(`the file '${ref.file}' ${isMissing ? 'does not exist' : fileProblem('read', error)}`);
  }
}

/** What the file holds, up to a byte more than a secret may have; undefined where a pipe keeps its reader waiting. */
function readAll(file: string, pipeWaitMs: number): Buffer | undefined {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const isPipe = fstatSync(descriptor).isFIFO();
    const bytes = Buffer.alloc(MAX_SECRET_BYTES + 1);
    for (let length = 0, waitedMs = 0; ;) {
      const read = readSome(descriptor, bytes.subarray(length));
      length += read ?? 0;
      const isOver = read === 0 && (!isPipe || length > 0 || waitedMs >= pipeWaitMs / SHARE_FOR_THE_WRITER);
      if (isOver || length === bytes.length) return bytes.subarray(0, length);
      if (read !== undefined && read > 0) continue;
      if (waitedMs >= pipeWaitMs) return undefined;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PIPE_STEP_MS);
      waitedMs += PIPE_STEP_MS;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** How many bytes were there to be read; undefined when a pipe has none yet. */
function readSome(descriptor: number, into: Buffer): number | undefined {
  try {
    return readSync(descriptor, into);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
    throw error;
  }
}
