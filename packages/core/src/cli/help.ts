// The text of --help, made from the tables that the arguments are read by.

import { optionsOf } from './command-options.ts';
import type { OptionSpec, ServerCommand } from './server-command.ts';

const COLUMN = 34;

/** Every command takes these. */
const ALWAYS: readonly OptionSpec[] = [
  { name: 'help', help: 'prints this' },
  { name: 'version', help: 'prints the version' },
];

export interface Help {
  /** The command as it is called, with what follows the options: `wellknown scale [options] N`. */
  readonly usage: string;
  readonly summary: string;
  readonly positional?: ServerCommand['positional'];
  /** Those without options are left out. */
  readonly groups: readonly { readonly title: string; readonly options: readonly OptionSpec[] }[];
  /** What the exit status means, where it is not only success or failure. */
  readonly exitStatus?: string;
}

function row(spec: OptionSpec): string {
  const left = `  --${spec.name}${spec.argument === undefined ? '' : ` ${spec.argument}`}`;
  return `${left.padEnd(COLUMN)}${left.length >= COLUMN ? ' ' : ''}${spec.help}${spec.repeatable === true ? '; repeatable' : ''}`;
}

/** A whole --help. The last group ends with what every command takes. */
export function helpText({ usage, summary, positional, groups, exitStatus }: Help): string {
  const shown = groups.filter(({ options }) => options.length > 0);
  return `${[
    `usage: ${usage}`,
    summary,
    ...(positional === undefined ? [] : [`  ${positional.name.padEnd(COLUMN - 2)}${positional.help}`]),
    ...shown.map(({ title, options }, index) =>
      [`${title}:`, ...[...options, ...(index === shown.length - 1 ? ALWAYS : [])].map(row)].join('\n'),
    ),
    ...(exitStatus === undefined ? [] : [`Exit status: ${exitStatus}`]),
  ].join('\n\n')}\n`;
}

/** What the exit status of every server means. */
export const SERVER_EXIT_STATUS =
  '0 after a graceful stop (TERM, INT), 1 for a failure while running, 2 for a bad command line.';

/** The whole --help of a server command. */
export function helpOfCommand(
  program: string,
  command: Pick<ServerCommand, 'summary' | 'positional' | 'options' | 'schemes' | 'upgradesToTls' | 'without'>,
): string {
  const { own, shared } = optionsOf(command);
  return helpText({
    usage: `${program} [options]${command.positional === undefined ? '' : ` [${command.positional.name}]`}`,
    summary: command.summary,
    positional: command.positional,
    groups: [
      { title: 'Options of this server', options: own },
      { title: 'Options of every server', options: shared },
    ],
    exitStatus: SERVER_EXIT_STATUS,
  });
}
