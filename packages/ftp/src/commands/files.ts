// Commands about files and directories that need no data connection (RFC 959 §4.1.3, RFC 3659, MFMT).

import { factLine, listingReader, parseTimeVal, timeVal } from '../listing/format.ts';
import { parentOf, resolvePath, type AbsolutePath } from '../path.ts';
import { fileReply } from '../file-replies.ts';
import { quotePath, REPLY, reply, type Reply } from '../replies.ts';
import type { Call } from './command-spec.ts';
import type { FileChange, Outcome } from '../effects.ts';
import type { Ready } from '../session-state.ts';

/** Resolves the path before the rest sees it: no command can forget to. */
const withPath = (state: Ready, argument: string, go: (path: AbsolutePath) => Outcome): Outcome => {
  const path = resolvePath(state.cwd, argument);
  return path.ok ? go(path.value) : { state, reply: REPLY.badPath };
};

const changing = (state: Ready, change: FileChange, done: Reply): Outcome => ({
  state,
  effect: {
    type: 'change',
    change,
    resume: (result) => ({ state, reply: result.ok ? done : fileReply(result.error) }),
  },
});

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
    changing(state, { change: 'makeDirectory', path }, reply(257, `${quotePath(path)} created.`)),
  );

export const rmd = ({ state, argument }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => {
    if (path === '/') return { state, reply: REPLY.permissionDenied };
    return changing(state, { change: 'removeDirectory', path }, REPLY.fileActionOkay);
  });

export const rnfr = ({ state, argument }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => {
    if (path === '/') return { state, reply: REPLY.permissionDenied };
    const decide = (ok: boolean, refusal: Reply): Outcome =>
      ok ? { state: { ...state, renameFrom: path }, reply: REPLY.renameReady } : { state, reply: refusal };
    return {
      state,
      effect: { type: 'stat', path, resume: (entry) => decide(entry.ok, fileReply(entry.ok ? 'failed' : entry.error)) },
    };
  });

export function rnto({ state, argument, progress: { renameFrom: from } }: Call<Ready>): Outcome {
  if (from === undefined) return { state, reply: REPLY.badSequence };
  return withPath(state, argument, (to) => {
    // A directory cannot move into itself, and nothing can take the place of the root.
    if (to === '/' || to.startsWith(`${from}/`)) return { state, reply: fileReply('bad-name') };
    return changing(state, { change: 'rename', from, to }, REPLY.fileActionOkay);
  });
}

/** SIZE depends on TYPE (RFC 3659 §4). In TYPE A it would mean to read the whole file, so it is refused there. */
export const size = ({ state, argument, session }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => {
    if (state.type === 'ascii' && session.ascii === 'convert') return { state, reply: REPLY.sizeNeedsImage };
    return ofFile(state, path, (entry) => reply(213, String(entry.sizeBytes)));
  });

export const mdtm = ({ state, argument }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => ofFile(state, path, (entry) => reply(213, timeVal(entry.mtimeMs))));

const ofFile = (
  state: Ready,
  path: AbsolutePath,
  tell: (entry: { readonly sizeBytes: number; readonly mtimeMs: number }) => Reply,
): Outcome => ({
  state,
  effect: {
    type: 'stat',
    path,
    resume: (entry) => {
      if (!entry.ok) return { state, reply: fileReply(entry.error) };
      return { state, reply: entry.value.type === 'file' ? tell(entry.value) : REPLY.notAFile };
    },
  },
});

/** MFMT: `YYYYMMDDHHMMSS path` (draft-somers-ftp-mfxx §3.1). */
export function mfmt({ state, argument }: Call<Ready>): Outcome {
  const space = argument.indexOf(' ');
  const mtimeMs = parseTimeVal(argument.slice(0, Math.max(0, space)));
  const name = argument.slice(space + 1);
  if (mtimeMs === undefined || name === '') return { state, reply: REPLY.badArgument };
  return withPath(state, name, (path) =>
    changing(state, { change: 'setModifiedTime', path, mtimeMs }, reply(213, `Modify=${timeVal(mtimeMs)}; ${name}`)),
  );
}

/** SITE CHMOD: `MODE path`. Only the nine permission bits: no upload becomes set-user-id. */
export function chmod({ state, argument }: Call<Ready>): Outcome {
  const match = /^([0-7]{3,4}) (.+)$/.exec(argument);
  const [, modeText = '', name = ''] = match ?? [];
  const fileMode = Number.parseInt(modeText, 8);
  if (match === null || fileMode > 0o777) return { state, reply: REPLY.badArgument };
  return withPath(state, name, (path) =>
    changing(state, { change: 'setMode', path, mode: fileMode }, reply(200, 'Mode changed.')),
  );
}

/** MLST: the facts of one thing, over the control connection (RFC 3659 §7). */
export const mlst = ({ state, argument, session }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => ({
    state,
    effect: {
      type: 'stat',
      path,
      resume: (entry) => {
        if (!entry.ok) return { state, reply: fileReply(entry.error) };
        const reader = listingReader(state.login.rights, parentOf(path), session.wallMs());
        return { state, reply: reply(250, `Listing ${path}`, factLine(entry.value, state.facts, reader, path), 'End') };
      },
    },
  }));
