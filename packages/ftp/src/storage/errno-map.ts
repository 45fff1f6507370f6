// What may go wrong with a file and is nobody's mistake: the error codes of an operating system, as the few problems that a
// file system here may report. What is not in this table is an error for the log.

import { fail, ok, type Result } from '@wellknown/core';
import type { FileProblem } from '../file-system.ts';
import { StorageTimeout } from './deadlines.ts';

const PROBLEMS: Readonly<Record<string, FileProblem>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  ELOOP: 'not-found',
  // Of a network disk: removed by another machine.
  ESTALE: 'not-found',
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
  ENOSYS: 'unsupported',
  ENOTSUP: 'unsupported',
  EOPNOTSUPP: 'unsupported',
};

/** The problem behind what was thrown; undefined for what is nobody's business but the log's. */
export function expectedProblem(error: unknown): FileProblem | undefined {
  if (error instanceof Refusal) return error.problem;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined;
}

/** The problem to answer with. What is no expected one goes to `report` too, and so does what was waited for in vain. */
export function problemOf(error: unknown, report: (error: unknown) => void): FileProblem {
  const problem = expectedProblem(error);
  if (problem === undefined) report(error);
  return problem ?? (error instanceof StorageTimeout ? 'timed-out' : 'failed');
}

/** Leaves an operation with a problem; `answer` turns it into a value. */
export class Refusal extends Error {
  readonly problem: FileProblem;
  constructor(problem: FileProblem) {
    super(problem);
    this.problem = problem;
  }
}

/** Runs `work` and turns what it throws into a value, where it is expected; the rest is thrown on. */
export async function answer<Value>(work: () => Promise<Value>): Promise<Result<Value, FileProblem>> {
  try {
    return ok(await work());
  } catch (error) {
    const problem = expectedProblem(error);
    if (problem === undefined) throw error;
    return fail(problem);
  }
}
