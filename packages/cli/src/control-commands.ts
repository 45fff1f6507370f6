// `status`, `reload`, `upgrade`, `scale`, `drain` and `stop`: speak to a running supervisor through its control socket.

import type { Reloaded, ServerStatus } from '@wellknown/core';
import {
  askControl,
  defaultControlPath,
  reloadedText,
  type ControlOutcome,
  type ControlRequest,
} from '@wellknown/core/control';
import { answer, parseOptions, usageError, type Help, type OptionValues } from '@wellknown/core/cli';
import { CONTROL_OPTION, JSON_OPTION } from './shared-options.ts';
import { statusTable } from './status-table.ts';

/** Those that are asked by a word, or a word and a number. */
export type ControlName = Exclude<ControlRequest['command'], 'connections' | 'close' | 'log-level'>;

interface ControlCommand {
  readonly summary: string;
  readonly positional?: string;
  /** Its answer, for a person. */
  readonly inWords: (value: unknown) => string;
}

const HINT =
  "'wellknown up' opens that one; any other server is reached by the PATH that it was started with, given to both as --control PATH";
export const EXIT_STATUS =
  '0 when it was done, 1 when no supervisor could be reached or it refused, 2 for a bad command line.';

const line = (value: unknown): string => `${String(value)}\n`;

const fieldOf = (value: unknown, name: string): string =>
  typeof value === 'object' && value !== null ? String((value as Readonly<Record<string, unknown>>)[name]) : '';

/** The rows of --help, and what each command takes. */
const CONTROL_COMMANDS: Readonly<Record<ControlName, ControlCommand>> = {
  status: { summary: 'what a running supervisor is doing', inWords: (value) => statusTable(value as ServerStatus) },
  reload: {
    summary: 'new workers with the code and configuration on disk, then drain the old ones',
    inWords: (value) => line(reloadedText(value as Reloaded)),
  },
  upgrade: {
    summary: 'a new supervisor that inherits the listening sockets, then drain the old one',
    inWords: (value) => `upgraded: the supervisor is process ${fieldOf(value, 'successor')} now\n`,
  },
  scale: {
    summary: 'so many workers',
    positional: 'N',
    inWords: (value) => `scaled: ${fieldOf(value, 'workers')} workers\n`,
  },
  drain: { summary: 'stop accepting, let work in flight finish, end', inWords: line },
  stop: { summary: 'the same, and wait until it has ended', inWords: line },
};

const OPTIONS = [CONTROL_OPTION, JSON_OPTION];

/** What there is to tell of one of them. */
export function describeControl(name: ControlName): Help {
  const { summary, positional } = CONTROL_COMMANDS[name];
  return {
    program: `wellknown ${name}`,
    usage: `[options]${positional === undefined ? '' : ` ${positional}`}`,
    summary,
    examples: [
      { line: positional === undefined ? '' : '4', does: "Ask the supervisor of 'wellknown up'" },
      {
        line: `${positional === undefined ? '' : '4 '}--control /run/web.sock`,
        does: 'Ask the one that was started with --control /run/web.sock',
      },
      { line: `${positional === undefined ? '' : '4 '}--json`, does: 'Have the answer as JSON' },
    ],
    groups: [{ title: 'Options', options: OPTIONS }],
    exitStatus: EXIT_STATUS,
  };
}

/** Asks the supervisor and prints its answer; exit status 1 when it can't be reached or refuses. */
export async function runControlCommand(name: ControlName, argv: readonly string[]): Promise<void> {
  const program = `wellknown ${name}`;
  const command = CONTROL_COMMANDS[name];
  const values = parseOptions(argv, OPTIONS, command.positional);
  if (!values.ok) {
    usageError(program, values.error);
    return;
  }
  if (typeof values.value === 'string') {
    answer(values.value, describeControl(name));
    return;
  }
  let request: ControlRequest;
  if (name === 'scale') {
    const workers = Number(values.value.positional);
    if (!Number.isInteger(workers) || workers < 1) {
      const given = values.value.positional;
      usageError(program, `N is ${given === undefined ? 'missing' : `'${given}'`}, allowed is a whole number from 1`);
      return;
    }
    request = { command: name, workers };
  } else request = { command: name };
  const asked = await askSupervisor(program, values.value, request);
  if (!asked.ok) return;
  process.stdout.write(
    values.value.has('json') ? `${JSON.stringify(asked.value, null, 2)}\n` : command.inWords(asked.value),
  );
}

/**
 * Asks the supervisor that `--control` names. Where it can't be reached or refuses, that is said and the exit status is 1.
 * `part` gets all but the last value of an answer that has several.
 */
export async function askSupervisor(
  program: string,
  options: Pick<OptionValues, 'text'>,
  request: ControlRequest,
  part?: (value: unknown) => void | Promise<void>,
): Promise<ControlOutcome> {
  const given = options.text('control');
  const asked = await askControl(given ?? defaultControlPath(process.env, process.getuid?.() ?? 0), request, part);
  if (asked.ok) return asked;
  // The path of `up` is the only one that is known without being told; another one is of no use where that was reached.
  const hint = given === undefined && !asked.isReached ? `; ${HINT}` : '';
  process.stderr.write(`${program}: ${asked.error}${hint}\n`);
  process.exitCode = 1;
  return asked;
}
