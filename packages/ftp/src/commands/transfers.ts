// Commands that use the data connection (RFC 959 §4.1.3, RFC 3659 §7).

import { fileReply, transferReply } from '../file-replies.ts';
import type { ListingRequest } from '../listing/open-listing.ts';
import { NO_LIST_OPTIONS, parseListArgument, type ListOptions } from '../listing/options.ts';
import { nameOf, resolvePath, type AbsolutePath } from '../path.ts';
import { REPLY, reply, type Reply } from '../replies.ts';
import type { Call } from './command-spec.ts';
import type { Outcome, TransferEnd, TransferPlan } from '../effects.ts';
import type { Ready } from '../session-state.ts';

type Opening = (sizeBytes: number | undefined) => Reply;

/** What holds for every transfer: a data connection is announced and used up, and so is the position of REST. */
function transfer(
  { state, session }: Call<Ready>,
  argument: string,
  planOf: (path: AbsolutePath) => TransferPlan,
  opening: Opening,
): Outcome {
  const after: Ready = { ...state, data: { how: 'none' }, restartBytes: 0, expectedBytes: undefined };
  const path = resolvePath(state.cwd, argument);
  if (!path.ok) return { state: after, reply: REPLY.badPath };
  if (state.data.how === 'none') return { state: after, reply: REPLY.noDataConnection };
  if (session.requireTls === 'data' && state.protection.data === 'clear')
    return { state: after, reply: REPLY.transferNeedsTls };
  const plan = planOf(path.value);
  if (plan.what !== 'listing' && state.type === 'ascii') {
    if (session.ascii === 'refuse') return { state: after, reply: REPLY.asciiRefused };
    // REST may have come before TYPE A.
    if (session.ascii === 'convert' && state.restartBytes > 0) return { state: after, reply: REPLY.badRestart };
  }
  return {
    state: after,
    effect: {
      type: 'transfer',
      plan,
      data: state.data,
      protection: state.protection.data,
      opening,
      closing: transferReply,
    },
  };
}

const openingOf =
  (state: Ready, name: string): Opening =>
  (sizeBytes) => {
    const size = sizeBytes === undefined ? '' : ` (${sizeBytes} bytes)`;
    return reply(
      150,
      `Opening ${state.type === 'ascii' ? 'ASCII' : 'BINARY'} mode data connection for ${name}${size}.`,
    );
  };

/** Line ends are converted: with `ascii: 'ignore'` files move in TYPE A as they are. */
const converts = ({ state, session }: Call<Ready>): boolean => state.type === 'ascii' && session.ascii === 'convert';

/** What holds for every upload of this session. */
const writing = ({ state: { umask, expectedBytes } }: Call<Ready>): { umask?: number; expectedBytes?: number } => ({
  ...(umask === undefined ? {} : { umask }),
  ...(expectedBytes === undefined ? {} : { expectedBytes }),
});

export const retr = (call: Call<Ready>): Outcome =>
  transfer(
    call,
    call.argument,
    (path) => ({ what: 'download', path, startBytes: call.state.restartBytes, ascii: converts(call) }),
    openingOf(call.state, call.argument),
  );

export const stor = (call: Call<Ready>): Outcome =>
  transfer(
    call,
    call.argument,
    (path) => ({
      what: 'upload',
      path,
      options: { ...writing(call), mode: 'replace', startBytes: call.state.restartBytes },
      ascii: converts(call),
    }),
    openingOf(call.state, call.argument),
  );

export const appe = (call: Call<Ready>): Outcome =>
  transfer(
    call,
    call.argument,
    (path) => ({ what: 'upload', path, options: { ...writing(call), mode: 'append' }, ascii: converts(call) }),
    openingOf(call.state, call.argument),
  );

/**
 * STOU: a name that nothing has yet, told in the form of RFC 1123 §4.1.2.9, as a path by which RETR finds it. An argument is
 * what that begins with.
 */
export function stou(call: Call<Ready>): Outcome {
  const base = nameOf(call.argument) === '' ? `${call.argument}upload` : call.argument;
  const wanted = `${base}.${call.session.uniqueSuffix()}`;
  return transfer(
    call,
    wanted,
    (path) => ({ what: 'upload', path, options: { ...writing(call), mode: 'create' }, ascii: converts(call) }),
    () => reply(150, `FILE: ${wanted}`),
  );
}

/** What is listed, once the path is known. */
const requestOf = (
  { state, session }: Call<Ready>,
  form: ListingRequest['form'],
  argument: { readonly path: string; readonly options: ListOptions },
  path: AbsolutePath,
): ListingRequest => ({
  form,
  path,
  given: argument.path,
  options: argument.options,
  facts: state.facts,
  rights: state.login.rights,
  nowMs: session.wallMs(),
});

const listing = (
  call: Call<Ready>,
  form: ListingRequest['form'],
  argument: { readonly path: string; readonly options: ListOptions },
): Outcome =>
  transfer(
    // A listing has no positions: a REST before it is forgotten, not an error.
    { ...call, state: { ...call.state, restartBytes: 0 } },
    argument.path,
    (path) => ({ what: 'listing', path, request: requestOf(call, form, argument, path) }),
    () => reply(150, 'Opening data connection for the listing.'),
  );

export const list = (call: Call<Ready>): Outcome => listing(call, 'long', parseListArgument(call.argument));
export const nlst = (call: Call<Ready>): Outcome => listing(call, 'names', parseListArgument(call.argument));

/** STAT with a path: a listing over the control connection, of a bounded length (RFC 959 §4.1.3). */
export function statPath(call: Call<Ready>): Outcome {
  const { state } = call;
  const argument = parseListArgument(call.argument);
  const path = resolvePath(state.cwd, argument.path);
  if (!path.ok) return { state, reply: REPLY.badPath };
  return {
    state,
    effect: {
      type: 'list',
      request: requestOf(call, 'long', argument, path.value),
      resume: (lines) => ({
        state,
        reply: lines.ok
          ? reply(213, `Status of ${nameOf(path.value) || '/'}`, ...lines.value, 'End')
          : fileReply(lines.error),
      }),
    },
  };
}

/** MLSD: on a file it is the argument that is wrong, 501 (RFC 3659 §7.2.1). */
export function mlsd(call: Call<Ready>): Outcome {
  const outcome = listing(call, 'facts', { path: call.argument, options: NO_LIST_OPTIONS });
  if (outcome.effect?.type !== 'transfer') return outcome;
  const closing = (end: TransferEnd): Reply =>
    end.at === 'refused' && end.problem === 'not-directory' ? reply(501, 'Not a directory.') : transferReply(end);
  return { ...outcome, effect: { ...outcome.effect, closing } };
}

/** ABOR, when the transfer has been cut: that one was answered 426, this is the 226 after it (RFC 959 §4.1.3). */
export function abor({ state, progress }: Call<Ready>): Outcome {
  const after: Ready = { ...state, data: { how: 'none' }, restartBytes: 0 };
  return { state: after, reply: progress.hasAborted ? REPLY.abortDone : REPLY.nothingToAbort };
}
