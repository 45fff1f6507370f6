// The program `wellknown`: finds the subcommand, and runs it.

import { pino } from 'pino';
import { systemClock } from '@wellknown/core';
import { defaultControlPath } from '@wellknown/core/control';
import {
  endOnStop,
  helpOfCommand,
  logOf,
  parseServerArguments,
  releaseSignals,
  runCommand,
  runExec,
  runServices,
  surviveClosedOutput,
  usageError,
  version,
} from '@wellknown/core/cli';
import { COMMAND_NAMES, COMMANDS_TO_COME, helpOfProgram, SERVER_COMMANDS, UP_COMMAND } from './commands.ts';
import { isControlCommand, runControlCommand } from './control-commands.ts';
import { runPing } from './ping.ts';
import { upServices } from './up-services.ts';

/** Runs the command line until its server ends, and sets the exit status. */
export async function run(argv: readonly string[]): Promise<void> {
  surviveClosedOutput();
  const [name, ...rest] = argv;
  if (name === undefined) {
    usageError('wellknown', `a command is missing\n\n${helpOfProgram()}`);
    return;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(helpOfProgram());
    return;
  }
  if (name === '--version') {
    process.stdout.write(`wellknown ${version()}\n`);
    return;
  }
  if (name === 'up') {
    await runUp(rest);
    return;
  }
  if (name === 'ping') {
    releaseSignals();
    await runPing(rest);
    return;
  }
  if (name === 'exec') {
    await runExec('wellknown exec', rest, pino);
    return;
  }
  if (isControlCommand(name)) {
    releaseSignals();
    await runControlCommand(name, rest);
    return;
  }
  const command = SERVER_COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) await runCommand(command, pino, `wellknown ${name}`, rest);
  else if (COMMANDS_TO_COME.includes(name))
    usageError('wellknown', `the command ${name} is not available in this version`);
  else usageError('wellknown', `unknown command '${name}', allowed are ${COMMAND_NAMES.join(', ')}; see --help`);
}

async function runUp(argv: readonly string[]): Promise<void> {
  const program = 'wellknown up';
  endOnStop();
  const request = parseServerArguments(argv, UP_COMMAND);
  if (!request.ok) {
    usageError(program, request.error);
    return;
  }
  if (request.value.type !== 'serve') {
    process.stdout.write(
      request.value.type === 'help' ? helpOfCommand(program, UP_COMMAND) : `${program} ${version()}\n`,
    );
    return;
  }
  const { common } = request.value;
  await runServices(
    program,
    upServices(common.portOffset, systemClock.wallMs(), common.idleTimeoutMs),
    common,
    logOf(common, pino).log,
    { controlIfFree: defaultControlPath(process.env, process.getuid?.() ?? 0) },
  );
}
