// A fixed reply for every way a file system can refuse. 55x is for good, 45x may be tried again: clients repeat an
// upload for ever on a 4xx, so only what can pass by itself gets one.

import type { FileProblem } from './file-system.ts';
import { REPLY, reply, type Reply } from './replies.ts';
import type { TransferEnd } from './effects.ts';

const FILE_REPLIES: Readonly<Record<FileProblem, Reply>> = {
  'not-found': reply(550, 'No such file or directory.'),
  exists: reply(550, 'It exists already.'),
  denied: REPLY.permissionDenied,
  'no-overwrite': reply(553, 'It exists already, and may not be replaced.'),
  'not-directory': REPLY.notADirectory,
  'is-directory': REPLY.notAFile,
  'not-empty': reply(550, 'The directory is not empty.'),
  'bad-name': reply(553, 'The name is not allowed.'),
  'bad-start': REPLY.badRestart,
  'no-space': reply(452, 'No space left.'),
  'over-quota': reply(552, 'More than you may store.'),
  busy: reply(450, 'The file is busy.'),
  unsupported: reply(502, "This file system can't do that."),
  'timed-out': reply(451, 'The storage did not answer in time.'),
  failed: REPLY.localError,
};

export const fileReply = (problem: FileProblem): Reply => FILE_REPLIES[problem];

/** The last reply of a transfer. */
export function transferReply(end: TransferEnd): Reply {
  switch (end.at) {
    case 'complete':
      return REPLY.transferComplete;
    case 'no-connection':
      return REPLY.dataConnectionFailed;
    case 'handshake-failed':
      return REPLY.dataTlsFailed;
    case 'not-resumed':
      return REPLY.dataTlsNotResumed;
    case 'short':
      return REPLY.shortFile;
    case 'connection-lost':
      return REPLY.dataConnectionLost;
    case 'aborted':
      return REPLY.transferAborted;
    case 'refused':
    case 'failed':
      return fileReply(end.problem);
  }
}
