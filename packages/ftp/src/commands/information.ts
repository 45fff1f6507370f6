// Commands that inform about the server and the session, and those that are only acknowledged.

import { selectFacts } from '../listing/format.ts';
import { REPLY, reply, type Reply } from '../replies.ts';
import { hashFeature, HASH_NAMES } from './checksums.ts';
import type { Call } from './command-spec.ts';
import type { Outcome } from '../effects.ts';
import { hostOf, type Ready, type SessionState } from '../session-state.ts';
import { statPath } from './transfers.ts';

const says =
  (answer: Reply) =>
  ({ state }: Call<SessionState>): Outcome => ({ state, reply: answer });

export const okay = says(REPLY.commandOkay);
export const superfluous = says(REPLY.superfluous);
export const notImplemented = says(REPLY.notImplemented);
/** Clients choose their listing parser by this word; the listings here are those of a Unix `ls`. */
export const syst = says(reply(215, 'UNIX Type: L8'));

export function opts({ state, argument }: Call<SessionState>): Outcome {
  const [name = '', ...values] = argument.trim().split(/ +/);
  switch (name.toUpperCase()) {
    case 'UTF8':
    case 'UTF-8':
      // Names are always UTF-8; clients ask before they log in.
      if (values.length === 0 || values[0]?.toUpperCase() === 'ON') return { state, reply: reply(200, 'UTF-8 is on.') };
      return { state, reply: REPLY.parameterNotImplemented };
    case 'MLST': {
      if (state.at !== 'ready') return { state, reply: REPLY.notLoggedIn };
      const facts = selectFacts(values.join(' '));
      return {
        state: { ...state, facts },
        reply: reply(200, `MLST OPTS ${facts.map((fact) => `${fact};`).join('')}`.trimEnd()),
      };
    }
    case 'HASH': {
      if (state.at !== 'ready') return { state, reply: REPLY.notLoggedIn };
      const wanted = (values[0] ?? '').toUpperCase();
      if (wanted === '') return { state, reply: reply(200, hashFeature(state.hashAlgorithm)) };
      const algorithm = Object.hasOwn(HASH_NAMES, wanted) ? HASH_NAMES[wanted] : undefined;
      if (algorithm === undefined) return { state, reply: REPLY.parameterNotImplemented };
      return { state: { ...state, hashAlgorithm: algorithm }, reply: reply(200, wanted) };
    }
    default:
      return { state, reply: REPLY.badArgument };
  }
}

/**
 * ALLO: room is not reserved, but a file system may be glad to know. 200 and not 202: some cameras give up at the latter.
 */
export function allo({ state, argument }: Call<Ready>): Outcome {
  const [, bytes] = /^(\d{1,15})(?: +R +\d+)?$/i.exec(argument.trim()) ?? [];
  if (bytes === undefined) return { state, reply: REPLY.badArgument };
  return { state: { ...state, expectedBytes: Number(bytes) }, reply: REPLY.commandOkay };
}

/**
 * HOST names the server that the client believes to speak to, before it logs in (RFC 7151 §3). The answer is that of a
 * new connection. It can't be another one than the handshake has named (§3.2.2).
 */
export function host({ state, argument, session }: Call<SessionState>): Outcome {
  if (state.at === 'ready') return { state, reply: REPLY.badSequence };
  const name = hostOf(argument.trim());
  if (name === undefined) return { state, reply: REPLY.badArgument };
  const { failedLogins, unknownCommands, protection } = state;
  if (session.hosts?.includes(name) === false) return { state, reply: reply(504, 'Unknown host.') };
  if (protection.host !== undefined && protection.host !== name)
    return { state, reply: reply(504, 'The handshake has named another host.') };
  return {
    state: { at: 'greeted', failedLogins, unknownCommands, protection, host: name },
    reply: session.greeting,
  };
}

/** STAT: with a path a listing, without one the state of the session, also in the middle of a transfer. */
export function stat(call: Call<Ready>): Outcome {
  const { state, argument, session, progress } = call;
  if (argument !== '') return statPath(call);
  const from = session.remote.family === 'unix' ? 'a local socket' : session.remote.address;
  return {
    state,
    reply: reply(
      211,
      'Server status:',
      `Connected from ${from}`,
      `Logged in as ${state.login.user}${state.login.mayWrite ? '' : ' (read only)'}`,
      `TYPE: ${state.type === 'ascii' ? 'ASCII' : 'image'}; STRU: ${state.structure}; MODE: stream`,
      progress.transferBytes === undefined
        ? 'No transfer in progress'
        : `Transfer in progress, ${progress.transferBytes} bytes so far`,
      'End of status',
    ),
  };
}
