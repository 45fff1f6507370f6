// Terminal type (RFC 1091): the server asks again and again, and the client goes through its names until one repeats.
// MUD clients use three turns: their own name, the terminal they resemble, and `MTTS` with a bit set of what they can
// do.

import { cleanClientBytes } from '../client-text.ts';

const IS = 0;
const SEND = 1;

export const TERMINAL_TYPE_SEND: Uint8Array = Uint8Array.of(SEND);

// RFC 1091 allows 40 characters.
const MAX_NAME_CHARACTERS = 40;
// telnet of BSD has at most four aliases of a terminal, TinyFugue four names; a client that never repeats must end too.
const MAX_NAMES = 8;

/** The name in an answer, cleaned; undefined when the payload is none. */
export function parseTerminalType(payload: Uint8Array): string | undefined {
  if (payload[0] !== IS) return undefined;
  const name = cleanClientBytes(payload.subarray(1), MAX_NAME_CHARACTERS).trim();
  return name === '' ? undefined : name;
}

/** Adds an answer to the names received so far. `done` when no new one will come. */
export function addTerminalName(
  names: readonly string[],
  name: string,
): { readonly names: readonly string[]; readonly done: boolean } {
  if (names.includes(name)) return { names, done: true };
  const longer = [...names, name];
  return { names: longer, done: longer.length >= MAX_NAMES };
}

/** What a MUD client can do, bit by bit, as the Mud Terminal Type Standard numbers it. */
export const MTTS_FLAGS = [
  'ansi',
  'vt100',
  'utf-8',
  '256-colors',
  'mouse-tracking',
  'osc-color-palette',
  'screen-reader',
  'proxy',
  'truecolor',
  'mnes',
  'mslp',
  'ssl',
] as const;
export type MttsFlag = (typeof MTTS_FLAGS)[number];

/** The flags in a name such as `MTTS 271`; undefined when it is an ordinary name. */
export function parseMtts(name: string): readonly MttsFlag[] | undefined {
  const digits = /^MTTS ([0-9]{1,9})$/i.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const bits = Number(digits);
  return MTTS_FLAGS.filter((_, index) => (bits & (1 << index)) !== 0);
}

/** First names by which clients for multi-user worlds are known. All of them edit lines themselves. */
const MUD_CLIENTS = [
  'mudlet',
  'cmud',
  'zmud',
  'mushclient',
  'atlantis',
  'tintin++',
  'tt++',
  'blowtorch',
  'mudrammer',
  'kildclient',
  'portal',
  'beip',
  'savitar',
  'tinyfugue',
];

/** The client's name in lower case when it is a MUD client: it is in the list, or it speaks MTTS. */
export function mudClientOf(names: readonly string[]): string | undefined {
  const first = names[0]?.toLowerCase();
  if (first === undefined) return undefined;
  const listed = MUD_CLIENTS.some(
    (client) => first === client || first.startsWith(`${client} `) || first.startsWith(`${client}-`),
  );
  return listed || names.some((name) => parseMtts(name) !== undefined) ? first : undefined;
}

/**
 * The terminal among the names, in lower case as terminfo has it: a MUD client says it second, all others first.
 */
export function terminalOf(names: readonly string[]): string | undefined {
  const candidate = mudClientOf(names) === undefined ? names[0] : (names[1] ?? names[0]);
  return candidate?.toLowerCase();
}
