// The command line of the telnet server: which session a connection gets.

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { fail, ok, type Result } from '@wellknown/core';
import { loadHandlerModule, type BuildContext, type OptionValues, type ServerCommand } from '@wellknown/core/cli';
import type { TelnetHandler } from './connection.ts';
import { createDemoSession } from './demo-session.ts';
import { problemOfProgram } from './program/program-file.ts';
import { DEFAULT_LOGIN, loginSession, programSession, type ProgramSessionOptions } from './program/program-session.ts';
import { ptyAvailability } from './program/spawn.ts';
import { telnetProtocol } from './protocol.ts';
import { recordSessions } from './recording/recorded-sessions.ts';

/** `wellknown telnet`, and `wellknown-telnet` on its own. */
export const telnetCommand: ServerCommand = {
  name: 'telnet',
  summary: 'a telnet server: a demonstration session, your own handler, a program for each session, or login',
  examples: [
    { line: '--port-offset 8000', does: 'Try the demonstration: telnet 127.0.0.1 8023' },
    { line: '--handler ./session.mjs --port-offset 8000', does: 'Serve a session of yours' },
    { line: '--handler ./session.mjs --listen tcp://:23', does: 'Serve it to the network' },
  ],
  options: [
    {
      name: 'handler',
      argument: 'FILE',
      help: 'a module whose default export is async (session) => {}; default: the built-in demonstration',
    },
    {
      name: 'exec',
      argument: 'PROGRAM',
      help: 'each session is a run of PROGRAM (a path, without arguments), on a pseudo-terminal where one can be had',
    },
    { name: 'login', help: 'each session is a login at this machine, by /bin/login; needs root' },
    {
      name: 'mode',
      argument: 'MODE',
      help: "of the demonstration and of --handler, how a session begins: 'line' (the client edits and sends lines), 'character' (it is asked for keys) or 'auto' (asked if it is a terminal); default auto for the demonstration, line for a handler",
    },
    { name: 'line-mode', help: 'short for --mode line' },
    {
      name: 'record',
      argument: 'DIR',
      help: 'records what each client is shown in a file of its own in DIR (asciicast 2), but for passwords that are asked for',
    },
  ],
  defaultScheme: 'tcp',
  schemes: ['tcp', 'tls', 'unix'],
  async build(values, context) {
    const mode = modeOf(values);
    if (!mode.ok) return mode;
    const handler = await handlerFor(values, context);
    if (!handler.ok) return handler;
    const recorded = await recordedAs(values.text('record'), handler.value, context);
    return recorded.ok ? ok(telnetProtocol(recorded.value, { mode: mode.value })) : recorded;
  },
};

const MODES = ['line', 'character', 'auto'] as const;

/** How sessions begin. */
function modeOf(values: OptionValues): Result<(typeof MODES)[number], string> {
  const given = values.text('mode');
  const option = given === undefined ? '--line-mode' : '--mode';
  const program = PROGRAMS.find((name) => values.has(name));
  if (given === undefined && !values.has('line-mode')) return ok(values.has('handler') || program ? 'line' : 'auto');
  if (program !== undefined)
    return fail(`${option} is of no use with --${program}: a program gets keys wherever it can`);
  if (given === undefined) return ok('line');
  if (values.has('line-mode')) return fail('--mode and --line-mode were both given: one of them says it');
  const mode = MODES.find((each) => each === given);
  return mode === undefined ? fail(`--mode '${given}': allowed are ${MODES.join(', ')}`) : ok(mode);
}

const PROGRAMS = ['exec', 'login'] as const;
const CHOICES = ['handler', ...PROGRAMS] as const;

async function handlerFor(values: OptionValues, context: BuildContext): Promise<Result<TelnetHandler, string>> {
  const [first, second] = CHOICES.filter((name) => values.has(name));
  if (first !== undefined && second !== undefined)
    return fail(`--${first} and --${second} were both given: a session is one of them`);
  const file = values.text('handler');
  const program = values.text('exec');
  if (program !== undefined) return programHandler(program, context);
  if (values.has('login')) return loginHandler(context);
  // It does not ask for keys itself: the mode is the server's to choose.
  if (file === undefined || !context.isServing) return ok(createDemoSession({ mode: 'line' }));
  return loadHandlerModule(file, { expected: 'async (session) => {}', pick: pickTelnetHandler });
}

const pickTelnetHandler = (exported: unknown): TelnetHandler | undefined =>
  typeof exported === 'function' ? (exported as TelnetHandler) : undefined;

async function programHandler(program: string, context: BuildContext): Promise<Result<TelnetHandler, string>> {
  const file = path.resolve(program);
  const problem = await problemOfProgram(file);
  if (problem !== undefined) return fail(`--exec '${program}': ${problem}${meantProgram(program)}`);
  if (context.isServing) {
    const pty = await ptyAvailability();
    if (!pty.available) context.log.warn({ reason: pty.reason }, 'no pseudo-terminals: programs get pipes');
  }
  return ok(programSession(file, { ended: logEnd(context) }));
}

/** What a shell would make of the text is not done here. */
const meantProgram = (program: string): string =>
  /\s/.test(program)
    ? '; it is a path without arguments, which a script of yours may add'
    : program.includes('/')
      ? ''
      : `; one of PATH goes by its whole path, which 'command -v ${program}' shows`;

async function loginHandler(context: BuildContext): Promise<Result<TelnetHandler, string>> {
  if (process.getuid?.() !== 0) return fail('--login needs root, which login(1) runs as: start it as root');
  if (context.runAs !== undefined)
    return fail('--login needs root, which login(1) runs as, and --run-as gives it up: give one of them');
  const problem = await problemOfProgram(DEFAULT_LOGIN);
  if (problem !== undefined) return fail(`--login: ${DEFAULT_LOGIN}: ${problem}`);
  const pty = await ptyAvailability();
  if (!pty.available) return fail(`--login needs pseudo-terminals, and there are none: ${pty.reason}`);
  return ok(loginSession({ ended: logEnd(context) }));
}

async function recordedAs(
  given: string | undefined,
  handler: TelnetHandler,
  { log, isServing }: BuildContext,
): Promise<Result<TelnetHandler, string>> {
  if (given === undefined) return ok(handler);
  const directory = path.resolve(given);
  const isDirectory = await stat(directory).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (!isDirectory) return fail(`--record '${given}': there is no such folder`);
  // Those who serve may be another user's (--run-as), and write with its rights.
  const mayWrite = await access(directory, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (isServing && !mayWrite)
    return fail(`--record '${given}': the user that serves (${process.getuid?.() ?? 'this one'}) may not write there`);
  return ok(
    recordSessions(handler, {
      directory,
      failed: ({ id }, error) =>
        log.error({ err: error, connection: id }, 'a session is not recorded any more: it goes on without'),
    }),
  );
}

const logEnd =
  ({ log }: BuildContext): NonNullable<ProgramSessionOptions['ended']> =>
  ({ id }, { exitCode, signal }) =>
    log.info({ connection: id, exitCode, signal }, 'the program of a session has ended');
