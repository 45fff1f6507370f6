// `wellknown exec [options] -- PROGRAM [ARG…]`: a process for each connection.

import { readFileSync } from 'node:fs';
import { createExecServer } from '../exec-server.ts';
import { ok } from '../result.ts';
import { parseIdentity } from '../run-as.ts';
import { helpOfCommand } from './help.ts';
import { parseServerArguments } from './parse.ts';
import { logOf, runServer, usageError, version } from './run.ts';
import type { ServerCommand } from './server-command.ts';
import { CONNECTION_OPTIONS, WORKER_OPTIONS } from './tuning.ts';

const EXEC_COMMAND: Pick<ServerCommand, 'summary' | 'options' | 'schemes'> = {
  summary: "inetd's nowait: accepts, then runs PROGRAM with the connection as its stdin and stdout (usage: exec [options] -- PROGRAM [ARG…])",
  options: [],
  schemes: ['tcp', 'unix'],
};

/** Common options that mean nothing where every connection has a process of its own: refused rather than ignored. */
const WITHOUT_MEANING = [
  '--workers', '--accept', '--dispatch', '--tls-cert', '--tls-key', '--proxy-protocol', '--max-rate', '--idle-timeout', '--inetd',
  ...[...WORKER_OPTIONS, ...CONNECTION_OPTIONS].map(({ name }) => `--${name}`),
];

/** Runs the command until it ends, and sets the exit status. */
export async function runExec(program: string, argv: readonly string[]): Promise<void> {
  const separator = argv.indexOf('--');
  const own = separator < 0 ? argv : argv.slice(0, separator);
  const [executable, ...args] = separator < 0 ? [] : argv.slice(separator + 1);
  const meaningless = own.find((argument) => WITHOUT_MEANING.includes(argument.split('=')[0] ?? ''));
  if (meaningless !== undefined) {
    usageError(program, `${meaningless} is not for exec: every connection has a process of its own, --max-connections limits them`);
    return;
  }
  const request = parseServerArguments(own, EXEC_COMMAND);
  if (!request.ok) {
    usageError(program, request.error);
    return;
  }
  if (request.value.type !== 'serve') {
    process.stdout.write(request.value.type === 'help' ? helpOfCommand(program, EXEC_COMMAND) : `${program} ${version()}\n`);
    return;
  }
  const { common } = request.value;
  if (executable === undefined) {
    usageError(program, 'a program is missing: exec [options] -- PROGRAM [ARG…]');
    return;
  }
  if (common.listen.length === 0) {
    usageError(program, '--listen is missing: exec has no well-known port');
    return;
  }
  const identity = common.runAs === undefined ? ok(undefined) : parseIdentity(common.runAs, readFileSync('/etc/passwd', 'utf8'), readFileSync('/etc/group', 'utf8'));
  if (!identity.ok) {
    usageError(program, `--run-as: ${identity.error}`);
    return;
  }
  const log = logOf(common);
  const { maxConnections, maxConnectionsPerAddress, maxRatePerAddress, allow, deny, drainTimeoutMs, backlog, unixMode } = common;
  await runServer(program, () => createExecServer({
    program: executable,
    arguments: args,
    listen: common.listen.map(({ text }) => text),
    log,
    limits: { ...(maxConnections === undefined ? {} : { maxConnections }), ...(maxConnectionsPerAddress === undefined ? {} : { maxConnectionsPerAddress }), ...(maxRatePerAddress === undefined ? {} : { maxAcceptsPerSecondPerAddress: maxRatePerAddress }) },
    allow,
    deny,
    ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }),
    ...(backlog === undefined ? {} : { backlog }),
    ...(unixMode === undefined ? {} : { unixMode }),
    ...(identity.value === undefined ? {} : { runAs: identity.value }),
  }), common, log);
}
