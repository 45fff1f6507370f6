// `wellknown init`: writes a configuration to begin with. It passes `check`, and serves.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileProblem } from '@wellknown/core';
import { answer, parseOptions, usageError, type Help, type OptionSpec } from '@wellknown/core/cli';
import { CONFIG_TEMPLATES } from './config/config-templates.ts';

const PROGRAM = 'wellknown init';
const DEFAULT_FILE = 'wellknown.config.yaml';
const ENDINGS = Object.keys(CONFIG_TEMPLATES).join(', ');

const OPTIONS: readonly OptionSpec[] = [{ name: 'force', help: 'write over a file that is there' }];

export const describeInit = (): Help => ({
  program: PROGRAM,
  usage: '[options] [FILE]',
  summary:
    'Writes a configuration to begin with: four servers on this machine only, and beside them what else there is.',
  positional: { name: 'FILE', help: `its ending says the format: ${ENDINGS} (default: ${DEFAULT_FILE})` },
  examples: [
    { line: '', does: `Write ${DEFAULT_FILE}` },
    { line: 'wellknown.config.ts', does: 'Write one that the compiler checks' },
    { line: '/etc/wellknown/wellknown.config.toml', does: 'Write one for the whole machine' },
  ],
  groups: [{ title: 'Options', options: OPTIONS }],
  exitStatus: '0 when it was written, 1 when it could not be, 2 for a bad command line.',
});

/** Writes the file, and sets the exit status. */
export async function runInit(argv: readonly string[]): Promise<void> {
  const values = parseOptions(argv, OPTIONS, 'FILE');
  if (!values.ok) {
    usageError(PROGRAM, values.error);
    return;
  }
  if (typeof values.value === 'string') {
    answer(values.value, describeInit());
    return;
  }
  const file = values.value.positional ?? DEFAULT_FILE;
  const template = CONFIG_TEMPLATES[path.extname(file).toLowerCase()];
  if (template === undefined) {
    usageError(PROGRAM, `FILE is '${file}', allowed are names that end in ${ENDINGS}`);
    return;
  }
  try {
    await writeFile(file, template, { flag: values.value.has('force') ? 'w' : 'wx' });
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    const why = isThere ? 'is there already, --force writes over it' : fileProblem('written', error);
    process.stderr.write(`${PROGRAM}: ${file} ${why}\n`);
    process.exitCode = 1;
    return;
  }
  const option =
    path.basename(file).startsWith('wellknown.config.') && path.dirname(file) === '.' ? '' : ` --config ${file}`;
  process.stdout.write(
    `${file} is written.\n  wellknown check${option}    tells what it comes to\n  wellknown up${option}       serves it\n`,
  );
}
