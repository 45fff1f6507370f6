// `wellknown check`: whether a configuration is right, and what it comes to. Starts nothing.

import { silentLog, ok } from '@wellknown/core';
import { answer, parseOptions, readIdentity, usageError, type Help, type OptionSpec } from '@wellknown/core/cli';
import { describeConfig, type DescribedConfig } from './config/describe-config.ts';
import { findConfigFile } from './config/config-file.ts';
import { loadConfig } from './config/load-config.ts';
import { mistakesText } from './config/mistakes.ts';
import { CONFIG_OPTION, JSON_OPTION } from './shared-options.ts';

const PROGRAM = 'wellknown check';

const OPTIONS: readonly OptionSpec[] = [CONFIG_OPTION, JSON_OPTION];

export const describeCheck = (): Help => ({
  program: PROGRAM,
  usage: '[options]',
  summary:
    'Tells whether a configuration is right, with the place of every mistake, and what it comes to. Starts nothing.',
  examples: [
    { line: '', does: 'Check wellknown.config.* of the working directory' },
    { line: '--config /etc/wellknown/wellknown.config.yaml', does: 'Check another one' },
    { line: '--json', does: 'The same for a program' },
  ],
  groups: [{ title: 'Options', options: OPTIONS }],
  exitStatus: '0 when it is right, 2 when it is not, or the command line is wrong.',
});

/** Checks, prints, and sets the exit status. */
export async function runCheck(argv: readonly string[]): Promise<void> {
  const values = parseOptions(argv, OPTIONS, undefined);
  if (!values.ok) {
    usageError(PROGRAM, values.error);
    return;
  }
  if (typeof values.value === 'string') {
    answer(values.value, describeCheck());
    return;
  }
  const isJson = values.value.has('json');
  const given = values.value.text('config');
  const found = given === undefined ? findConfigFile() : ok(given);
  if (!found.ok) {
    usageError(PROGRAM, found.error);
    return;
  }
  if (found.value === undefined) {
    usageError(
      PROGRAM,
      "there is no wellknown.config.* here or in /etc/wellknown: 'wellknown init' writes one, --config FILE names another; without one 'wellknown up' serves its examples",
    );
    return;
  }
  const loaded = await loadConfig(found.value, {}, process.env, (program) => {
    const identity = readIdentity(program);
    return identity.ok
      ? ok({ log: silentLog, portOffset: program.portOffset, runAs: identity.value, isServing: false, isCheck: true })
      : identity;
  });
  if (!loaded.ok) {
    process.exitCode = 2;
    if (isJson) print({ file: found.value, ok: false, mistakes: loaded.error });
    else process.stderr.write(mistakesText(PROGRAM, loaded.error));
    return;
  }
  const described = describeConfig(loaded.value);
  if (isJson) print({ file: found.value, ok: true, ...described });
  else process.stdout.write(textOf(found.value, described));
}

const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);

function textOf(file: string, { services, program }: DescribedConfig): string {
  const rows = (options: Readonly<Record<string, unknown>>): string =>
    Object.entries(options)
      .map(([key, value]) => `  ${key.padEnd(24)} ${[value].flat().map(String).join(', ')}\n`)
      .join('');
  const blocks = services.map(
    ({ name, protocol, listen, options }) => `${name} (${protocol}) on ${listen.join(' ')}\n${rows(options)}`,
  );
  const whole = Object.keys(program).length === 0 ? [] : [`the whole program\n${rows(program)}`];
  const count = services.length === 1 ? '1 service' : `${services.length} services`;
  return `${file} is right: ${count}\n\n${[...blocks, ...whole].join('\n')}`;
}
