// What an S3 server says went wrong, as the few problems that a file system may report.

import { S3ServiceException } from '@aws-sdk/client-s3';
import { fail, ok, type Result } from '@wellknown/core';
import type { FileProblem } from '@wellknown/ftp';

export type Answer<Value> = Promise<Result<Value, FileProblem>>;

const PROBLEMS: Readonly<Record<string, FileProblem>> = {
  NoSuchKey: 'not-found',
  NotFound: 'not-found',
  AccessDenied: 'denied',
  InvalidRange: 'bad-start',
  PreconditionFailed: 'exists',
  ConditionalRequestConflict: 'exists',
  EntityTooLarge: 'over-quota',
  QuotaExceeded: 'over-quota',
  InsufficientStorage: 'no-space',
  XMinioStorageFull: 'no-space',
  KeyTooLongError: 'bad-name',
  XMinioInvalidObjectName: 'bad-name',
  SlowDown: 'busy',
  ServiceUnavailable: 'busy',
};
// Mistakes of who has set the server up, which no client can mend: the log has to tell them.
const MISTAKES: readonly string[] = [
  'NoSuchBucket',
  'InvalidBucketName',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'RequestTimeTooSkewed',
];
// A reply to HEAD has no body, so nothing but its status.
const STATUSES: Readonly<Record<number, FileProblem>> = {
  403: 'denied',
  404: 'not-found',
  412: 'exists',
  416: 'bad-start',
  503: 'busy',
};

/** The problem behind an error of the client; undefined for one that is nobody's business but the log's. */
export function problemOf(error: unknown): FileProblem | undefined {
  if (!(error instanceof S3ServiceException) || MISTAKES.includes(error.name)) return undefined;
  return PROBLEMS[error.name] ?? STATUSES[error.$metadata.httpStatusCode ?? 0];
}

/** Leaves an operation with a problem; `answer` turns it into a value. */
export class Refusal extends Error {
  readonly problem: FileProblem;
  constructor(problem: FileProblem) {
    super(problem);
    this.problem = problem;
  }
}

/** Runs `work` and turns what it throws into a value, where it is an answer of the server's; the rest is thrown on. */
export async function answer<Value>(work: () => Promise<Value>): Answer<Value> {
  try {
    return ok(await work());
  } catch (error) {
    const problem = error instanceof Refusal ? error.problem : problemOf(error);
    if (problem === undefined) throw error;
    return fail(problem);
  }
}
