// What a program does with its arguments before it serves anything: what is wrong with them, as whom it runs, its first
// workers.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { isSuccessor } from '../listener/inheritance.ts';
import type { Identity } from '../options.ts';
import { fail, ok, type Result } from '../result.ts';
import { endEarlyWorkers, forkEarlyWorkers } from '../supervisor/early-workers.ts';
import { becomeProblem, parseIdentity } from '../supervisor/run-as.ts';
import { reportStartFailure } from '../supervisor/worker.ts';
import { isOurWorker } from '../supervisor/worker-place.ts';
import type { CommonValues } from './common-values.ts';
import { helpText, type Help } from './help.ts';
import type { Asked } from './parse.ts';

export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

/**
 * Says what is wrong with the command line, and sets exit status 2. A worker gets here when a file that it names can't
 * be used: its primary is told.
 */
export function usageError(program: string, problem: string): void {
  process.exitCode = EXIT_USAGE;
  endEarlyWorkers();
  if (isOurWorker()) reportStartFailure(`${problem}${whoMayNot(problem)}`, true);
  else process.stderr.write(`${program}: ${problem}\n`);
}

/** What the primary could read and a worker can't is for another user's eyes than those of --run-as. */
function whoMayNot(problem: string): string {
  if (!problem.includes('EACCES')) return '';
  let user = String(process.geteuid?.());
  try {
    user = userInfo().username;
  } catch {
    // It has no name.
  }
  return `; those who serve are the user '${user}' (--run-as, runAs), who has to be allowed to`;
}

/** Whom --run-as names. */
export function readIdentity({ runAs }: Pick<CommonValues, 'runAs'>): Result<Identity | undefined, string> {
  if (runAs === undefined) return ok(undefined);
  const identity = parseIdentity(runAs, readFileSync('/etc/passwd', 'utf8'), readFileSync('/etc/group', 'utf8'));
  if (!identity.ok) return fail(`--run-as: ${identity.error}`);
  const effective = { effectiveUid: process.geteuid?.() ?? 0, effectiveGid: process.getegid?.() ?? 0 };
  const problem = becomeProblem(identity.value, effective);
  return problem === undefined ? identity : fail(`--run-as: ${problem}`);
}

/**
 * Makes the processes of the workers that these options ask for, which load while this one reads what it needs. Only in a
 * program that serves, once nothing is wrong with its command line; `usageError` and the end of `runServices` end them.
 */
export function startWorkersEarly(
  { workers, inetd }: Pick<CommonValues, 'workers' | 'inetd'>,
  runAs: Identity | undefined,
): void {
  // A successor's environment tells of sockets until it has adopted them.
  if (!isOurWorker() && !inetd && workers !== 0 && !isSuccessor(process.env)) forkEarlyWorkers(workers, runAs);
}

/** Prints what was asked for instead of the command itself. */
export const answer = (asked: Asked, help: Help): void =>
  void process.stdout.write(
    asked === 'version' ? `${help.program} ${version()}\n` : helpText(help, asked === 'help-all'),
  );

/** The version in this package's package.json; all packages are released together. */
export function version(): string {
  const manifest: unknown = createRequire(import.meta.url)('@wellknown/core/package.json');
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
