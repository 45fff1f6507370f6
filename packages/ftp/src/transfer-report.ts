// What is told of a transfer that is over: to onTransfer, to the log, and to the hooks.

import type { TransferEnd, TransferPlan } from './effects.ts';
import type { FileProblem } from './file-system.ts';
import type { TransferEvent } from './hooks.ts';

/** What became of one transfer. */
export interface TransferReport {
  readonly user: string;
  readonly isAnonymous: boolean;
  readonly remoteAddress: string;
  readonly direction: 'download' | 'upload' | 'listing';
  readonly path: string;
  /** As they travelled. */
  readonly bytes: number;
  readonly elapsedMs: number;
  /** False for anything but a 226: an upload that is not complete must not be taken for one. */
  readonly isComplete: boolean;
  /** Line ends were converted (TYPE A). */
  readonly isAscii: boolean;
  /** It went over TLS. */
  readonly isPrivate: boolean;
}

export const startBytesOf = (plan: TransferPlan): number => {
  if (plan.what === 'download') return plan.startBytes;
  return plan.what === 'upload' ? (plan.options.startBytes ?? 0) : 0;
};

export function errorOf(end: TransferEnd): TransferEvent['error'] {
  switch (end.at) {
    case 'complete':
    case 'aborted':
      return undefined;
    case 'refused':
    case 'failed':
      return end.problem;
    case 'short':
      return 'failed' satisfies FileProblem;
    case 'no-connection':
    case 'handshake-failed':
    case 'not-resumed':
      return 'no-connection';
    case 'connection-lost':
      return 'connection-lost';
  }
}
