// The text of --help, made from the tables that the arguments are read by: examples first, then the options in groups, 80
// columns wide. What few need is behind `--help all`.

import { optionsOf } from './command-options.ts';
import { groupedOptions, type OptionGroup } from './option-groups.ts';
import type { CommandExample, OptionSpec, ServerCommand } from './server-command.ts';

const COLUMNS = 80;
// Longer options have a line of their own.
const HELP_COLUMN = 26;

/** Every command takes these. */
const ALWAYS: readonly OptionSpec[] = [
  { name: 'help', help: "prints this; '--help all' every option" },
  { name: 'version', help: 'prints the version' },
];

export interface Help {
  /** The command as it is called: `wellknown scale`. Its examples follow it. */
  readonly program: string;
  /** What follows the program: `[options] N`. */
  readonly usage: string;
  readonly summary: string;
  readonly examples?: readonly CommandExample[] | undefined;
  readonly positional?: ServerCommand['positional'];
  /** Those without options are left out. */
  readonly groups: readonly OptionGroup[];
  /** What the exit status means, where it is not only success or failure. */
  readonly exitStatus?: string;
}

/** Every option of a help, with those that every command takes. */
export const allOptions = ({ groups }: Pick<Help, 'groups'>): readonly OptionSpec[] => [
  ...groups.flatMap(({ options }) => options),
  ...ALWAYS,
];

/** A whole --help. The last group ends with what every command takes. `isAll`: with the rare options. */
export function helpText(help: Help, isAll = false): string {
  const filled = help.groups
    .map(({ title, options }) => ({ title, options: options.filter(({ rare }) => isAll || rare !== true) }))
    .filter(({ options }) => options.length > 0);
  const shown = filled.length === 0 ? [{ title: 'Options', options: [] }] : filled;
  const hidden = help.groups.flatMap(({ options }) => options.filter(({ rare }) => !isAll && rare === true)).length;
  const { examples = [] } = help;
  return `${[
    wrapped(`usage: ${help.program} ${help.usage}`, 0, 7),
    wrapped(help.summary, 0, 0),
    ...(examples.length === 0 ? [] : [examples.map((example) => exampleText(help.program, example)).join('\n')]),
    ...(help.positional === undefined ? [] : [row(help.positional.name, help.positional.help)]),
    ...shown.map(({ title, options }, index) =>
      [`${title}:`, ...[...options, ...(index === shown.length - 1 ? ALWAYS : [])].map(optionRow)].join('\n'),
    ),
    ...(hidden === 0 ? [] : [`${hidden} more options for special cases: ${help.program} --help all`]),
    ...(help.exitStatus === undefined ? [] : [wrapped(`Exit status: ${help.exitStatus}`, 0, 0)]),
  ].join('\n\n')}\n`;
}

const exampleText = (program: string, { line, does }: CommandExample): string =>
  `${wrapped(`# ${does}`, 2, 4)}\n  ${program}${line === '' ? '' : ' '}${line}`;

/** `--name VALUE`, as it stands in a help. */
export const optionText = ({ name, argument }: OptionSpec): string =>
  `--${name}${argument === undefined ? '' : ` ${argument}`}`;

const optionRow = (spec: OptionSpec): string =>
  row(optionText(spec), `${spec.help}${spec.repeatable === true ? '; repeatable' : ''}`);

/** A name and what it is, beside it where there is room. */
export function row(name: string, help: string): string {
  const left = `  ${name}`;
  const text = wrapped(help, HELP_COLUMN, HELP_COLUMN);
  return left.length + 2 > HELP_COLUMN ? `${left}\n${text}` : left + text.slice(left.length);
}

/** Lines of at most 80 columns, the first one indented by `first`, the others by `rest`. A longer word stays whole. */
export function wrapped(text: string, first: number, rest: number): string {
  const lines: string[] = [];
  let line = ' '.repeat(first);
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = ' '.repeat(rest);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].join('\n');
}

/** What the exit status of every server means. */
export const SERVER_EXIT_STATUS =
  '0 after a graceful stop (TERM, INT), 1 for a failure while running, 2 for a bad command line.';

export type DescribedCommand = Pick<
  ServerCommand,
  'summary' | 'positional' | 'options' | 'schemes' | 'upgradesToTls' | 'without' | 'examples'
>;

/** What there is to tell of a server command that is called as `program`. */
export function describeCommand(program: string, command: DescribedCommand): Help {
  const { own, shared } = optionsOf(command);
  return {
    program,
    usage: `[options]${command.positional === undefined ? '' : ` [${command.positional.name}]`}`,
    summary: command.summary,
    examples: command.examples,
    positional: command.positional,
    groups: [{ title: 'Options of this server', options: own }, ...groupedOptions(shared)],
    exitStatus: SERVER_EXIT_STATUS,
  };
}

/** The --help of a server command. */
export const helpOfCommand = (program: string, command: DescribedCommand, isAll = false): string =>
  helpText(describeCommand(program, command), isAll);
