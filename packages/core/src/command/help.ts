import { COMMON_OPTIONS } from './common-options.ts';
import type { OptionSpec, ServerCommand } from './server-command.ts';

const COLUMN = 34;

function row(spec: OptionSpec): string {
  const left = `  --${spec.name}${spec.argument === undefined ? '' : ` ${spec.argument}`}`;
  return `${left.padEnd(COLUMN)}${left.length >= COLUMN ? ' ' : ''}${spec.help}${spec.repeatable === true ? '; repeatable' : ''}`;
}

/** The rows of an option table, as every --help prints them. */
export const optionRows = (options: readonly OptionSpec[]): string => options.map(row).join('\n');

/** The whole --help of a server command. */
export function helpOfCommand(program: string, command: Pick<ServerCommand, 'summary' | 'positional' | 'options'>): string {
  const usage = `usage: ${program} [options]${command.positional === undefined ? '' : ` [${command.positional.name}]`}`;
  const parts = [usage, command.summary];
  if (command.positional !== undefined) parts.push(`  ${command.positional.name.padEnd(COLUMN - 2)}${command.positional.help}`);
  if (command.options.length > 0) parts.push(`Options of this server:\n${optionRows(command.options)}`);
  parts.push(`Options of every server:\n${optionRows(COMMON_OPTIONS)}\n${row({ name: 'help', help: 'prints this' })}\n${row({ name: 'version', help: 'prints the version' })}`);
  parts.push('Exit status: 0 after a graceful stop (TERM, INT), 1 for a failure while running, 2 for a bad command line.');
  return `${parts.join('\n\n')}\n`;
}
