// Commands that inform about the server and the session, and those that are only acknowledged.

import { selectFacts } from '../listing/format.ts';
import { REPLY, reply, type Reply } from '../replies.ts';
import type { Call } from './command-spec.ts';
import type { Outcome } from '../effects.ts';
import type { Ready, SessionState } from '../session-state.ts';
import { chmod } from './files.ts';
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
    default:
      return { state, reply: REPLY.badArgument };
  }
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
      `TYPE: ${state.type === 'ascii' ? 'ASCII' : 'image'}; STRU: file; MODE: stream`,
      progress.transferBytes === undefined
        ? 'No transfer in progress'
        : `Transfer in progress, ${progress.transferBytes} bytes so far`,
      'End of status',
    ),
  };
}

/** The words that may follow SITE. Their rules are those of the command table. */
const SITE_COMMANDS = {
  HELP: { access: 'user', help: 'HELP', run: ({ state }: Call<Ready>): Outcome => ({ state, reply: siteHelp() }) },
  CHMOD: { access: 'writer', help: 'CHMOD <mode> <path>', run: chmod },
} as const satisfies Record<
  string,
  { readonly access: 'user' | 'writer'; readonly help: string; readonly run: (call: Call<Ready>) => Outcome }
>;

type SiteWord = keyof typeof SITE_COMMANDS;
const isSiteWord = (word: string): word is SiteWord => Object.hasOwn(SITE_COMMANDS, word);

export function siteHelp(): Reply {
  return reply(
    214,
    'The following SITE commands are recognized:',
    ...Object.values(SITE_COMMANDS).map((row) => row.help),
    'End',
  );
}

export function site(call: Call<Ready>): Outcome {
  const { state, argument } = call;
  const space = argument.indexOf(' ');
  const word = (space < 0 ? argument : argument.slice(0, space)).toUpperCase();
  if (!isSiteWord(word)) return { state, reply: REPLY.parameterNotImplemented };
  const row = SITE_COMMANDS[word];
  if (row.access === 'writer' && !state.login.mayWrite) return { state, reply: REPLY.permissionDenied };
  return row.run({ ...call, argument: space < 0 ? '' : argument.slice(space + 1) });
}
