// `connections` and `connections close ID`: who is connected to a running supervisor, over all workers.

import { parseCidr } from '@wellknown/core/endpoint';
import { answer, parseOptions, usageError, type Help, type OptionSpec } from '@wellknown/core/cli';
import type { ConnectionsSummary } from '@wellknown/core/control';
import type { OpenConnection } from '@wellknown/core/observe';
import { connectionTable } from './connection-table.ts';
import { askSupervisor, EXIT_STATUS } from './control-commands.ts';
import { CONTROL_OPTION, JSON_OPTION } from './shared-options.ts';

const PROGRAM = 'wellknown connections';
const CLOSE = 'close';

const LIST_OPTIONS: readonly OptionSpec[] = [
  { name: 'service', argument: 'NAME', help: 'those of one service, as in http' },
  { name: 'remote', argument: 'CIDR', help: 'those of clients from an address or a range, as in 192.0.2.0/24' },
];
const CLOSE_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'reset',
    help: 'at once, by a reset. Without it the protocol finishes what is in flight, for at most --drain-timeout',
  },
];
const SHARED_OPTIONS = [CONTROL_OPTION, { ...JSON_OPTION, help: 'JSON lines: one value for each connection' }];
const OPTIONS = [...LIST_OPTIONS, ...CLOSE_OPTIONS, ...SHARED_OPTIONS];

export const describeConnections = (): Help => ({
  program: PROGRAM,
  usage: `[${CLOSE} ID] [options]`,
  summary: 'Lists the open connections of a running supervisor, or ends one of them.',
  positional: { name: `${CLOSE} ID`, help: 'ends the connection that the list has under this ID' },
  examples: [
    { line: '', does: "List those of 'wellknown up'" },
    {
      line: '--service ftp --remote 192.0.2.0/24 --json',
      does: 'List the FTP sessions from one network, for a program',
    },
    { line: `${CLOSE} 4711.12`, does: 'End one of them' },
  ],
  groups: [
    { title: 'Listing', options: LIST_OPTIONS },
    { title: `With ${CLOSE} ID`, options: CLOSE_OPTIONS },
    { title: 'Options', options: SHARED_OPTIONS },
  ],
  exitStatus: EXIT_STATUS,
});

export async function runConnections(argv: readonly string[]): Promise<void> {
  if (argv[0] === CLOSE) await close(argv.slice(1));
  else await list(argv);
}

async function list(argv: readonly string[]): Promise<void> {
  const values = parseOptions(argv, OPTIONS, undefined);
  if (!values.ok) {
    const hint = argv.includes(CLOSE) ? `; ${CLOSE} comes first, as in '${PROGRAM} ${CLOSE} ID'` : '';
    usageError(PROGRAM, `${values.error}${hint}`);
    return;
  }
  if (typeof values.value === 'string') {
    answer(values.value, describeConnections());
    return;
  }
  if (values.value.has('reset')) {
    usageError(PROGRAM, `--reset goes with '${PROGRAM} ${CLOSE} ID'`);
    return;
  }
  const service = values.value.text('service');
  const remote = values.value.text('remote');
  const range = remote === undefined ? undefined : parseCidr(remote);
  if (range?.ok === false) {
    usageError(PROGRAM, `--remote '${remote ?? ''}': ${range.error}; allowed is ADDRESS or ADDRESS/PREFIX`);
    return;
  }
  const isJson = values.value.has('json');
  const connections: OpenConnection[] = [];
  const request = {
    command: 'connections',
    ...(service === undefined ? {} : { service }),
    ...(remote === undefined ? {} : { remote }),
  } as const;
  const asked = await askSupervisor(PROGRAM, values.value, request, async (part) => {
    if (isJson) await print((part as readonly OpenConnection[]).map((one) => `${JSON.stringify(one)}\n`).join(''));
    else connections.push(...(part as readonly OpenConnection[]));
  });
  if (!asked.ok) return;
  if (!isJson) await print(connections.length === 0 ? 'no open connections\n' : `${connectionTable(connections)}\n`);
  const { unanswered } = asked.value as ConnectionsSummary;
  if (unanswered.length === 0) return;
  process.stderr.write(
    `${PROGRAM}: worker ${unanswered.join(', ')} did not answer within a second, its connections are missing\n`,
  );
  process.exitCode = 1;
}

async function close(argv: readonly string[]): Promise<void> {
  const program = `${PROGRAM} ${CLOSE}`;
  const values = parseOptions(argv, OPTIONS, 'ID');
  if (!values.ok) {
    usageError(program, values.error);
    return;
  }
  if (typeof values.value === 'string') {
    answer(values.value, describeConnections());
    return;
  }
  const options = values.value;
  const { positional: connection } = options;
  const listing = LIST_OPTIONS.find(({ name }) => options.has(name));
  if (listing !== undefined) {
    usageError(program, `--${listing.name} is for the list: ${CLOSE} takes one ID of it`);
    return;
  }
  if (connection === undefined) {
    usageError(program, `ID is missing: '${PROGRAM}' lists them`);
    return;
  }
  const request = { command: 'close', connection, reset: options.has('reset') } as const;
  const asked = await askSupervisor(program, options, request);
  if (!asked.ok) return;
  await print(options.has('json') ? `${JSON.stringify(asked.value)}\n` : `closed: ${connection}\n`);
}

/** A reader that is slow is waited for, and the supervisor with it. */
async function print(text: string): Promise<void> {
  const { stdout } = process;
  // A reader that has gone gets nothing more, and nobody waits for it.
  if (text === '' || stdout.destroyed || stdout.write(text)) return;
  await new Promise<void>((resolve) => {
    for (const event of ['drain', 'close']) stdout.once(event, () => resolve());
  });
}
