// The subcommands of `wellknown`, as a table: dispatch and --help read it.

import type { ServerCommand } from '@wellknown/core/cli';
import { echoCommand } from '@wellknown/echo-udp';
import { ftpCommand } from '@wellknown/ftp';
import { httpCommand } from '@wellknown/http';
import { telnetCommand } from '@wellknown/telnet';
import { CONTROL_COMMANDS } from './control-commands.ts';
import { PING_SUMMARY } from './ping.ts';

/** One server each; every one is also a program of its own package. */
export const SERVER_COMMANDS: readonly ServerCommand[] = [httpCommand, ftpCommand, telnetCommand, echoCommand];

/** Subcommands of the command line's contract that do not exist yet: refused by name. */
export const COMMANDS_TO_COME: readonly string[] = ['check'];

const EXEC_SUMMARY =
  'runs a program for each connection, or with --wait on the listening socket, as inetd does: exec [options] -- PROGRAM [ARG…]';
const UP_SUMMARY = 'http, ftp, telnet and echo together under one supervisor, with safe defaults';

const COMMANDS: readonly Pick<ServerCommand, 'name' | 'summary'>[] = [
  { name: 'up', summary: UP_SUMMARY },
  ...SERVER_COMMANDS,
  { name: 'exec', summary: EXEC_SUMMARY },
  { name: 'ping', summary: PING_SUMMARY },
  ...Object.entries(CONTROL_COMMANDS).map(([name, { summary }]) => ({ name, summary })),
];

export const COMMAND_NAMES: readonly string[] = COMMANDS.map(({ name }) => name);

/** The --help of `wellknown` itself. */
export function helpOfProgram(): string {
  const rows = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`);
  return `usage: wellknown COMMAND [options]

Network servers on well-known ports, on one pre-forked core.

${rows.join('\n')}

'wellknown --version' prints the version, 'wellknown COMMAND --help' the options of one. Without --listen every server listens on 127.0.0.1 only; well-known
ports need root or CAP_NET_BIND_SERVICE, and '--port-offset 8000' does without: 8080, 8021, 8023, 8007.
`;
}

/** What `up` takes: the options of every server but those that only make sense for one. */
export const UP_COMMAND: Pick<ServerCommand, 'summary' | 'options' | 'schemes' | 'without'> = {
  summary: UP_SUMMARY,
  options: [],
  schemes: [],
  without: {
    listen: 'is for one server alone; here, --port-offset moves all of them',
    inetd: 'is for one server alone, which has the one connection',
  },
};
