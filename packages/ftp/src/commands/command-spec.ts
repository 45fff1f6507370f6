// What a row of the command table is, and what its `run` is called with.

import type { Outcome } from '../effects.ts';
import type { FileSystem } from '../file-system.ts';
import type { AbsolutePath } from '../path.ts';
import type { Ready, SessionContext, SessionState } from '../session-state.ts';

/** What the carrier knows of the moment. */
export interface TransferProgress {
  /** Of the transfer under way. */
  readonly transferBytes: number | undefined;
  /** This ABOR has cut a transfer short. */
  readonly hasAborted: boolean;
}

/** What is going on while the command is decided. */
export interface Progress extends TransferProgress {
  /** What the RNFR directly before this command named: the state has forgotten it. */
  readonly renameFrom: AbsolutePath | undefined;
}

/** Everything a row of the command table is called with. */
export interface Call<State extends SessionState> {
  readonly state: State;
  readonly argument: string;
  readonly session: SessionContext;
  readonly progress: Progress;
}

/** Methods that a file system may leave out. */
export type Needs = Exclude<keyof FileSystem, 'stat' | 'list' | 'read'>;

interface CommonSpec {
  /** Where the command is defined. */
  readonly rfc: string;
  readonly argument: 'none' | 'optional' | 'required';
  /** The syntax, as HELP prints it. */
  readonly help: string;
  /** The line of FEAT; only extensions of RFC 959 have one (RFC 2389 §3.2). */
  readonly feature?: string;
  /**
   * While a transfer runs, commands wait for its end. Some are answered at once, without an argument; ABOR cuts the
   * transfer short.
   */
  readonly duringTransfer?: 'answers' | 'aborts';
  /** What the file system must be able to do. Where it is not, the command is not offered. */
  readonly needs?: Needs;
  /** Where it is false the command is answered 502, and HELP and FEAT leave it out. By default it is offered. */
  readonly offered?: (session: SessionContext, state: SessionState) => boolean;
}

/** A row. `anyone` needs no login, `user` does, `writer` needs a user who may change files. */
export type CommandSpec =
  | (CommonSpec & { readonly access: 'anyone'; readonly run: (call: Call<SessionState>) => Outcome })
  | (CommonSpec & { readonly access: 'user' | 'writer'; readonly run: (call: Call<Ready>) => Outcome });

/** Whether this session can have the command at all. */
export function isOffered({ needs, offered }: CommandSpec, session: SessionContext, state: SessionState): boolean {
  const fileSystem = state.at === 'ready' ? state.login.fileSystem : session.fileSystem;
  return (needs === undefined || fileSystem[needs] !== undefined) && offered?.(session, state) !== false;
}
