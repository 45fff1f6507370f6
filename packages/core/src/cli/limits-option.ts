// `--limits` of a program: the package that shares limits, loaded when it is asked for.

import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { WellknownError } from '../errors.ts';
import type { LimitsExchange } from '../limits-exchange.ts';
import { fail, ok, type Result } from '../result.ts';
import { isOurWorker } from '../supervisor/worker-place.ts';

const PACKAGE = '@wellknown/redis-limits';
// On a command line, any user could read it.
const PASSWORD_VARIABLE = 'WELLKNOWN_LIMITS_PASSWORD';

/** Loads `@wellknown/redis-limits`. */
export type LimitsLoader = () => Promise<{
  readonly redisLimits: (options: { readonly url: string; readonly password?: string | undefined }) => LimitsExchange;
}>;

/**
 * The exchange that `--limits` names; undefined where it was not given, and in workers, whose primary has it. The problem
 * names what was given and what is allowed.
 */
export async function loadLimitsExchange(
  url: string | undefined,
  environment: NodeJS.ProcessEnv,
  load: LimitsLoader = loadBesideProgram,
): Promise<Result<LimitsExchange | undefined, string>> {
  if (url === undefined || isOurWorker()) return ok(undefined);
  try {
    const { redisLimits } = await load();
    return ok(redisLimits({ url, password: environment[PASSWORD_VARIABLE] }));
  } catch (error) {
    if (error instanceof WellknownError && error.code === 'OPTION_INVALID') return fail(`--limits: ${error.message}`);
    return fail(`--limits needs the package ${PACKAGE} beside this program: npm install ${PACKAGE}`);
  }
}

/** From where the program is installed, since core itself does not depend on it. */
const loadBesideProgram: LimitsLoader = async () => {
  const program = realpathSync(process.argv[1] ?? '.');
  return import(pathToFileURL(createRequire(program).resolve(PACKAGE)).href) as ReturnType<LimitsLoader>;
};
