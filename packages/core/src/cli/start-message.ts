// What a program says of an error that keeps it from running. Core names what to do; which option does it is only known
// here.

import { WellknownError } from '../errors.ts';

const OPTIONS: readonly (readonly [hint: string, options: string])[] = [
  ['choose another port', ' with --listen or --port-offset'],
  ['name the addresses to serve', ' with --listen'],
];

/** The message of an error of ours, with the options that its hint means; of any other its stack. */
export function startMessage(error: unknown): string {
  if (!(error instanceof WellknownError)) return describe(error);
  return OPTIONS.reduce((message, [hint, options]) => message.replace(hint, (text) => text + options), error.message);
}

export const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
