// `log-level [LEVEL]`: what a running supervisor logs, in all of its processes.

import { answer, LOG_LEVELS, parseOptions, usageError, type Help } from '@wellknown/core/cli';
import { askSupervisor, EXIT_STATUS } from './control-commands.ts';
import { CONTROL_OPTION, JSON_OPTION } from './shared-options.ts';

const PROGRAM = 'wellknown log-level';
const OPTIONS = [CONTROL_OPTION, JSON_OPTION];

export const describeLogLevel = (): Help => ({
  program: PROGRAM,
  usage: '[options] [LEVEL]',
  summary:
    'Prints the log level of a running supervisor, or changes it in all of its processes, also those that start later.',
  positional: { name: 'LEVEL', help: `${LOG_LEVELS.join(', ')}; without it the present one is printed` },
  examples: [
    { line: '', does: "See what the supervisor of 'wellknown up' logs" },
    { line: 'debug', does: 'Have it log everything, until it is told otherwise or upgraded' },
    {
      line: '--control /run/web.sock warn',
      does: 'Have the one of --control /run/web.sock log warnings and errors only',
    },
  ],
  groups: [{ title: 'Options', options: OPTIONS }],
  exitStatus: EXIT_STATUS,
});

export async function runLogLevel(argv: readonly string[]): Promise<void> {
  const values = parseOptions(argv, OPTIONS, 'LEVEL');
  if (!values.ok) {
    usageError(PROGRAM, values.error);
    return;
  }
  if (typeof values.value === 'string') {
    answer(values.value, describeLogLevel());
    return;
  }
  const { positional } = values.value;
  const level = LOG_LEVELS.find((known) => known === positional);
  if (positional !== undefined && level === undefined) {
    usageError(PROGRAM, `LEVEL is '${positional}', allowed is ${LOG_LEVELS.join(', ')}`);
    return;
  }
  const asked = await askSupervisor(PROGRAM, values.value, {
    command: 'log-level',
    ...(level === undefined ? {} : { level }),
  });
  if (!asked.ok) return;
  const inForce = (asked.value as { readonly level: string }).level;
  process.stdout.write(values.value.has('json') ? `${JSON.stringify({ level: inForce })}\n` : `${inForce}\n`);
}
