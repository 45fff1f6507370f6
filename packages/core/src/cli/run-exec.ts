// `wellknown exec [options] -- PROGRAM [ARG…]`: inetd's `nowait`, a process for each connection, and with --wait its
// `wait`, a process that gets the listening socket itself.

import { createExecServer, DEFAULT_MAX_CONNECTIONS } from '../inetd/exec-server.ts';
import type { Logger } from '../log.ts';
import { fail, ok, type Result } from '../result.ts';
import type { Server } from '../server.ts';
import { DEFAULT_WAIT_POLICY } from '../inetd/wait-policy.ts';
import { createWaitServer } from '../inetd/wait-server.ts';
import { COMMON_OPTIONS } from './common-options.ts';
import { endOnStop } from './early-signals.ts';
import { SERVER_EXIT_STATUS, type Help } from './help.ts';
import type { CommonValues } from './common-values.ts';
import { parseServerArguments, type Asked } from './parse.ts';
import { surviveClosedOutput } from './line-output.ts';
import type { PinoSource } from './program-log.ts';
import { readNumber } from './read-values.ts';
import { answer, readIdentity, usageError } from './program-start.ts';
import { logOf } from './run.ts';
import { runServer } from './run-server.ts';
import type { OptionSpec, OptionValues, ServerCommand } from './server-command.ts';

const optionsNamed = (...names: readonly string[]): readonly OptionSpec[] =>
  COMMON_OPTIONS.filter(({ name }) => names.includes(name));

/** What it takes in both ways: in its own words, and as every server has it. */
const OWN: readonly OptionSpec[] = [
  {
    name: 'listen',
    argument: 'ENDPOINT',
    repeatable: true,
    help: 'tcp://HOST:PORT, unix:PATH, unix:@NAME, fd://N or systemd:NAME, with --wait udp://HOST:PORT too; an empty HOST is all addresses; there is no default',
  },
  { name: 'run-as', argument: 'USER[:GROUP]', help: 'PROGRAM runs as this user' },
  {
    name: 'wait',
    help: "inetd's wait: when a client comes, runs PROGRAM with the listening socket (or the datagram socket) as its stdin and stdout, and waits again once it has ended",
  },
];
const SHARED = optionsNamed('drain-timeout', 'backlog', 'unix-mode', 'control', 'pid-file', 'log-level', 'log-format');

const WAIT_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'max-starts',
    argument: 'N',
    help: `starts in a minute; past that it is not started for --pause seconds (default ${DEFAULT_WAIT_POLICY.maxStartsPerMinute})`,
  },
  {
    name: 'pause',
    argument: 'SECONDS',
    help: `how long it is not started after too many starts (default ${DEFAULT_WAIT_POLICY.pauseMs / 1000})`,
  },
];
/** How many programs may run, and for whom. */
export const EXEC_LIMIT_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'max-connections',
    argument: 'N',
    help: `programs that run at once, the next connection waits (default ${DEFAULT_MAX_CONNECTIONS})`,
  },
  {
    name: 'max-connections-per-ip',
    argument: 'N',
    help: 'of these for one address (IPv6: one /64), the next one is turned away (default: all of them)',
  },
  {
    name: 'max-rate',
    argument: 'N',
    help: 'connections accepted in a second, the next ones wait (default: no limit)',
  },
  {
    name: 'max-rate-per-ip',
    argument: 'N',
    help: 'connections of one address (IPv6: one /64) in a second, the next one is turned away (default: no limit)',
  },
  ...optionsNamed('allow', 'deny'),
];

/** What is not taken is refused by name rather than ignored. */
function refusing(taken: readonly OptionSpec[], because: string): NonNullable<ServerCommand['without']> {
  const others = COMMON_OPTIONS.filter(({ name }) => !taken.some((spec) => spec.name === name));
  return {
    ...Object.fromEntries(others.map(({ name }) => [name, because])),
    'port-offset': 'is not for exec: it has no well-known port',
  };
}

type ExecCommand = Pick<ServerCommand, 'options' | 'schemes' | 'without'>;

const SCHEMES = ['tcp', 'unix', 'udp'] as const;
const NOWAIT: ExecCommand = {
  options: [...OWN, ...EXEC_LIMIT_OPTIONS],
  schemes: SCHEMES,
  without: {
    ...refusing(
      [...OWN, ...EXEC_LIMIT_OPTIONS, ...SHARED],
      'is not for exec: every connection has a process of its own, --max-connections limits them',
    ),
    ...Object.fromEntries(
      WAIT_OPTIONS.map(({ name }) => [
        name,
        'goes with --wait: a process for each connection is limited by --max-connections',
      ]),
    ),
  },
};
const WAIT: ExecCommand = {
  options: [...OWN, ...WAIT_OPTIONS],
  schemes: SCHEMES,
  without: refusing(
    [...OWN, ...WAIT_OPTIONS, ...SHARED],
    'is not for exec --wait: PROGRAM accepts by itself, no connection is seen here',
  ),
};

