// The programs of the system that tests speak to: real clients, proxies, load generators.

import { spawnSync } from 'node:child_process';

const isHere = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/**
 * Why tests that need these programs are to be skipped, printed so that no skip is silent; undefined where they are to
 * run. In CI they always run: what is missing there fails. For `describe.skipIf(lacks('curl'))`.
 */
export function lacks(...programs: readonly string[]): string | undefined {
  return skipReason(programs.filter((program) => !isHere(program)).join(' and '), 'not installed');
}

/** The same for what a program must be able to do: `has` is asked for it. */
export function lacksFeature(feature: string, has: () => boolean): string | undefined {
  return skipReason(has() ? '' : feature, 'not available');
}

function skipReason(missing: string, what: string): string | undefined {
  if (missing === '' || process.env.CI !== undefined) return undefined;
  const reason = `${missing}: ${what}`;
  process.stderr.write(`tests are skipped here, ${reason}; in CI this is a failure\n`);
  return reason;
}
