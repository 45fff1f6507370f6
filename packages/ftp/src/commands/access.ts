// USER, PASS, REIN and QUIT (RFC 959 §4.1.1).

import { ALL_FACTS } from '../listing/format.ts';
import { REPLY, reply } from '../replies.ts';
import type { Call } from './command-spec.ts';
import type { Outcome } from '../effects.ts';
import { initialState, type Named, type Ready, type SessionContext, type SessionState } from '../session-state.ts';

// Three, as login programs have it since the first Unix.
const MAX_FAILED_LOGINS = 3;
// Doubles with each failure: a person does not mind, a guesser does.
const FAILED_LOGIN_DELAY_MS = 1_000;

export function user({ state, argument, session }: Call<SessionState>): Outcome {
  if (session.requireTls !== 'none' && state.protection.control === 'clear')
    return { state, reply: REPLY.loginNeedsTls };
  // Names end up in logs and in the hands of authenticators that build queries from them.
  if (/[\0-\x1f\x7f]/.test(argument)) return { state, reply: REPLY.badArgument };
  const { failedLogins, unknownCommands } = state.at === 'ready' ? { failedLogins: 0, unknownCommands: 0 } : state;
  // The same answer for every name: it does not show which ones exist.
  const { protection, host } = state;
  return {
    state: { at: 'named', user: argument, failedLogins, unknownCommands, protection, host },
    reply: REPLY.needPassword,
  };
}

export function pass({ state, argument, session }: Call<SessionState>): Outcome {
  if (state.at !== 'named') return { state, reply: REPLY.badSequence };
  return {
    state,
    effect: {
      type: 'authenticate',
      user: state.user,
      password: argument,
      host: state.host,
      resume(login, refusal) {
        if (login !== undefined) return { state: readyState(login, state, session), reply: REPLY.loggedIn };
        if (refusal === undefined) return loginFailed(state);
        const { failedLogins, unknownCommands, protection, host } = state;
        const greeted: SessionState = { at: 'greeted', failedLogins, unknownCommands, protection, host };
        // 421 says that the connection closes (RFC 959 §4.2).
        return { state: greeted, reply: refusal, ...(refusal.code === 421 && { effect: { type: 'close' } }) };
      },
    },
  };
}

const readyState = (login: Ready['login'], { protection, host }: Named, { defaultType }: SessionContext): Ready => ({
  at: 'ready',
  protection,
  host,
  login,
  cwd: login.home,
  type: defaultType,
  structure: 'file',
  data: { how: 'none' },
  onlyExtendedPassive: false,
  restartBytes: 0,
  renameFrom: undefined,
  facts: ALL_FACTS,
  expectedBytes: undefined,
  umask: undefined,
  hashAlgorithm: 'sha256',
});

function loginFailed({ failedLogins: before, unknownCommands, protection, host }: Named): Outcome {
  const failedLogins = before + 1;
  const state: SessionState = { at: 'greeted', failedLogins, unknownCommands, protection, host };
  const resume = (): Outcome =>
    failedLogins >= MAX_FAILED_LOGINS
      ? { state, reply: REPLY.tooManyFailures, effect: { type: 'close' } }
      : { state, reply: REPLY.loginIncorrect };
  return { state, effect: { type: 'delay', delayMs: FAILED_LOGIN_DELAY_MS * 2 ** before, resume } };
}

/**
 * Back to the greeting, and every parameter to its default (RFC 959 §4.1.1), HOST too (RFC 7151 §3.2.1); a transfer goes
 * on to its end. Failed logins are not forgotten, and TLS stays: no client begins a second handshake on the same
 * connection.
 */
export const rein = ({ state }: Call<SessionState>): Outcome => ({
  state: {
    ...initialState('clear'),
    failedLogins: state.at === 'ready' ? 0 : state.failedLogins,
    protection: { ...state.protection, hasBufferSize: false },
    host: state.protection.host,
  },
  reply: reply(220, 'Ready for a new user.'),
});

export const quit = ({ state }: Call<SessionState>): Outcome => ({
  state,
  reply: REPLY.goodbye,
  effect: { type: 'close' },
});
