// The error codes of an operating system, as the few problems that a file system here may report.

import { fail, ok, type Result } from '@wellknown/core';
import type { FileProblem } from '../file-system.ts';

const PROBLEMS: Readonly<Record<string, FileProblem>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  ELOOP: 'not-found',
  EEXIST: 'exists',
  ENOTEMPTY: 'not-empty',
  EISDIR: 'is-directory',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  EXDEV: 'denied',
  ENXIO: 'denied',
  ENAMETOOLONG: 'bad-name',
  EINVAL: 'bad-name',
  EILSEQ: 'bad-name',
  ENOSPC: 'no-space',
  EDQUOT: 'over-quota',
  EFBIG: 'over-quota',
  EBUSY: 'busy',
  ETXTBSY: 'busy',
  EMFILE: 'busy',
  ENFILE: 'busy',
};

/** The problem behind an error of the operating system. */
export function problemOfErrno(error: unknown): FileProblem {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return Object.hasOwn(PROBLEMS, code) ? (PROBLEMS[code] ?? 'failed') : 'failed';
}

/** Leaves an operation with a problem; `answer` turns it into a value. */
export class Refusal extends Error {
  readonly problem: FileProblem;
  constructor(problem: FileProblem) {
    super(problem);
    this.problem = problem;
  }
}

/** Runs `work` and turns what it throws into a value. */
export async function answer<Value>(work: () => Promise<Value>): Promise<Result<Value, FileProblem>> {
  try {
    return ok(await work());
  } catch (error) {
    return fail(error instanceof Refusal ? error.problem : problemOfErrno(error));
  }
}
