// What a verb says to an argument that its type forbids: from JavaScript, or from a peer's own numbers, anything may come.

import { WellknownError } from './errors.ts';

/** What a verb throws, or rejects with, for an argument that can't be meant. */
export const invalidArgument = (verb: string, name: string, given: unknown, allowed: string): WellknownError =>
  new WellknownError('OPTION_INVALID', `${verb}: ${name} is '${String(given)}', allowed is ${allowed}`, {
    fault: 'local',
  });

/**
 * What is wrong with a count, which is left out or a whole number from 0: with anything else a wait would have no end, or
 * no bound.
 */
export function countProblem(verb: string, name: string, count: number | undefined): WellknownError | undefined {
  return count === undefined || (Number.isInteger(count) && count >= 0)
    ? undefined
    : invalidArgument(verb, name, count, 'a whole number from 0');
}

/** The same, thrown. */
export function requireCount(verb: string, name: string, count: number | undefined): void {
  const problem = countProblem(verb, name, count);
  if (problem !== undefined) throw problem;
}
