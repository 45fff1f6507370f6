import fc from 'fast-check';
import { expect, test } from 'vitest';
import { undouble } from '../src/engine/doubled-iac.ts';

const IAC = 255;

/** The same, one byte after the other. */
function slowly(chunk: Uint8Array, start: number): { readonly at: number; readonly data: number[] } {
  const data: number[] = [];
  let at = start;
  while (at < chunk.length) {
    if (chunk[at] === IAC && chunk[at + 1] !== IAC) break;
    data.push(chunk[at] ?? 0);
    at += chunk[at] === IAC ? 2 : 1;
  }
  return { at, data };
}

// IACs alone, in pairs, near each other and far apart.
const piece = fc.oneof(
  fc.constant([IAC, IAC]),
  fc.constant([IAC]),
  fc.array(fc.integer({ min: 0, max: 254 }), { minLength: 1, maxLength: 40 }),
);

test('doubled IACs become one each, up to one that is not doubled, from wherever it begins', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.nat(20), (pieces, from) => {
      const chunk = Uint8Array.from(pieces.flat());
      const start = Math.min(from, chunk.length);
      const undone = chunk.slice();
      const { at, to } = undouble(chunk, start, undone);
      const expected = slowly(chunk, start);
      expect([at, [...undone.subarray(start, to)]]).toEqual([expected.at, expected.data]);
    }),
  );
});
