// TYPE A: files here end lines with LF, the network with CR LF (RFC 959 §3.1.1.1). Both converters carry one bit from
// chunk to chunk, so a chunk may end between CR and LF.

/** Converts one direction of one transfer. */
export interface LineEndConverter {
  /** The converted bytes. May return `chunk` itself when nothing had to change. */
  push(chunk: Uint8Array): Uint8Array;
  /** What was held back at the end. */
  flush(): Uint8Array;
}

const LF = 10;
const CR = 13;
const NOTHING = new Uint8Array(0);

/**
 * LF becomes CR LF. A CR LF that the file already has stays as it is: doubling the CR would damage files from Windows.
 */
export function createNetworkLineEnds(): LineEndConverter {
  let lastByte = 0;
  return {
    push(chunk) {
      let bare = 0;
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
        if ((at === 0 ? lastByte : chunk[at - 1]) !== CR) bare += 1;
      }
      const before = lastByte;
      lastByte = chunk.at(-1) ?? lastByte;
      if (bare === 0) return chunk;
      const out = new Uint8Array(chunk.length + bare);
      let written = 0;
      let start = 0;
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
        if ((at === 0 ? before : chunk[at - 1]) === CR) continue;
        out.set(chunk.subarray(start, at), written);
        written += at - start;
        out[written] = CR;
        written += 1;
        start = at;
      }
      out.set(chunk.subarray(start), written);
      return out;
    },
    flush: () => NOTHING,
  };
}

/** CR LF becomes LF. A CR that no LF follows is data and stays. */
export function createLocalLineEnds(): LineEndConverter {
  let heldCr = false;
  return {
    push(chunk) {
      if (chunk.length === 0) return chunk;
      if (!heldCr && !chunk.includes(CR)) return chunk;
      const out = new Uint8Array(chunk.length + 1);
      let written = 0;
      for (const byte of chunk) {
        if (heldCr && byte !== LF) {
          out[written] = CR;
          written += 1;
        }
        heldCr = byte === CR;
        if (!heldCr) {
          out[written] = byte;
          written += 1;
        }
      }
      return out.subarray(0, written);
    },
    flush() {
      const held = heldCr;
      heldCr = false;
      return held ? Uint8Array.of(CR) : NOTHING;
    },
  };
}
