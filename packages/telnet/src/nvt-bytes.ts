// The bytes of a network virtual terminal for a reader of bytes: Enter is one CR, whatever the client sends for it. RFC
// 854 has CR LF for the end of a line and CR NUL for a CR; clients in character mode send either for the same key, or
// the CR alone.

export interface NvtBytes {
  /**
   * The bytes of a chunk, without the LF or NUL that follows a CR. A view of `chunk` where nothing had to be taken out.
   * Under BINARY (RFC 856) all bytes stand for themselves.
   */
  push(chunk: Uint8Array, binary: boolean): Uint8Array;
}

const CR = 13;
const LF = 10;
const NUL = 0;
const belongsToCr = (byte: number | undefined): boolean => byte === LF || byte === NUL;

export function createNvtBytes(): NvtBytes {
  let lastWasCr = false;
  return {
    push(chunk, binary) {
      if (chunk.length === 0) return chunk;
      const start = lastWasCr && belongsToCr(chunk[0]) ? 1 : 0;
      const rest = start === 0 ? chunk : chunk.subarray(start);
      if (binary) {
        lastWasCr = false;
        return rest;
      }
      lastWasCr = rest.at(-1) === CR;
      let at = rest.indexOf(CR);
      while (at >= 0 && !belongsToCr(rest[at + 1])) at = rest.indexOf(CR, at + 1);
      if (at < 0) return rest;
      // The first of the pairs: from here on bytes move.
      const kept = new Uint8Array(rest.length);
      kept.set(rest.subarray(0, at + 1));
      let to = at + 1;
      for (at += 2; at < rest.length; at += 1) {
        kept[to++] = rest[at] ?? 0;
        if (rest[at] === CR && belongsToCr(rest[at + 1])) at += 1;
      }
      return kept.subarray(0, to);
    },
  };
}
