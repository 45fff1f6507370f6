// Commands about files and directories that need no data connection (RFC 959 §4.1.3, RFC 3659 §7).

import type { Result } from '@wellknown/core';
import type { Entry, FileProblem } from '../file-system.ts';
import { factLine, listingReader } from '../listing/format.ts';
import { parentOf } from '../path.ts';
import { fileReply } from '../file-replies.ts';
import { quotePath, REPLY, reply } from '../replies.ts';
import type { Call } from './command-spec.ts';
import type { Outcome } from '../effects.ts';
import { changing, withPath } from './attributes.ts';
import type { Ready } from '../session-state.ts';

export const pwd = ({ state }: Call<Ready>): Outcome => ({
  state,
  reply: reply(257, `${quotePath(state.cwd)} is the current directory.`),
});

const changeDirectory = (state: Ready, argument: string): Outcome =>
  withPath(state, argument, (path) => ({
    state,
    effect: {
      type: 'stat',
      path,
      toEnter: true,
      resume: (entry) => {
        if (!entry.ok) return { state, reply: fileReply(entry.error) };
        if (entry.value.type !== 'directory') return { state, reply: REPLY.notADirectory };
        return { state: { ...state, cwd: path }, reply: reply(250, `${quotePath(path)} is the current directory.`) };
      },
    },
  }));

export const cwd = ({ state, argument }: Call<Ready>): Outcome => changeDirectory(state, argument);
export const cdup = ({ state }: Call<Ready>): Outcome => changeDirectory(state, '..');

export const dele = ({ state, argument }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => changing(state, { change: 'removeFile', path }, REPLY.fileActionOkay));

export const mkd = ({ state, argument }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) =>
    changing(state, { change: 'makeDirectory', path, umask: state.umask }, reply(257, `${quotePath(path)} created.`)),
  );

export const rmd = ({ state, argument }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => {
    if (path === '/') return { state, reply: REPLY.permissionDenied };
    return changing(state, { change: 'removeDirectory', path }, REPLY.fileActionOkay);
  });

export const rnfr = ({ state, argument }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => {
    // What may not be renamed is refused here and not at RNTO, but for what is not there: that is said first, in its own words.
    const { rights } = state.login;
    const mayRename = rights.at(path).rename && !rights.isFixed(path);
    const decide = (entry: Result<Entry, FileProblem>): Outcome => {
      if (!entry.ok) return { state, reply: fileReply(entry.error) };
      if (!mayRename) return { state, reply: REPLY.permissionDenied };
      return { state: { ...state, renameFrom: path }, reply: REPLY.renameReady };
    };
    return { state, effect: { type: 'stat', path, itself: true, resume: decide } };
  });

export function rnto({ state, argument, progress: { renameFrom: from } }: Call<Ready>): Outcome {
  if (from === undefined) return { state, reply: REPLY.badSequence };
  return withPath(state, argument, (to) => {
    // A directory cannot move into itself, and nothing can take the place of the root.
    if (to === '/' || to.startsWith(`${from}/`)) return { state, reply: fileReply('bad-name') };
    return changing(state, { change: 'rename', from, to }, REPLY.fileActionOkay);
  });
}

/** MLST: the facts of one thing, over the control connection (RFC 3659 §7). A link that leads nowhere is one, as in MLSD. */
export const mlst = ({ state, argument, session }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => {
    const told = (entry: Result<Entry, FileProblem>): Outcome => {
      if (!entry.ok) return { state, reply: fileReply(entry.error) };
      const reader = listingReader(state.login.rights, parentOf(path), session.wallMs());
      return { state, reply: reply(250, `Listing ${path}`, factLine(entry.value, state.facts, reader, path), 'End') };
    };
    const resume = (entry: Result<Entry, FileProblem>): Outcome =>
      entry.ok || entry.error !== 'not-found'
        ? told(entry)
        : { state, effect: { type: 'stat', path, itself: true, resume: told } };
    return { state, effect: { type: 'stat', path, resume } };
  });
