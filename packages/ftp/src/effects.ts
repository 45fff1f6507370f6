// What a decision asks of the world. The answer goes into the effect's `resume`, which decides on.

import type { Result } from '@wellknown/core';
import type { Login } from './users/login.ts';
import type { Entry, FileProblem, WriteOptions } from './file-system.ts';
import type { ListingRequest } from './listing/open-listing.ts';
import type { AbsolutePath } from './path.ts';
import type { Reply } from './replies.ts';
import type { DataPlan, SessionState } from './session-state.ts';

/** What a transfer moves. */
export type TransferPlan =
  | { readonly what: 'download'; readonly path: AbsolutePath; readonly startBytes: number; readonly ascii: boolean }
  | { readonly what: 'upload'; readonly path: AbsolutePath; readonly options: WriteOptions; readonly ascii: boolean }
  | { readonly what: 'listing'; readonly path: AbsolutePath; readonly request: ListingRequest };

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
      readonly request: ListingRequest;
      readonly resume: (lines: Result<readonly string[], FileProblem>) => Outcome;
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
