// What a protocol package tells about itself to the command line. The same value serves the package's own program
// (`wellknown-http`) and the subcommand of `wellknown`, so the two cannot differ.

import type { Logger } from '../log.ts';
import type { Identity, ServerOptions } from '../options.ts';
import type { Protocol } from '../protocol.ts';
import type { Result } from '../result.ts';

export interface OptionSpec {
  /** Without the leading `--`. */
  readonly name: string;
  /** The placeholder of the option's value in --help; absent for a switch. */
  readonly argument?: string;
  readonly repeatable?: boolean;
  /** One line: what it does, and the default. */
  readonly help: string;
  /** Few need it: it is in `--help all` only. */
  readonly rare?: boolean;
  /** It means nothing to one connection on standard input: why --inetd refuses it. */
  readonly withoutInetd?: string;
}

/** A command line that works as it stands. */
export interface CommandExample {
  /** What follows the program. */
  readonly line: string;
  /** What it does, as an imperative sentence without a full stop. */
  readonly does: string;
}

/** The values of one command line. A switch is `true`, a repeatable option a list in the order given. */
export interface OptionValues {
  readonly positional: string | undefined;
  /** The placeholder of an option's value: what takes units is known by it. */
  argument?(name: string): string | undefined;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  has(name: string): boolean;
}

export interface BuildContext {
  readonly log: Logger;
  /**
   * Writes a line, with its line feed, to standard error beside those of the log: whole, in order, and never waiting for a
   * slow reader.
   */
  readonly errorOutput?: (line: string) => void;
  /** Added to the well-known ports by --port-offset. */
  readonly portOffset: number;
  /** Who the serving processes become (--run-as): files that they have to write are theirs. */
  readonly runAs?: Identity | undefined;
  /** Only whether the options are right is asked: nothing is written, removed or left open. */
  readonly isCheck?: boolean;
  /** Told how to give back what the service has open in this process, for a supervisor that a reload may take it from. */
  readonly whenReleased?: (release: () => void) => void;
  /**
   * Whether this process serves connections: a worker, or a program without workers. Only there may code of the user's
   * be loaded, with the rights of who serves; what `build` returns elsewhere is asked for its name, port and limits only.
   */
  readonly isServing: boolean;
}

export interface ServerCommand {
  /** The subcommand: `http`, `ftp`, `telnet`, `echo`. */
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** What --help begins with: the three that most people come for. */
  readonly examples?: readonly CommandExample[];
  /** The name of the one positional argument, with its help. */
  readonly positional?: { readonly name: string; readonly help: string };
  /** The options that this command has beyond the common ones, or instead of one of the same name. */
  readonly options: readonly OptionSpec[];
  /**
   * Common options that mean nothing to this command: by name, what the message says behind the option. They are
   * refused, and not in --help.
   */
  readonly without?: Readonly<Partial<Record<string, string>>>;
  /** The scheme of the default endpoint. */
  readonly defaultScheme: 'tcp' | 'udp';
  /** The same where the options decide. */
  readonly defaultSchemeOf?: (values: OptionValues) => 'tcp' | 'tls' | 'udp';
  /** Which schemes `--listen` may name. */
  readonly schemes: readonly ('tcp' | 'tls' | 'udp' | 'unix')[];
  /**
   * The protocol can upgrade a connection that began in clear, so that --tls-cert has a meaning without a tls://
   * listener.
   */
  readonly upgradesToTls?: boolean;
  /** Options of core that this command sets, under those that the user gives. */
  readonly serverOptions?: (values: OptionValues) => ServerOptions;
  /**
   * Builds the protocol from the options. A problem is a sentence for the user that names the option, what was given
   * and what is allowed; the program prints it and exits with 2. Runs in every worker as well as in the primary:
   * one that a worker finds before any was ready ends the program like one of the primary's own.
   */
  build(values: OptionValues, context: BuildContext): Promise<Result<Protocol, string>>;
  /**
   * Further protocols that the options ask for, each served on its own well-known port wherever this one listens.
   * Called after `build`.
   */
  companions?(values: OptionValues): Result<readonly Protocol[], string>;
}