/** What there is to tell of `exec`, called as `program`. */
export const describeExec = (program: string): Help => ({
  program,
  usage: '[options] -- PROGRAM [ARG…]',
  summary:
    "inetd's nowait: accepts, then runs PROGRAM with the connection as its stdin and stdout; and with --wait inetd's wait",
  examples: [
    {
      line: '--listen tcp://127.0.0.1:2628 -- /usr/sbin/dictd -i',
      does: "Run a program of inetd's for each connection",
    },
    {
      line: '--listen tcp://:17 --run-as nobody -- /usr/games/fortune',
      does: 'The same for everybody, without rights',
    },
    {
      line: '--wait --listen udp://:69 -- in.tftpd /srv/tftp',
      does: 'Give the datagram socket to a program when somebody comes',
    },
  ],
  groups: [
    { title: 'Options without --wait', options: EXEC_LIMIT_OPTIONS },
    { title: 'Options with --wait', options: WAIT_OPTIONS },
    { title: 'Options of both', options: [...OWN, ...SHARED] },
  ],
  exitStatus: SERVER_EXIT_STATUS,
});

export type ExecRequest =
  | { readonly type: Asked }
  | { readonly type: 'serve'; readonly common: CommonValues; readonly make: (log: Logger) => Server };

/** Reads the arguments of `exec`, up to the program and its own ones. */
export function parseExecArguments(argv: readonly string[]): Result<ExecRequest, string> {
  const separator = argv.indexOf('--');
  const own = separator < 0 ? argv : argv.slice(0, separator);
  const [executable, ...args] = separator < 0 ? [] : argv.slice(separator + 1);
  const request = parseServerArguments(own, own.includes('--wait') ? WAIT : NOWAIT);
  if (!request.ok && separator < 0 && request.error.startsWith('unexpected argument'))
    return fail(`${request.error}: the program and its arguments stand behind --, as in -- PROGRAM [ARG…]`);
  if (!request.ok) return request;
  if (request.value.type !== 'serve') return ok({ type: request.value.type });
  const { common, values } = request.value;
  if (executable === undefined) return fail('a program is missing: exec [options] -- PROGRAM [ARG…]');
  const make = readServer(common, values, executable, args);
  return make.ok ? ok({ type: 'serve', common, make: make.value }) : make;
}

/** Runs the command until it ends, and sets the exit status. */
export async function runExec(program: string, argv: readonly string[], pino: PinoSource): Promise<void> {
  surviveClosedOutput();
  endOnStop();
  const request = parseExecArguments(argv);
  if (!request.ok) {
    usageError(program, request.error);
    return;
  }
  if (request.value.type !== 'serve') {
    answer(request.value.type, describeExec(program));
    return;
  }
  const { common, make } = request.value;
  const { log } = logOf(common, pino);
  await runServer(program, () => make(log), common, log);
}

function readServer(
  common: CommonValues,
  values: OptionValues,
  program: string,
  args: readonly string[],
): Result<(log: Logger) => Server, string> {
  if (common.listen.length === 0) return fail('--listen is missing: exec has no well-known port');
  const isWait = values.has('wait');
  const datagrams = common.listen.find(({ endpoint }) => endpoint.scheme === 'udp');
  if (!isWait && datagrams !== undefined)
    return fail(
      `--listen '${datagrams.text}' goes with --wait, which gives PROGRAM the socket itself: a datagram has no connection that could be its stdin`,
    );
  const identity = readIdentity(common);
  if (!identity.ok) return identity;
  const maxStarts = readNumber(values, 'max-starts', { whole: true, min: 1 });
  const pause = readNumber(values, 'pause', { min: 0.001, max: 86_400 });
  if (!maxStarts.ok) return maxStarts;
  if (!pause.ok) return pause;
  const {
    drainTimeoutMs,
    backlog,
    unixMode,
    maxConnections,
    maxConnectionsPerAddress,
    maxRate,
    maxRatePerAddress,
    allow,
    deny,
  } = common;
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
    return ok((log) =>
      createWaitServer({
        ...shared,
        log,
        ...(maxStarts.value === undefined ? {} : { maxStartsPerMinute: maxStarts.value }),
        ...(pause.value === undefined ? {} : { pauseMs: pause.value * 1000 }),
      }),
    );
  }
  return ok((log) =>
    createExecServer({
      ...shared,
      log,
      limits: {
        ...(maxConnections === undefined ? {} : { maxConnections }),
        ...(maxConnectionsPerAddress === undefined ? {} : { maxConnectionsPerAddress }),
        ...(maxRate === undefined ? {} : { maxAcceptsPerSecond: maxRate }),
        ...(maxRatePerAddress === undefined ? {} : { maxAcceptsPerSecondPerAddress: maxRatePerAddress }),
      },
      allow,
      deny,
    }),
  );
}
