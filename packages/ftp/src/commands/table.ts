// Every command is a row. Dispatch, the login rule, HELP, FEAT, the documentation and the tests all read the rows.

import type { CommandSpec } from './command-spec.ts';
import { FILE_ROWS } from './file-rows.ts';
import { feat, help } from './help.ts';
import { SESSION_ROWS } from './session-rows.ts';

export const COMMANDS = {
  ...SESSION_ROWS,
  ...FILE_ROWS,
  HELP: {
    rfc: '959 §4.1.3',
    access: 'anyone',
    argument: 'optional',
    help: 'HELP [<command>]',
    run: (call) => help(call, commandRows()),
  },
  FEAT: { rfc: '2389 §3', access: 'anyone', argument: 'none', help: 'FEAT', run: (call) => feat(call, commandRows()) },
} as const satisfies Record<string, CommandSpec>;

type Verb = keyof typeof COMMANDS;

/** Every row with its verb, for a caller that walks the table. */
export const commandRows = (): readonly (readonly [string, CommandSpec])[] => Object.entries<CommandSpec>(COMMANDS);

// Found by name for each command: a map, in which the network reaches nothing but the rows.
const ROWS: ReadonlyMap<string, CommandSpec> = new Map(commandRows());

/** The row of a verb; undefined for a verb that is no command. */
export const specOf = (verb: string): CommandSpec | undefined => ROWS.get(verb);
