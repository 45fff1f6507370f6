// The options of the program: they are known before any server is loaded.

import { readCommon, type CommonValues, type OptionSpec } from '@wellknown/core/cli';
import { fail, type Result } from '@wellknown/core';
import { blame } from './blame.ts';
import { GLOBAL_KEYS } from './config-keys.ts';
import { programOptions, type EffectiveOptions } from './effective-options.ts';
import { valuesOf, type ConfigTexts, type OptionTexts } from './option-texts.ts';
import type { Path, Problem } from './places.ts';

/** The options of the program. Program-wide ones alone: what is for services was checked with them. */
export function readProgram(
  config: ConfigTexts,
  commandLine: OptionTexts,
): Promise<Result<CommonValues, readonly Problem[]>> {
  const specs = GLOBAL_KEYS.map(({ option, argument, help }): OptionSpec => ({
    name: option,
    help,
    ...(argument === undefined ? {} : { argument }),
  }));
  const options: EffectiveOptions = { texts: programOptions(config, commandLine), originOf: () => 'global' };
  return allMistakes(options, [], (texts) => Promise.resolve(readCommon(valuesOf(texts, specs), { schemes: [] })));
}

/**
 * Asks again without the options that the last answer was about, so that all mistakes are told at once. What is said
 * of an option that was taken away before is only its consequence.
 */
export async function allMistakes<Value>(
  options: EffectiveOptions,
  at: Path,
  read: (texts: OptionTexts) => Promise<Result<Value, string>>,
  unread: readonly string[] = [],
): Promise<Result<Value, readonly Problem[]>> {
  const problems: Problem[] = [];
  const removed = new Set<string>(unread);
  for (;;) {
    const texts = Object.fromEntries(Object.entries(options.texts).filter(([name]) => !removed.has(name)));
    const result = await read(texts);
    if (result.ok) return problems.length > 0 ? fail(problems) : result;
    const { problem, mentioned, options: blamed } = blame(result.error, options, at);
    if (!mentioned.some((name) => removed.has(name))) problems.push(problem);
    const left = blamed.filter((name) => !removed.has(name));
    if (left.length === 0) return fail(problems);
    for (const name of left) removed.add(name);
  }
}
