// LINEMODE (RFC 1184): the client edits lines (EDIT) and turns its signal keys into commands (TRAPSIG), as the server
// tells it; and both agree on the special characters (SLC). There is no FORWARDMASK.

const MODE = 1;
const FORWARDMASK = 2;
const SLC = 3;

const EDIT = 1;
const TRAPSIG = 2;
const MODE_ACK = 4;

const SLC_ACK = 0x80;
const SLC_LEVEL = 0x03;
const SLC_NOSUPPORT = 0;
const SLC_VALUE = 2;
/** The functions that RFC 1184 numbers; a buffer for more than there are was CVE-2026-32746. */
const SLC_FUNCTIONS = 18;
const SLC_BYTES = 3;

/** The client edits lines and traps signals. */
export const LINEMODE_EDIT = Uint8Array.of(MODE, EDIT | TRAPSIG);
/** It sends every key. */
export const LINEMODE_CHARACTER = Uint8Array.of(MODE, 0);

export interface SpecialCharacter {
  /** 1 to 18, as RFC 1184 numbers them: 3 is IP, 10 EC, 11 EL. */
  readonly function: number;
  /** The key; undefined where the client has none for it. */
  readonly key: number | undefined;
}

export type LinemodeMessage =
  /** The client confirms a mode, or asks for another. */
  | { readonly type: 'mode'; readonly isEditing: boolean; readonly isConfirmation: boolean }
  /** Its special characters, and what to answer, if anything. */
  | {
      readonly type: 'special-characters';
      readonly characters: readonly SpecialCharacter[];
      readonly answer: Uint8Array;
    }
  /** DO, DONT, WILL or WONT FORWARDMASK: we never ask for one, and so have nothing to answer. */
  | { readonly type: 'forward-mask' };

/** Reads the client's message; undefined when it makes no sense. `answered` are the functions that were answered before. */
export function parseLinemode(payload: Uint8Array, answered: ReadonlySet<number>): LinemodeMessage | undefined {
  const [first, second = 0] = payload;
  if (first === MODE && payload.length === 2) {
    return { type: 'mode', isEditing: (second & EDIT) !== 0, isConfirmation: (second & MODE_ACK) !== 0 };
  }
  if (first === SLC) return parseSpecialCharacters(payload.subarray(1), answered);
  return (first ?? 0) >= 251 && second === FORWARDMASK ? { type: 'forward-mask' } : undefined;
}

/**
 * Each function counts once in a message, and is answered once in a connection: a client's proposal is accepted as it
 * is, so there is nothing to go on about.
 */
function parseSpecialCharacters(triplets: Uint8Array, answered: ReadonlySet<number>): LinemodeMessage | undefined {
  if (triplets.length % SLC_BYTES !== 0) return undefined;
  const characters = new Map<number, SpecialCharacter>();
  const answer: number[] = [];
  for (let at = 0; at < triplets.length; at += SLC_BYTES) {
    const [name = 0, modifiers = 0, key = 0] = triplets.subarray(at, at + SLC_BYTES);
    if (name < 1 || name > SLC_FUNCTIONS || characters.has(name)) continue;
    const level = modifiers & SLC_LEVEL;
    characters.set(name, { function: name, key: level >= SLC_VALUE ? key : undefined });
    if ((modifiers & SLC_ACK) !== 0 || answered.has(name) || level === SLC_NOSUPPORT) continue;
    answer.push(name, modifiers | SLC_ACK, key);
  }
  return {
    type: 'special-characters',
    characters: [...characters.values()],
    answer: answer.length === 0 ? new Uint8Array(0) : Uint8Array.of(SLC, ...answer),
  };
}
