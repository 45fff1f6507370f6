import type { Help } from '@wellknown/core/cli';

/** What kinds of commands there are, and in which order they are listed: each with the title of its list. */
export const COMMAND_KINDS = {
  server: 'Servers',
  control: 'A running supervisor',
  tool: 'Tools',
} as const;
export type CommandKind = keyof typeof COMMAND_KINDS;

/** A command of `wellknown`. */
export interface Command {
  readonly name: string;
  /** Where it is listed; a server also handles its signals itself, where the others die of them like any program. */
  readonly kind: CommandKind;
  /** For the list of commands. */
  readonly summary: string;
  readonly help: () => Promise<Help>;
  /** Runs it until it ends, and sets the exit status. */
  readonly run: (argv: readonly string[]) => Promise<void>;
}
