// What a decision asks of the world. The answer goes into the effect's `resume`, which decides on.

import type { Result } from '@wellknown/core';
import type { Login } from './users/login.ts';
import type { Counted } from './checksum.ts';
import type { Entry, FileProblem, FileTimes, HashAlgorithm, Space, WriteOptions } from './file-system.ts';
import type { ListingRequest } from './listing/open-listing.ts';
import type { AbsolutePath } from './path.ts';
import type { Reply } from './replies.ts';
import type { CommandAnswer, DataPlan, ProtectionLevel, SessionState } from './session-state.ts';

/** What a transfer moves. */
export type TransferPlan =
  | { readonly what: 'download'; readonly path: AbsolutePath; readonly startBytes: number; readonly ascii: boolean }
  | { readonly what: 'upload'; readonly path: AbsolutePath; readonly options: WriteOptions; readonly ascii: boolean }
  | { readonly what: 'listing'; readonly path: AbsolutePath; readonly request: ListingRequest };

/**
 * How a transfer ended. `refused` means before the data connection was used; `failed` means in the middle; `short` that a
 * file had fewer bytes than it had when it was opened.
 */
export type TransferEnd =
  | { readonly at: 'complete' }
  | { readonly at: 'refused' | 'failed'; readonly problem: FileProblem }
  | { readonly at: DataFailure | 'connection-lost' | 'short' | 'aborted' };

/** Why there is no data connection. `not-resumed`: its TLS session is not that of the control connection. */
export type DataFailure = 'no-connection' | 'handshake-failed' | 'not-resumed';

export type FileChange =
  | { readonly change: 'removeFile' | 'removeDirectory'; readonly path: AbsolutePath }
  | { readonly change: 'makeDirectory'; readonly path: AbsolutePath; readonly umask: number | undefined }
  | { readonly change: 'rename'; readonly from: AbsolutePath; readonly to: AbsolutePath }
  | { readonly change: 'setTimes'; readonly path: AbsolutePath; readonly times: FileTimes }
  | { readonly change: 'setMode'; readonly path: AbsolutePath; readonly mode: number };

/** Where a client is told to connect. */
export interface PassiveEndpoint {
  /** IPv4; empty where only the port is told. */
  readonly address: string;
  readonly port: number;
}

export type PassiveFailure = 'no-port' | 'no-address';

/** Something only the carrier can do. While one is under way the commands behind it wait. */
export type Effect =
  | { readonly type: 'close' }
  /** The TLS handshake, which may name a server; where it fails the connection is no more. */
  | { readonly type: 'startTls'; readonly resume: (serverName: string | undefined) => Outcome }
  | {
      readonly type: 'authenticate';
      readonly user: string;
      readonly password: string;
      /** What HOST or the handshake has named. */
      readonly host: string | undefined;
      /** A refusal is not for a wrong password. */
      readonly resume: (login: Login | undefined, refusal?: Reply) => Outcome;
    }
  | { readonly type: 'delay'; readonly delayMs: number; readonly resume: () => Outcome }
  | {
      readonly type: 'listen';
      /** PASV names an IPv4 address, EPSV none. */
      readonly names: 'address' | 'port';
      readonly resume: (passive: PassiveEndpoint | PassiveFailure) => Outcome;
    }
  | {
      readonly type: 'stat';
      readonly path: AbsolutePath;
      /** A link itself is meant, not what it leads to. */
      readonly itself?: boolean;
      /** A directory is to be entered. */
      readonly toEnter?: boolean;
      readonly resume: (entry: Result<Entry, FileProblem>) => Outcome;
    }
  | {
      readonly type: 'hash';
      readonly path: AbsolutePath;
      readonly algorithm: HashAlgorithm;
      readonly startBytes: number;
      readonly endBytes: number | undefined;
      readonly resume: (counted: Result<Counted, FileProblem>) => Outcome;
    }
  | {
      readonly type: 'space';
      readonly path: AbsolutePath;
      readonly resume: (space: Result<Space, FileProblem>) => Outcome;
    }
  /** A command of the server's own; undefined where it has failed. */
  | {
      readonly type: 'ask';
      readonly ask: () => CommandAnswer | Promise<CommandAnswer>;
      readonly resume: (answer: CommandAnswer | undefined) => Outcome;
    }
  | {
      readonly type: 'change';
      readonly change: FileChange;
      readonly resume: (done: Result<void, FileProblem>) => Outcome;
    }
  | {
      readonly type: 'list';
      readonly request: ListingRequest;
      readonly resume: (lines: Result<readonly string[], FileProblem>) => Outcome;
    }
  | {
      readonly type: 'transfer';
      readonly plan: TransferPlan;
      readonly data: DataPlan;
      readonly protection: ProtectionLevel;
      /** The 150, said once the file is open. */
      readonly opening: (sizeBytes: number | undefined) => Reply;
      /** The last reply. By then the state may be another one, of a session that was begun anew. */
      readonly closing: (end: TransferEnd) => Reply;
    };

/**
 * An effect for who looks at connections: the command and the path that it is about, and nothing of an argument as it was
 * typed, which may be a password.
 */
export function effectText(verb: string, effect: Effect): string {
  const path = pathOf(effect);
  return path === undefined ? verb : `${verb} ${path}`;
}

function pathOf(effect: Effect): AbsolutePath | undefined {
  switch (effect.type) {
    case 'transfer':
      return effect.plan.path;
    case 'change':
      return effect.change.change === 'rename' ? effect.change.from : effect.change.path;
    case 'stat':
    case 'hash':
    case 'space':
      return effect.path;
    default:
      return undefined;
  }
}

/** What a command led to. `reply` goes out before the effect begins. */
export interface Outcome {
  readonly state: SessionState;
  readonly reply?: Reply;
  readonly effect?: Effect;
}
