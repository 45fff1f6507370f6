// The commands of `wellknown`, as a table: dispatch, --help, completion and man pages read it. What a command needs is loaded
// when it is asked for, so that `status` does not wait for four servers.

import type { ServerCommand } from '@wellknown/core/cli';
import type { Command } from './command.ts';

function server(name: string, summary: string, load: () => Promise<ServerCommand>): Command {
  const program = `wellknown ${name}`;
  return {
    name,
    summary,
    help: async () => (await import('@wellknown/core/cli')).describeCommand(program, await load()),
    run: async (argv) => {
      const [{ runCommand }, { pino }, command] = await Promise.all([
        import('@wellknown/core/cli'),
        import('pino'),
        load(),
      ]);
      await runCommand(command, pino, program, argv);
    },
  };
}

function control(name: ControlName, summary: string): Command {
  return {
    name,
    summary,
    help: async () => (await import('./control-commands.ts')).describeControl(name),
    run: async (argv) => (await import('./control-commands.ts')).runControlCommand(name, argv),
  };
}
type ControlName = 'status' | 'reload' | 'upgrade' | 'scale' | 'drain' | 'stop';

export const COMMANDS: readonly Command[] = [
  {
    name: 'up',
    summary: 'the services of a configuration under one supervisor',
    help: async () => (await import('./up.ts')).describeUp(),
    run: async (argv) => (await import('./up.ts')).runUp(argv),
  },
  server(
    'http',
    'files or a fetch handler, over HTTP/1.1 and 2',
    async () => (await import('@wellknown/http')).httpCommand,
  ),
  server(
    'ftp',
    'a folder over FTP, read-only unless accounts are given',
    async () => (await import('@wellknown/ftp')).ftpCommand,
  ),
  server(
    'telnet',
    'a session for people, yours or a demonstration',
    async () => (await import('@wellknown/telnet')).telnetCommand,
  ),
  server(
    'echo',
    'what comes goes back (RFC 862), over UDP and TCP',
    async () => (await import('@wellknown/echo-udp')).echoCommand,
  ),
  {
    name: 'exec',
    summary: "a program for each connection, inetd's nowait, or its wait",
    help: async () => (await import('@wellknown/core/cli')).describeExec('wellknown exec'),
    run: async (argv) => {
      const [{ runExec }, { pino }] = await Promise.all([import('@wellknown/core/cli'), import('pino')]);
      await runExec('wellknown exec', argv, pino);
    },
  },
  {
    name: 'check',
    summary: 'whether a configuration is right, and what it comes to',
    help: async () => (await import('./check.ts')).describeCheck(),
    run: async (argv) => (await import('./check.ts')).runCheck(argv),
  },
  {
    name: 'init',
    summary: 'a configuration to begin with',
    help: async () => (await import('./init.ts')).describeInit(),
    run: async (argv) => (await import('./init.ts')).runInit(argv),
  },
  {
    name: 'ping',
    summary: 'loss, duplicates and round trips of an echo service',
    help: async () => (await import('./ping.ts')).describePing(),
    run: async (argv) => (await import('./ping.ts')).runPing(argv),
  },
  control('status', 'what a running supervisor is doing'),
  control('reload', 'new workers with what is on disk now'),
  control('upgrade', 'a new supervisor that inherits the sockets'),
  control('scale', 'so many workers'),
  control('drain', 'stop accepting, let work in flight finish, end'),
  control('stop', 'the same, and wait until it has ended'),
  {
    name: 'completion',
    summary: 'a script that completes commands and options in your shell',
    help: async () => (await import('./completion.ts')).describeCompletion(),
    run: async (argv) => (await import('./completion.ts')).runCompletion(argv, COMMANDS),
  },
  {
    name: 'man',
    summary: 'the manual page of a command, for man(1)',
    help: async () => (await import('./man-page.ts')).describeMan(COMMAND_NAMES),
    run: async (argv) => (await import('./man-page.ts')).runMan(argv, COMMANDS),
  },
];

/** Commands that do not serve: a signal does to them what it does to any program. */
export const servesNothing = (name: string): boolean => !['up', 'http', 'ftp', 'telnet', 'echo', 'exec'].includes(name);

export const COMMAND_NAMES: readonly string[] = COMMANDS.map(({ name }) => name);
