// What a row of the command table is, and what its `run` is called with.

import type { Outcome } from '../effects.ts';
import type { Ready, SessionContext, SessionState } from '../session-state.ts';

/** What is going on while the command is decided. */
export interface TransferProgress {
  readonly transferBytes: number | undefined;
  /** This ABOR has cut a transfer short. */
  readonly hasAborted: boolean;
}

/** Everything a row of the command table is called with. */
export interface Call<State extends SessionState> {
  readonly state: State;
  readonly argument: string;
  readonly session: SessionContext;
  readonly progress: TransferProgress;
}

interface CommonSpec {
  /** Where the command is defined. */
  readonly rfc: string;
  readonly argument: 'none' | 'optional' | 'required';
  /** The syntax, as HELP prints it. */
  readonly help: string;
  /** The line of FEAT; only extensions of RFC 959 have one (RFC 2389 §3.2). */
  readonly feature?: string;
  /** While a transfer runs, commands wait for its end. STAT is answered at once, ABOR cuts the transfer short. */
  readonly duringTransfer?: 'answers' | 'aborts';
  /** False: known, but not done here. HELP leaves it out. */
  readonly offered?: false;
}

/** A row. `anyone` needs no login, `user` does, `writer` needs a user who may change files. */
export type CommandSpec =
  | (CommonSpec & { readonly access: 'anyone'; readonly run: (call: Call<SessionState>) => Outcome })
  | (CommonSpec & { readonly access: 'user' | 'writer'; readonly run: (call: Call<Ready>) => Outcome });
