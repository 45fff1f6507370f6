// HASH (draft-bryan-ftpext-hash-02) and the X-commands of before it. To count one means to read the whole file, so
// anonymous users are not offered them.

import type { Outcome } from '../effects.ts';
import { fileReply } from '../file-replies.ts';
import type { HashAlgorithm } from '../file-system.ts';
import { resolvePath } from '../path.ts';
import { REPLY, reply, type Reply } from '../replies.ts';
import type { Ready } from '../session-state.ts';
import type { Call } from './command-spec.ts';

/** The names of HASH, the first being the default. */
export const HASH_NAMES: Readonly<Record<string, HashAlgorithm>> = {
  'SHA-256': 'sha256',
  'SHA-512': 'sha512',
  'SHA-1': 'sha1',
  MD5: 'md5',
  CRC32: 'crc32',
};

const nameOfAlgorithm = (algorithm: HashAlgorithm): string =>
  Object.entries(HASH_NAMES).find(([, value]) => value === algorithm)?.[0] ?? '';

/** `SHA-256*;SHA-512;…` with a star at the one in force, for FEAT and OPTS. */
export const hashFeature = (selected: HashAlgorithm): string =>
  Object.entries(HASH_NAMES)
    .map(([name, algorithm]) => `${name}${algorithm === selected ? '*' : ''}`)
    .join(';');

interface Part {
  readonly path: string;
  readonly startBytes: number;
  readonly endBytes: number | undefined;
}

function counting(
  { state }: Call<Ready>,
  algorithm: HashAlgorithm,
  { path: name, startBytes, endBytes }: Part,
  told: (hash: string, part: { readonly startBytes: number; readonly endBytes: number }) => Reply,
): Outcome {
  const path = resolvePath(state.cwd, name);
  if (!path.ok) return { state, reply: REPLY.badPath };
  return {
    state,
    effect: {
      type: 'hash',
      path: path.value,
      algorithm,
      startBytes,
      endBytes,
      resume: (counted) => ({
        state,
        reply: counted.ok ? told(counted.value.hash, counted.value) : fileReply(counted.error),
      }),
    },
  };
}

/** `213 SHA-256 0-49 <hash> name`: the last byte is named, and of an empty file none is. */
export function hash(call: Call<Ready>): Outcome {
  const { argument, state } = call;
  const algorithm = state.hashAlgorithm;
  return counting(call, algorithm, { path: argument, startBytes: 0, endBytes: undefined }, (value, { endBytes }) =>
    reply(213, `${nameOfAlgorithm(algorithm)} 0-${Math.max(0, endBytes - 1)} ${value} ${argument}`),
  );
}

/** `MD5 name`, with the name first (draft-twine-ftpmd5). */
export const md5 = (call: Call<Ready>): Outcome =>
  counting(call, 'md5', wholeFile(call.argument), (value) =>
    reply(251, `${quoted(call.argument)} ${value.toUpperCase()}`),
  );

const wholeFile = (path: string): Part => ({ path, startBytes: 0, endBytes: undefined });
const quoted = (name: string): string => (name.includes(' ') ? `"${name.replaceAll('"', '""')}"` : name);

/** `XCRC name`, or `XCRC "name" [start [end]]`. */
export const xHash =
  (algorithm: HashAlgorithm) =>
  (call: Call<Ready>): Outcome =>
    counting(call, algorithm, partOf(call.argument), (value) => reply(250, value.toUpperCase()));

/** Only behind quotes can numbers be told from a name that ends with them. */
function partOf(argument: string): Part {
  const [, name, start, end] = /^"((?:[^"]|"")*)"(?: +(\d{1,15})(?: +(\d{1,15}))?)? *$/.exec(argument) ?? [];
  if (name === undefined) return wholeFile(argument);
  return {
    path: name.replaceAll('""', '"'),
    startBytes: Number(start ?? 0),
    endBytes: end === undefined ? undefined : Number(end),
  };
}
