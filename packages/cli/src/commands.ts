// The commands of `wellknown`, as a table: dispatch, --help, completion and man pages read it. What a command needs is loaded
// when it is asked for, so that `status` does not wait for four servers.

import type { LimitsLoader, ServerCommand } from '@wellknown/core/cli';
import type { Command } from './command.ts';
import type { ControlName } from './control-commands.ts';
import { PINO } from './program-pino.ts';

/** Loaded where --limits asks for it. */
const limits: LimitsLoader = () => import('@wellknown/redis-limits');

function server(name: string, summary: string, load: () => Promise<ServerCommand>): Command {
  const program = `wellknown ${name}`;
  return {
    name,
    kind: 'server',
    summary,
    help: async () => (await import('@wellknown/core/cli')).describeCommand(program, await load()),
    run: async (argv) => {
      const [{ runCommand }, command] = await Promise.all([import('@wellknown/core/cli'), load()]);
      await runCommand(command, PINO, program, argv, { limits });
    },
  };
}

function control(name: ControlName, summary: string): Command {
  return {
    name,
    kind: 'control',
    summary,
    help: async () => (await import('./control-commands.ts')).describeControl(name),
    run: async (argv) => (await import('./control-commands.ts')).runControlCommand(name, argv),
  };
}

export const COMMANDS: readonly Command[] = [
  {
    name: 'up',
    kind: 'server',
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
    kind: 'server',
    summary: "a program for each connection, inetd's nowait, or its wait",
    help: async () => (await import('@wellknown/core/cli')).describeExec('wellknown exec'),
    run: async (argv) => {
      const { runExec } = await import('@wellknown/core/cli');
      await runExec('wellknown exec', argv, PINO);
    },
  },
  {
    name: 'check',
    kind: 'tool',
    summary: 'whether a configuration is right, and what it comes to',
    help: async () => (await import('./check.ts')).describeCheck(),
    run: async (argv) => (await import('./check.ts')).runCheck(argv),
  },
  {
    name: 'init',
    kind: 'tool',
    summary: 'a configuration to begin with',
    help: async () => (await import('./init.ts')).describeInit(),
    run: async (argv) => (await import('./init.ts')).runInit(argv),
  },
  {
    name: 'ping',
    kind: 'tool',
    summary: 'loss, duplicates and round trips of an echo service',
    help: async () => (await import('./ping.ts')).describePing(),
    run: async (argv) => (await import('./ping.ts')).runPing(argv),
  },
  control('status', 'what a running supervisor is doing'),
  control('reload', 'new workers with what is on disk now'),
  control('upgrade', 'a new supervisor that inherits the sockets'),
  control('scale', 'so many workers'),
  {
    name: 'connections',
    kind: 'control',
    summary: 'the open connections of a running supervisor, or the end of one',
    help: async () => (await import('./connections.ts')).describeConnections(),
    run: async (argv) => (await import('./connections.ts')).runConnections(argv),
  },
  {
    name: 'log-level',
    kind: 'control',
    summary: 'what a running supervisor logs, or a change of it',
    help: async () => (await import('./log-level.ts')).describeLogLevel(),
    run: async (argv) => (await import('./log-level.ts')).runLogLevel(argv),
  },
  control('drain', 'stop accepting, let work in flight finish, end'),
  control('stop', 'the same, and wait until it has ended'),
  {
    name: 'completion',
    kind: 'tool',
    summary: 'a script that completes commands and options in your shell',
    help: async () => (await import('./completion.ts')).describeCompletion(),
    run: async (argv) => (await import('./completion.ts')).runCompletion(argv, COMMANDS),
  },
  {
    name: 'man',
    kind: 'tool',
    summary: 'the manual page of a command, for man(1)',
    help: async () => (await import('./man-page.ts')).describeMan(COMMAND_NAMES),
    run: async (argv) => (await import('./man-page.ts')).runMan(argv, COMMANDS),
  },
];

export const COMMAND_NAMES: readonly string[] = COMMANDS.map(({ name }) => name);
