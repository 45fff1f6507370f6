// SITE: a table of words like that of the commands, which a server can add to.

import type { Outcome } from '../effects.ts';
import type { CommandAnswer, Ready, SessionContext, SiteCommand } from '../session-state.ts';
import { REPLY, reply, type Reply } from '../replies.ts';
import * as attributes from './attributes.ts';
import type { Call, Needs } from './command-spec.ts';

interface SiteSpec {
  readonly access: 'user' | 'writer';
  readonly needs?: Needs;
  readonly help: string;
  readonly run: (call: Call<Ready>) => Outcome;
}

const SITE_COMMANDS = {
  HELP: {
    access: 'user',
    help: 'HELP [<word>]',
    run: ({ state, argument, session }) => ({ state, reply: siteHelp(session, argument) }),
  },
  CHMOD: { access: 'writer', needs: 'setMode', help: 'CHMOD <mode> <path>', run: attributes.chmod },
  UMASK: { access: 'writer', needs: 'write', help: 'UMASK [<mask>]', run: attributes.umask },
  UTIME: {
    access: 'writer',
    needs: 'setTimes',
    help: 'UTIME <YYYYMMDDhhmmss> <path>',
    run: attributes.utime,
  },
} as const satisfies Record<string, SiteSpec>;

/** The words that a server's own may not have. */
export const SITE_WORDS: readonly string[] = Object.keys(SITE_COMMANDS);

function specOf(word: string, { siteCommands }: SessionContext): SiteSpec | undefined {
  if (Object.hasOwn(SITE_COMMANDS, word)) return SITE_COMMANDS[word as keyof typeof SITE_COMMANDS];
  const own = Object.hasOwn(siteCommands, word) ? siteCommands[word] : undefined;
  return own === undefined
    ? undefined
    : { access: own.access ?? 'writer', help: `${word} ${own.help ?? ''}`.trimEnd(), run: (call) => runOwn(own, call) };
}

function runOwn(own: SiteCommand, { state, argument }: Call<Ready>): Outcome {
  const { login, cwd } = state;
  return {
    state,
    effect: {
      type: 'ask',
      ask: () => own.run({ argument, user: login.user, fileSystem: login.fileSystem, directory: cwd }),
      resume: (answer) => ({ state, reply: replyOf(answer) }),
    },
  };
}

const replyOf = (answer: CommandAnswer | undefined): Reply => {
  if (answer === undefined) return REPLY.localError;
  if (typeof answer === 'string') return reply(200, answer);
  return reply(answer.code, ...(typeof answer.text === 'string' ? [answer.text] : answer.text));
};

/** SITE HELP and HELP SITE: the words, or the syntax of one. */
export function siteHelp(session: SessionContext, argument: string): Reply {
  const helpOf = (word: string): string | undefined => specOf(word, session)?.help;
  const wanted = argument.trim().toUpperCase();
  if (wanted !== '') {
    const told = helpOf(wanted);
    return told === undefined ? REPLY.noSuchCommand : reply(214, `SITE ${told}`);
  }
  const words = [...SITE_WORDS, ...Object.keys(session.siteCommands)].map((word) => helpOf(word) ?? word);
  return reply(214, 'The following SITE commands are recognized:', ...words, 'End');
}

export function site(call: Call<Ready>): Outcome {
  const { state, argument, session } = call;
  const space = argument.indexOf(' ');
  const word = (space < 0 ? argument : argument.slice(0, space)).toUpperCase();
  const spec = specOf(word, session);
  if (spec === undefined) return { state, reply: REPLY.parameterNotImplemented };
  if (spec.needs !== undefined && state.login.fileSystem[spec.needs] === undefined)
    return { state, reply: REPLY.notImplemented };
  if (spec.access === 'writer' && !state.login.mayWrite) return { state, reply: REPLY.permissionDenied };
  return spec.run({ ...call, argument: space < 0 ? '' : argument.slice(space + 1) });
}
