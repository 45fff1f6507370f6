// `wellknown exec [options] -- PROGRAM [ARG…]`: inetd's `nowait`, a process for each connection, and with --wait its `wait`, a process
// that gets the listening socket itself.

import { readFileSync } from 'node:fs';
import { createExecServer } from '../exec-server.ts';
import type { Logger } from '../log.ts';
import { fail, ok, type Result } from '../result.ts';
import { parseIdentity } from '../run-as.ts';
import type { Server } from '../server.ts';
import { DEFAULT_WAIT_POLICY } from '../wait-policy.ts';
import { createWaitServer } from '../wait-server.ts';
import { helpOfCommand } from './help.ts';
import { parseServerArguments, type CommonValues } from './parse.ts';
import { readNumber } from './read-values.ts';
import { logOf, runServer, usageError, version } from './run.ts';
import type { OptionValues, ServerCommand } from './server-command.ts';
import { CONNECTION_OPTIONS, WORKER_OPTIONS } from './tuning.ts';

const EXEC_COMMAND: Pick<ServerCommand, 'summary' | 'options' | 'schemes'> = {
  summary: "inetd's nowait: accepts, then runs PROGRAM with the connection as its stdin and stdout (usage: exec [options] -- PROGRAM [ARG…])",
  options: [
    { name: 'wait', help: "inetd's wait: when somebody comes, runs PROGRAM with the listening socket (or the datagram socket) as its stdin and stdout, and waits again once it has ended" },
    { name: 'max-starts', argument: 'N', help: `with --wait: starts in a minute; past that nobody is let in for --pause seconds (default ${DEFAULT_WAIT_POLICY.maxStartsPerMinute})` },
    { name: 'pause', argument: 'SECONDS', help: `with --wait: how long nobody is let in after too many starts (default ${DEFAULT_WAIT_POLICY.pauseMs / 1000})` },
  ],
  schemes: ['tcp', 'unix', 'udp'],
};

/** What only a server that reads connections itself has. */
const OF_READERS = [...WORKER_OPTIONS, ...CONNECTION_OPTIONS].map(({ name }) => `--${name}`);

/** Common options that mean nothing here: refused rather than ignored. */
const WITHOUT_MEANING: Readonly<Record<'nowait' | 'wait', { readonly options: readonly string[]; readonly because: string }>> = {
  nowait: {
    options: ['--workers', '--accept', '--dispatch', '--tls-cert', '--tls-key', '--proxy-protocol', '--max-rate', '--idle-timeout', '--inetd', '--max-starts', '--pause', ...OF_READERS],
    because: 'every connection has a process of its own, --max-connections limits them',
  },
  wait: {
    options: [
      '--workers', '--accept', '--dispatch', '--tls-cert', '--tls-key', '--proxy-protocol', '--max-rate', '--max-rate-per-ip', '--max-connections', '--max-connections-per-ip', '--allow', '--deny', '--idle-timeout', '--inetd',
      ...OF_READERS,
    ],
    because: 'PROGRAM accepts by itself, nobody here sees a connection',
  },
};

/** Runs the command until it ends, and sets the exit status. */
export async function runExec(program: string, argv: readonly string[]): Promise<void> {
  const separator = argv.indexOf('--');
  const own = separator < 0 ? argv : argv.slice(0, separator);
  const [executable, ...args] = separator < 0 ? [] : argv.slice(separator + 1);
  const { options: meaningless, because } = WITHOUT_MEANING[own.includes('--wait') ? 'wait' : 'nowait'];
  const given = own.find((argument) => meaningless.includes(argument.split('=')[0] ?? ''));
  if (given !== undefined) {
    const isOfWait = given.startsWith('--max-starts') || given.startsWith('--pause');
    usageError(program, isOfWait ? `${given} goes with --wait: a process for each connection is limited by --max-connections` : `${given} is not for exec${own.includes('--wait') ? ' --wait' : ''}: ${because}`);
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
  const { common, values } = request.value;
  if (executable === undefined) {
    usageError(program, 'a program is missing: exec [options] -- PROGRAM [ARG…]');
    return;
  }
  const make = readServer(common, values, executable, args);
  if (!make.ok) {
    usageError(program, make.error);
    return;
  }
  const log = logOf(common);
  await runServer(program, () => make.value(log), common, log);
}

function readServer(common: CommonValues, values: OptionValues, program: string, args: readonly string[]): Result<(log: Logger) => Server, string> {
  if (common.listen.length === 0) return fail('--listen is missing: exec has no well-known port');
  const isWait = values.has('wait');
  const datagrams = common.listen.find(({ endpoint }) => endpoint.scheme === 'udp');
  if (!isWait && datagrams !== undefined) return fail(`--listen '${datagrams.text}' goes with --wait, which gives PROGRAM the socket itself: a datagram has no connection that could be its stdin`);
  const identity = common.runAs === undefined ? ok(undefined) : parseIdentity(common.runAs, readFileSync('/etc/passwd', 'utf8'), readFileSync('/etc/group', 'utf8'));
  if (!identity.ok) return fail(`--run-as: ${identity.error}`);
  const maxStarts = readNumber(values, 'max-starts', { whole: true, min: 1 });
  const pause = readNumber(values, 'pause', { min: 0.001, max: 86_400 });
  if (!maxStarts.ok) return maxStarts;
  if (!pause.ok) return pause;
  const { drainTimeoutMs, backlog, unixMode, maxConnections, maxConnectionsPerAddress, maxRatePerAddress, allow, deny } = common;
  const shared = {
    program,
    arguments: args,
    listen: common.listen.map(({ text }) => text),
    ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }),
    ...(backlog === undefined ? {} : { backlog }),
    ...(unixMode === undefined ? {} : { unixMode }),
    ...(identity.value === undefined ? {} : { runAs: identity.value }),
  };
  if (isWait) {
    return ok((log) => createWaitServer({
      ...shared,
      log,
      ...(maxStarts.value === undefined ? {} : { maxStartsPerMinute: maxStarts.value }),
      ...(pause.value === undefined ? {} : { pauseMs: pause.value * 1000 }),
    }));
  }
  return ok((log) => createExecServer({
    ...shared,
    log,
    limits: { ...(maxConnections === undefined ? {} : { maxConnections }), ...(maxConnectionsPerAddress === undefined ? {} : { maxConnectionsPerAddress }), ...(maxRatePerAddress === undefined ? {} : { maxAcceptsPerSecondPerAddress: maxRatePerAddress }) },
    allow,
    deny,
  }));
}
