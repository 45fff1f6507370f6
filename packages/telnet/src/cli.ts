// The command line of the telnet server: which session a connection gets.

import path from 'node:path';
import { fail, ok, type Result } from '@wellknown/core';
import { loadHandlerModule, type BuildContext, type OptionValues, type ServerCommand } from '@wellknown/core/cli';
import type { TelnetHandler } from './connection.ts';
import { createDemoSession } from './demo-session.ts';
import { problemOfProgram } from './program/program-file.ts';
import { DEFAULT_LOGIN, loginSession, programSession, type ProgramSessionOptions } from './program/program-session.ts';
import { ptyAvailability } from './program/spawn.ts';
import { telnetProtocol } from './protocol.ts';

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
      name: 'line-mode',
      help: 'of the demonstration: the client edits lines and sends them whole, and is never asked for keys',
    },
  ],
  defaultScheme: 'tcp',
  schemes: ['tcp', 'tls', 'unix'],
  async build(values, context) {
    const handler = await handlerFor(values, context);
    return handler.ok ? ok(telnetProtocol(handler.value)) : handler;
  },
};

const CHOICES = ['handler', 'exec', 'login'] as const;

async function handlerFor(values: OptionValues, context: BuildContext): Promise<Result<TelnetHandler, string>> {
  const [first, second] = CHOICES.filter((name) => values.has(name));
  if (first !== undefined && second !== undefined)
    return fail(`--${first} and --${second} were both given: a session is one of them`);
  if (first !== undefined && values.has('line-mode'))
    return fail(`--line-mode is for the demonstration: a session of --${first} has the mode that it asks for`);
  const file = values.text('handler');
  const program = values.text('exec');
  if (program !== undefined) return programHandler(program, context);
  if (values.has('login')) return loginHandler(context);
  if (file === undefined || !context.isServing)
    return ok(createDemoSession({ mode: values.has('line-mode') ? 'line' : 'character' }));
  return loadHandlerModule(file, { expected: 'async (session) => {}', pick: pickTelnetHandler });
}

const pickTelnetHandler = (exported: unknown): TelnetHandler | undefined =>
  typeof exported === 'function' ? (exported as TelnetHandler) : undefined;

async function programHandler(program: string, context: BuildContext): Promise<Result<TelnetHandler, string>> {
  const file = path.resolve(program);
  const problem = await problemOfProgram(file);
  if (problem !== undefined) return fail(`--exec '${program}': ${problem}`);
  if (context.isServing) {
    const pty = await ptyAvailability();
    if (!pty.available) context.log.warn({ reason: pty.reason }, 'no pseudo-terminals: programs get pipes');
  }
  return ok(programSession(file, { ended: logEnd(context) }));
}

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

const logEnd =
  ({ log }: BuildContext): NonNullable<ProgramSessionOptions['ended']> =>
  ({ id }, { exitCode, signal }) =>
    log.info({ connection: id, exitCode, signal }, 'the program of a session has ended');
