// USER, PASS, REIN and QUIT (RFC 959 §4.1.1).

import { ALL_FACTS } from '../listing/format.ts';
import { REPLY, reply } from '../replies.ts';
import type { Call } from './command-spec.ts';
import type { Outcome } from '../effects.ts';
import type { Named, Ready, SessionState } from '../session-state.ts';

// Three, as login programs have it since the first Unix.
const MAX_FAILED_LOGINS = 3;
// Doubles with each failure: a person does not mind, a guesser does.
const FAILED_LOGIN_DELAY_MS = 1_000;

export function user({ state, argument }: Call<SessionState>): Outcome {
  // Names end up in logs and in the hands of authenticators that build queries from them.
  if (/[\0-\x1f\x7f]/.test(argument)) return { state, reply: REPLY.badArgument };
  const { failedLogins, unknownCommands } = state.at === 'ready' ? { failedLogins: 0, unknownCommands: 0 } : state;
  // The same answer for every name: it does not show which ones exist.
  return { state: { at: 'named', user: argument, failedLogins, unknownCommands }, reply: REPLY.needPassword };
}

export function pass({ state, argument }: Call<SessionState>): Outcome {
  if (state.at !== 'named') return { state, reply: REPLY.badSequence };
  return {
    state,
    effect: {
      type: 'authenticate',
      user: state.user,
      password: argument,
      resume: (login) =>
        login === undefined ? loginFailed(state) : { state: readyState(login), reply: REPLY.loggedIn },
    },
  };
}

const readyState = (login: Ready['login']): Ready => ({
  at: 'ready',
  login,
  cwd: login.home,
  // RFC 959 §3.1.1.1: what holds until TYPE says otherwise.
  type: 'ascii',
  data: { how: 'none' },
  onlyExtendedPassive: false,
  restartBytes: 0,
  renameFrom: undefined,
  facts: ALL_FACTS,
});

function loginFailed({ failedLogins: before, unknownCommands }: Named): Outcome {
  const failedLogins = before + 1;
  const state: SessionState = { at: 'greeted', failedLogins, unknownCommands };
  const resume = (): Outcome =>
    failedLogins >= MAX_FAILED_LOGINS
      ? { state, reply: REPLY.tooManyFailures, effect: { type: 'close' } }
      : { state, reply: REPLY.loginIncorrect };
  return { state, effect: { type: 'delay', delayMs: FAILED_LOGIN_DELAY_MS * 2 ** before, resume } };
}

/** Back to the greeting, and every parameter to its default (RFC 959 §4.1.1). Failed logins are not forgotten. */
export const rein = ({ state }: Call<SessionState>): Outcome => ({
  state: { at: 'greeted', failedLogins: state.at === 'ready' ? 0 : state.failedLogins, unknownCommands: 0 },
  reply: reply(220, 'Ready for a new user.'),
});

export const quit = ({ state }: Call<SessionState>): Outcome => ({
  state,
  reply: REPLY.goodbye,
  effect: { type: 'close' },
});
