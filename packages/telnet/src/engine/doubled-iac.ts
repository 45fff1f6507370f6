// Data in which IACs are doubled (RFC 854), taken together, since a session of binary data is full of them.

import { IAC } from './codes.ts';

// So many bytes behind a doubled IAC are looked at one by one, since IACs come in flocks; from there on the search of
// the platform is faster.
const NEAR_BYTES = 12;

/**
 * Undoes doubled IACs from `start` on, up to an IAC that is not doubled or is the last byte, in `undone`, which is a copy
 * of the chunk. Returns where it stopped reading and writing.
 */
export function undouble(
  chunk: Uint8Array,
  start: number,
  undone: Uint8Array,
): { readonly at: number; readonly to: number } {
  const { length } = chunk;
  let to = start;
  let at = start;
  while (at < length) {
    if (chunk[at] === IAC) {
      if (at + 1 === length || chunk[at + 1] !== IAC) break;
      undone[to] = IAC;
      to += 1;
      at += 2;
      continue;
    }
    const near = Math.min(length, at + NEAR_BYTES);
    let end = at + 1;
    while (end < near && chunk[end] !== IAC) end += 1;
    if (end === near && end < length) {
      const next = chunk.indexOf(IAC, end);
      end = next < 0 ? length : next;
    }
    if (to !== at) undone.copyWithin(to, at, end);
    to += end - at;
    at = end;
  }
  return { at, to };
}
