import type { Help } from '@wellknown/core/cli';

/** A command of `wellknown`. */
export interface Command {
  readonly name: string;
  /** For the list of commands. */
  readonly summary: string;
  readonly help: () => Promise<Help>;
  /** Runs it until it ends, and sets the exit status. */
  readonly run: (argv: readonly string[]) => Promise<void>;
}
