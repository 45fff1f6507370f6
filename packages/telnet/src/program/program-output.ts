// A program's output as a network virtual terminal wants it (RFC 854): a CR that ends no line is CR NUL, and where no
// terminal driver has done so, a line ends in CR LF. In bytes, since a chunk may end inside a character.

const NUL = 0;
const LF = 10;
const CR = 13;

export interface ProgramOutput {
  /** A view of `chunk`, or `chunk` itself, where nothing had to be put in. */
  push(chunk: Uint8Array): Uint8Array;
}

/** `binary` is asked for each chunk: under BINARY a CR stands for itself (RFC 856). */
export function createProgramOutput(options: {
  readonly addsReturns: boolean;
  readonly binary: () => boolean;
}): ProgramOutput {
  const { addsReturns } = options;
  let lastWasCr = false;

  /** What has to stand before `byte`, when `before` is the one that it follows. */
  const missing = (isAfterCr: boolean, byte: number, binary: boolean): number | undefined => {
    if (isAfterCr) return byte !== LF && byte !== NUL && !binary ? NUL : undefined;
    return byte === LF && addsReturns ? CR : undefined;
  };

  return {
    push(chunk) {
      const binary = options.binary();
      const places: number[] = [];
      const [first] = chunk;
      if (first === undefined) return chunk;
      if (missing(lastWasCr, first, binary) !== undefined) places.push(0);
      // Only a byte after a CR and an LF can lack something, so only those are looked at.
      const sought = addsReturns ? LF : CR;
      for (let at = chunk.indexOf(sought); at >= 0; at = chunk.indexOf(sought, at + 1)) {
        const place = sought === CR ? at + 1 : at;
        const byte = chunk[place];
        // Nearly always: the end of a line.
        if (sought === CR && byte === LF) continue;
        if (place > 0 && byte !== undefined && missing(chunk[place - 1] === CR, byte, binary) !== undefined)
          places.push(place);
      }
      const wasCr = lastWasCr;
      lastWasCr = chunk[chunk.length - 1] === CR;
      if (places.length === 0) return chunk;
      const out = new Uint8Array(chunk.length + places.length);
      let from = 0;
      let to = 0;
      for (const place of places) {
        out.set(chunk.subarray(from, place), to);
        to += place - from;
        const isAfterCr = place === 0 ? wasCr : chunk[place - 1] === CR;
        out[to] = isAfterCr ? NUL : CR;
        to += 1;
        from = place;
      }
      out.set(chunk.subarray(from), to);
      return out;
    },
  };
}
