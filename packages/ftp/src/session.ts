// One control connection as a value: what state it is in, and what a command makes of it. No sockets, files or timers.
//
//     greeted ──USER──▶ named ──PASS──▶ ready ──REIN──▶ greeted
//        ▲                 └──wrong PASS──┐
//        └────────────────────────────────┘
//
// A decision that needs the world asks for it with an effect; the answer goes into the effect's `resume`, which decides
// on.

import type { Address, Result } from '@wellknown/core';
import type { Login } from './accounts.ts';
import { isHttpMethod, type Command } from './command-parser.ts';
import { COMMANDS, type CommandSpec, type Verb } from './commands.ts';
import type { Entry, FileProblem, WriteOptions } from './file-system.ts';
import type { HostPort } from './host-port.ts';
import type { Fact } from './listing.ts';
import type { AbsolutePath } from './path.ts';
import { REPLY, type Reply } from './replies.ts';

/** How the next transfer gets its data connection. */
export type DataPlan =
  { readonly how: 'none' } | { readonly how: 'passive' } | { readonly how: 'active'; readonly to: HostPort };

export interface Greeted {
  readonly at: 'greeted';
  readonly failedLogins: number;
  readonly unknownCommands: number;
}

export interface Named {
  readonly at: 'named';
  readonly user: string;
  readonly failedLogins: number;
  readonly unknownCommands: number;
}

export interface Ready {
  readonly at: 'ready';
  readonly login: Login;
  readonly cwd: AbsolutePath;
  readonly type: 'ascii' | 'image';
  readonly data: DataPlan;
  /** EPSV ALL was said: the client promises to use nothing else (RFC 2428 §4). */
  readonly onlyExtendedPassive: boolean;
  /** Where the next transfer starts, set by REST. */
  readonly restartBytes: number;
  readonly renameFrom: AbsolutePath | undefined;
  /** What MLSD and MLST tell. */
  readonly facts: readonly Fact[];
}

export type SessionState = Greeted | Named | Ready;

/** What a transfer moves. */
export type TransferPlan =
  | { readonly what: 'download'; readonly path: AbsolutePath; readonly startBytes: number; readonly ascii: boolean }
  | { readonly what: 'upload'; readonly path: AbsolutePath; readonly options: WriteOptions; readonly ascii: boolean }
  | {
      readonly what: 'listing';
      readonly path: AbsolutePath;
      readonly line: (entry: Entry) => string;
      /** Whether the path may be a file, which then is the only line. */
      readonly ofFile: 'one-line' | 'refused';
    };

/** How a transfer ended. `refused` means before the data connection was used; `failed` means in the middle. */
export type TransferEnd =
  | { readonly at: 'complete' }
  | { readonly at: 'refused' | 'failed'; readonly problem: FileProblem }
  | { readonly at: 'no-connection' | 'connection-lost' | 'aborted' };

export type FileChange =
  | { readonly change: 'removeFile' | 'makeDirectory' | 'removeDirectory'; readonly path: AbsolutePath }
  | { readonly change: 'rename'; readonly from: AbsolutePath; readonly to: AbsolutePath }
  | { readonly change: 'setModifiedTime'; readonly path: AbsolutePath; readonly mtimeMs: number }
  | { readonly change: 'setMode'; readonly path: AbsolutePath; readonly mode: number };

/** Something only the carrier can do. While one is under way the commands behind it wait. */
export type Effect =
  | { readonly type: 'close' }
  | {
      readonly type: 'authenticate';
      readonly user: string;
      readonly password: string;
      readonly resume: (login: Login | undefined) => Outcome;
    }
  | { readonly type: 'delay'; readonly delayMs: number; readonly resume: () => Outcome }
  | { readonly type: 'listen'; readonly resume: (port: number | undefined) => Outcome }
  | {
      readonly type: 'stat';
      readonly path: AbsolutePath;
      readonly resume: (entry: Result<Entry, FileProblem>) => Outcome;
    }
  | {
      readonly type: 'change';
      readonly change: FileChange;
      readonly resume: (done: Result<void, FileProblem>) => Outcome;
    }
  | {
      readonly type: 'list';
      readonly path: AbsolutePath;
      readonly line: (entry: Entry) => string;
      readonly resume: (lines: Result<string[], FileProblem>) => Outcome;
    }
  | {
      readonly type: 'transfer';
      readonly plan: TransferPlan;
      readonly data: DataPlan;
      /** The 150, said once the file is open. */
      readonly opening: (sizeBytes: number | undefined) => Reply;
      readonly resume: (end: TransferEnd) => Outcome;
    };

/** What a command led to. `reply` goes out before the effect begins. */
export interface Outcome {
  readonly state: SessionState;
  readonly reply?: Reply;
  readonly effect?: Effect;
}

/** What stays the same for one connection. */
export interface SessionContext {
  readonly local: Address;
  readonly remote: Address;
  readonly mayUseActive: boolean;
  /** The IPv4 address for PASV replies; undefined: the one the client has reached. */
  readonly passiveAddress: string | undefined;
  readonly wallMs: () => number;
  /** A few letters that no file's name ends with yet, for STOU. */
  readonly uniqueSuffix: () => string;
}

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

export const INITIAL_STATE: SessionState = { at: 'greeted', failedLogins: 0, unknownCommands: 0 };

// A person mistypes once or twice; a browser that was tricked into speaking FTP sends a screenful of headers.
const MAX_UNKNOWN_COMMANDS_BEFORE_LOGIN = 10;

// `in` would also find `toString`; the network must only reach the table.
export const isVerb = (verb: string): verb is Verb => Object.hasOwn(COMMANDS, verb);

/** The row of a verb; undefined for a verb that is no command. */
export const specOf = (verb: string): CommandSpec | undefined => (isVerb(verb) ? COMMANDS[verb] : undefined);

/** Decides on one command: the rules that hold for every row, then the row itself. */
export function step(
  state: SessionState,
  { verb, argument }: Command,
  session: SessionContext,
  progress: TransferProgress,
): Outcome {
  if (isHttpMethod(verb)) return { state, reply: REPLY.notHttp, effect: { type: 'close' } };
  const spec = specOf(verb);
  if (spec === undefined) return unknownCommand(state);
  if (spec.access !== 'anyone' && state.at !== 'ready') return { state, reply: REPLY.notLoggedIn };
  if (spec.argument === 'required' && argument === '') return { state, reply: REPLY.missingArgument };
  if (spec.argument === 'none' && argument !== '') return { state, reply: REPLY.surplusArgument };
  if (spec.access === 'anyone') return spec.run({ state, argument, session, progress });
  if (state.at !== 'ready') return { state, reply: REPLY.notLoggedIn };
  if (spec.access === 'writer' && !state.login.mayWrite) return { state, reply: REPLY.permissionDenied };
  return spec.run({ state, argument, session, progress });
}

function unknownCommand(state: SessionState): Outcome {
  if (state.at === 'ready') return { state, reply: REPLY.unknownCommand };
  const unknownCommands = state.unknownCommands + 1;
  if (unknownCommands >= MAX_UNKNOWN_COMMANDS_BEFORE_LOGIN)
    return { state, reply: REPLY.tooManyUnknown, effect: { type: 'close' } };
  return { state: { ...state, unknownCommands }, reply: REPLY.unknownCommand };
}
