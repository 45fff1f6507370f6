// `wellknown man COMMAND`: a page for man(1), made from the table that the arguments are read by.

import { allOptions, answer, optionText, parseOptions, usageError, version, type Help } from '@wellknown/core/cli';
import type { Command } from './command.ts';

const PROGRAM = 'wellknown man';

export const describeMan = (names: readonly string[]): Help => ({
  program: PROGRAM,
  usage: '[options] [COMMAND]',
  summary: 'Prints the manual page of a command, or of wellknown itself.',
  positional: { name: 'COMMAND', help: names.join(', ') },
  examples: [
    { line: 'http | man -l -', does: 'Read the page of a command' },
    {
      line: '> /usr/local/share/man/man1/wellknown.1',
      does: 'Install the one of the program, where that folder is (mkdir -p makes it)',
    },
    {
      line: 'http > /usr/local/share/man/man1/wellknown-http.1',
      does: 'And the one of a command: man wellknown http finds it',
    },
  ],
  groups: [{ title: 'Options', options: [] }],
});

/** Prints the page of one of the commands. */
export async function runMan(argv: readonly string[], commands: readonly Command[]): Promise<void> {
  const names = commands.map(({ name }) => name);
  const values = parseOptions(argv, [], 'COMMAND');
  if (!values.ok) {
    usageError(PROGRAM, values.error);
    return;
  }
  if (typeof values.value === 'string') {
    answer(values.value, describeMan(names));
    return;
  }
  const { positional } = values.value;
  const command = commands.find(({ name }) => name === positional);
  if (command !== undefined) process.stdout.write(manPage(await command.help()));
  else if (positional === undefined) process.stdout.write(programPage(commands));
  else usageError(PROGRAM, `COMMAND is '${positional}', allowed is ${names.join(', ')}`);
}

/** roff reads a backslash anywhere, and a full stop or an apostrophe at the begin of a line. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/^(?=[.'])/gm, '\\&');

const header = (name: string): string =>
  `.TH "${name.toUpperCase().replaceAll(' ', '\\-')}" "1" "" "wellknown ${version()}" "wellknown"\n`;

/** The page of one command, in the macros of man(7). */
export function manPage(help: Help): string {
  const { program, usage, summary, positional, examples = [], groups, exitStatus } = help;
  const listed = new Set(groups.flatMap(({ options }) => options));
  const always = allOptions(help).filter((spec) => !listed.has(spec));
  const parts = [...groups, { title: 'Help', options: always }].filter(({ options }) => options.length > 0);
  return [
    header(program),
    `.SH NAME\n${escaped(program.replaceAll(' ', '-'))} \\- ${escaped(summary)}\n`,
    `.SH SYNOPSIS\n.B ${escaped(program)}\n${escaped(usage)}\n`,
    ...(positional === undefined
      ? []
      : [`.SH ARGUMENTS\n.TP\n.B ${escaped(positional.name)}\n${escaped(positional.help)}\n`]),
    '.SH OPTIONS\n',
    ...parts.map(
      ({ title, options }) =>
        `.SS ${escaped(title)}\n${options
          .map(
            (spec) =>
              `.TP\n.B ${escaped(optionText(spec))}\n${escaped(spec.help)}${spec.repeatable === true ? '; repeatable' : ''}\n`,
          )
          .join('')}`,
    ),
    ...(examples.length === 0
      ? []
      : [
          `.SH EXAMPLES\n${examples.map(({ line, does }) => `.TP\n${escaped(does)}\n.B ${escaped(`${program} ${line}`)}\n`).join('')}`,
        ]),
    ...(exitStatus === undefined ? [] : [`.SH "EXIT STATUS"\n${escaped(exitStatus)}\n`]),
    '.SH "SEE ALSO"\n.BR wellknown (1)\n',
  ].join('');
}

function programPage(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => `.TP\n.BR wellknown\\-${escaped(name)} (1)\n${escaped(summary)}\n`);
  return [
    header('wellknown'),
    `.SH NAME\nwellknown \\- network servers on well\\-known ports, under one supervisor\n`,
    `.SH SYNOPSIS\n.B wellknown\nCOMMAND [options]\n`,
    `.SH COMMANDS\n${rows.join('')}`,
  ].join('');
}
