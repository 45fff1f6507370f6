// One control connection as a value: what a command makes of its state. No sockets, files or timers.
//
// A decision that needs the world asks for it with an effect (effects.ts).

import { isHttpMethod, type Command } from './command-parser.ts';
import { isOffered, type TransferProgress } from './commands/command-spec.ts';
import { specOf } from './commands/table.ts';
import type { Outcome } from './effects.ts';
import { REPLY } from './replies.ts';
import type { SessionContext, SessionState } from './session-state.ts';

// A person mistypes once or twice; a browser that was tricked into speaking FTP sends a screenful of headers.
const MAX_UNKNOWN_COMMANDS_BEFORE_LOGIN = 10;

/** RNTO belongs to the RNFR directly before it: whatever else comes makes the session forget that one. */
export const withoutRename = (state: SessionState): SessionState =>
  state.at === 'ready' && state.renameFrom !== undefined ? { ...state, renameFrom: undefined } : state;

/** Decides on one command: the rules that hold for every row, then the row itself. */
export function step(
  before: SessionState,
  { verb, argument }: Command,
  session: SessionContext,
  transfer: TransferProgress,
): Outcome {
  const state = withoutRename(before);
  const renameFrom = before.at === 'ready' ? before.renameFrom : undefined;
  const progress = { transferBytes: transfer.transferBytes, hasAborted: transfer.hasAborted, renameFrom };
  if (isHttpMethod(verb)) return { state, reply: REPLY.notHttp, effect: { type: 'close' } };
  const spec = specOf(verb);
  if (spec === undefined) return unknownCommand(state);
  if (!isOffered(spec, session, state)) return { state, reply: REPLY.notImplemented };
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
