// Ways to cut an input into chunks: a parser must say the same whatever the network did to the bytes.

/** One chunk for each byte. */
export const byteByByte = (input: Uint8Array): Uint8Array[] =>
  Array.from(input, (_, index) => input.slice(index, index + 1));

/** Cuts at the given offsets, which may be unordered or beyond the end. */
export function cutAt(input: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(offsets)].filter((offset) => offset > 0 && offset < input.length).sort((a, b) => a - b);
  return [0, ...cuts].map((start, index) => input.slice(start, cuts[index] ?? input.length));
}

/** Every way to cut the input in two, and the input in one piece. */
export function* everyCut(input: Uint8Array): Generator<Uint8Array[]> {
  yield [input.slice()];
  for (let offset = 1; offset < input.length; offset += 1) yield [input.slice(0, offset), input.slice(offset)];
}
