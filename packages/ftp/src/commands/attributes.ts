// What is known of a file beside its content, and how it is changed: SIZE, MDTM, MFMT, SITE CHMOD, UTIME and UMASK, AVBL.

import type { Result } from '@wellknown/core';
import type { FileChange, Outcome } from '../effects.ts';
import { fileReply } from '../file-replies.ts';
import type { Entry, FileProblem } from '../file-system.ts';
import { parseTimeVal, timeVal } from '../listing/format.ts';
import { resolvePath, type AbsolutePath } from '../path.ts';
import { REPLY, reply, type Reply } from '../replies.ts';
import type { Ready } from '../session-state.ts';
import type { Call } from './command-spec.ts';

/** Resolves the path before the rest sees it: no command can forget to. */
export const withPath = (state: Ready, argument: string, go: (path: AbsolutePath) => Outcome): Outcome => {
  const path = resolvePath(state.cwd, argument);
  return path.ok ? go(path.value) : { state, reply: REPLY.badPath };
};

export const changing = (state: Ready, change: FileChange, done: Reply): Outcome => ({
  state,
  effect: {
    type: 'change',
    change,
    resume: (result) => ({ state, reply: result.ok ? done : fileReply(result.error) }),
  },
});

const ofFile = (state: Ready, path: AbsolutePath, tell: (entry: Entry) => Reply): Outcome => ({
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

/** SIZE depends on TYPE (RFC 3659 §4). Where TYPE A converts it would mean to read the whole file, so it is refused. */
export const size = ({ state, argument, session }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => {
    if (state.type === 'ascii' && session.ascii === 'convert') return { state, reply: REPLY.sizeNeedsImage };
    return ofFile(state, path, (entry) => reply(213, String(entry.sizeBytes)));
  });

/** A time and a name behind it, which may hold spaces. */
function timeAndName(argument: string): { readonly mtimeMs: number; readonly name: string } | undefined {
  const space = argument.indexOf(' ');
  const mtimeMs = parseTimeVal(argument.slice(0, Math.max(0, space)));
  const name = argument.slice(space + 1);
  return mtimeMs === undefined || name === '' ? undefined : { mtimeMs, name };
}

/**
 * MDTM tells when a file was changed (RFC 3659 §3). Many clients set it by `MDTM time name`: it means that where no file
 * has the whole of it as its name.
 */
export const mdtm = ({ state, argument }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => {
    const told = ofFile(state, path, (entry) => reply(213, timeVal(entry.mtimeMs)));
    const change = timeAndName(argument);
    const { effect } = told;
    if (change === undefined || effect?.type !== 'stat') return told;
    const set = withPath(state, change.name, (named) =>
      changing(state, setting(named, change.mtimeMs), reply(213, timeVal(change.mtimeMs))),
    );
    return {
      state,
      effect: {
        ...effect,
        resume(entry: Result<Entry, FileProblem>): Outcome {
          if (entry.ok || entry.error !== 'not-found') return effect.resume(entry);
          return state.login.mayWrite ? set : { state, reply: REPLY.permissionDenied };
        },
      },
    };
  });

const setting = (path: AbsolutePath, mtimeMs: number): FileChange => ({ change: 'setTimes', path, times: { mtimeMs } });

/** MFMT: `YYYYMMDDHHMMSS path` (draft-somers-ftp-mfxx §3.1). */
export function mfmt({ state, argument }: Call<Ready>): Outcome {
  const change = timeAndName(argument);
  if (change === undefined) return { state, reply: REPLY.badArgument };
  const { mtimeMs, name } = change;
  return withPath(state, name, (path) =>
    changing(state, setting(path, mtimeMs), reply(213, `Modify=${timeVal(mtimeMs)}; ${name}`)),
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

/** SITE UMASK: tells, or sets, which bits the files and directories that this session makes do not get. */
export function umask({ state, argument }: Call<Ready>): Outcome {
  const octal = (mode: number): string => mode.toString(8).padStart(3, '0');
  if (argument === '') {
    const told =
      state.umask === undefined ? "The server's own umask is in force." : `The umask is ${octal(state.umask)}.`;
    return { state, reply: reply(200, told) };
  }
  if (!/^0?[0-7]{3}$/.test(argument)) return { state, reply: REPLY.badArgument };
  const mask = Number.parseInt(argument, 8);
  return { state: { ...state, umask: mask }, reply: reply(200, `The umask is ${octal(mask)}.`) };
}

/**
 * SITE UTIME in its two forms: `YYYYMMDDhhmm[ss] path`, and `path atime mtime ctime UTC` with the same times. The change of
 * the inode, ctime, is nobody's to set.
 */
export function utime({ state, argument }: Call<Ready>): Outcome {
  const timeOf = (text = ''): number | undefined => parseTimeVal(text.length === 12 ? `${text}00` : text);
  const [, short, shortName] = /^(\d{12}|\d{14}) (.+)$/.exec(argument) ?? [];
  const [, longName, access, modified] =
    /^(.+) (\d{12}|\d{14}) (\d{12}|\d{14}) (?:\d{12}|\d{14}) UTC$/.exec(argument) ?? [];
  const name = longName ?? shortName;
  const mtimeMs = timeOf(longName === undefined ? short : modified);
  const atimeMs = timeOf(access);
  if (name === undefined || mtimeMs === undefined) return { state, reply: REPLY.badArgument };
  const times = { mtimeMs, ...(atimeMs === undefined ? {} : { atimeMs }) };
  return withPath(state, name, (path) =>
    changing(state, { change: 'setTimes', path, times }, reply(200, 'Times changed.')),
  );
}

/** AVBL: the room below a directory, in bytes (draft-peterson-streamlined-ftp-command-extensions §4). */
export const avbl = ({ state, argument }: Call<Ready>): Outcome =>
  withPath(state, argument, (path) => ({
    state,
    effect: {
      type: 'space',
      path,
      resume: (space) => ({
        state,
        reply: space.ok ? reply(213, String(Math.floor(space.value.freeBytes))) : fileReply(space.error),
      }),
    },
  }));
