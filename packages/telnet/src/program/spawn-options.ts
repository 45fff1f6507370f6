// How a session runs a program.

import type { AcceptedVariable } from './environment.ts';

export interface SpawnOptions {
  /**
   * `auto`, the default: on a pseudo-terminal where one can be had (`@lydell/node-pty`), otherwise with pipes. `pty`
   * throws where there is none.
   */
  readonly terminal?: 'auto' | 'pty' | 'pipes';
  /** Added to its environment, which has only TERM and what of ours a program needs (PATH, HOME, LANG and their kin). */
  readonly environment?: Readonly<Record<string, string>>;
  /** Variables of the client that it gets, too. Their values have been checked for their form. */
  readonly acceptEnvironment?: readonly AcceptedVariable[];
  /** The working directory. */
  readonly directory?: string;
  /**
   * How long a program that writes nothing goes on once the client has sent its last byte; then it is hung up. Default:
   * five seconds.
   */
  readonly silenceAfterInputMs?: number;
  /** Ask the client for BINARY in both directions (RFC 856), which programs that transfer files want. */
  readonly binary?: boolean;
}
