// Byte ranges (RFC 9110 §14). What is not a valid set of ranges, or asks for more than it is worth, may be ignored, and
// is: the whole file is never wrong.

import type { ContentSource } from '../fetch/content.ts';

export interface ByteRange {
  readonly start: number;
  readonly byteLength: number;
}

export type RangeOutcome =
  /** Send everything, with 200. */
  | { readonly at: 'whole' }
  /** Send these with 206: one as it is, several as multipart/byteranges. Never empty, in the order asked for. */
  | { readonly at: 'parts'; readonly parts: readonly ByteRange[] }
  /** Nothing of what is asked for exists: 416. */
  | { readonly at: 'unsatisfiable' };

const WHOLE: RangeOutcome = { at: 'whole' };
// Readers of PDF files ask for some; a request for hundreds of small or overlapping parts is an attack (CVE-2011-3192).
const MAX_RANGES = 16;
// What the head of a part costs, about: parts that lie closer together than this are cheaper as one.
const PART_OVERHEAD_BYTES = 80;

/** Reads the value of Range against a file of `size` bytes. */
export function decideRange(text: string | null, size: number): RangeOutcome {
  // Of an empty file there is no part.
  if (text === null || size === 0) return WHOLE;
  const equals = text.indexOf('=');
  // Units that are not understood must be ignored (§14.2).
  if (equals < 0 || text.slice(0, equals).toLowerCase() !== 'bytes') return WHOLE;
  const specs = text
    .slice(equals + 1)
    .split(',', MAX_RANGES + 1)
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '');
  if (specs.length === 0 || specs.length > MAX_RANGES) return WHOLE;
  const parts: ByteRange[] = [];
  for (const spec of specs) {
    const range = readSpec(spec, size);
    if (range === 'invalid') return WHOLE;
    if (range !== 'unsatisfiable') parts.push(range);
  }
  if (parts.length === 0) return { at: 'unsatisfiable' };
  if (parts.length === 1) return { at: 'parts', parts };
  const joined = coalesce(parts);
  const total = joined.reduce((sum, { byteLength }) => sum + byteLength + PART_OVERHEAD_BYTES, 0);
  return joined.length > 1 && total >= size ? WHOLE : { at: 'parts', parts: joined };
}

function readSpec(spec: string, size: number): ByteRange | 'invalid' | 'unsatisfiable' {
  const match = /^([0-9]*)-([0-9]*)$/.exec(spec);
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return 'invalid';
  if (first === '') {
    const suffix = Math.min(Number(last), size);
    return suffix === 0 ? 'unsatisfiable' : { start: size - suffix, byteLength: suffix };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'invalid';
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start >= size ? 'unsatisfiable' : { start, byteLength: end - start + 1 };
}

/** Joins parts that overlap or nearly touch (§15.3.7.2). Parts that don't keep their order. */
function coalesce(parts: readonly ByteRange[]): ByteRange[] {
  const joined: ByteRange[] = [];
  for (const part of parts) {
    let { start, byteLength } = part;
    for (let index = joined.length - 1; index >= 0; index -= 1) {
      const other = joined[index];
      if (
        other === undefined ||
        other.start > start + byteLength + PART_OVERHEAD_BYTES ||
        start > other.start + other.byteLength + PART_OVERHEAD_BYTES
      )
        continue;
      const end = Math.max(start + byteLength, other.start + other.byteLength);
      start = Math.min(start, other.start);
      byteLength = end - start;
      joined.splice(index, 1);
      index = joined.length;
    }
    joined.push({ start, byteLength });
  }
  return joined;
}

export interface Multipart {
  readonly contentType: string;
  readonly content: ContentSource;
}

/** `open` gives the source of one part; it is called for one part at a time. `close` is called once, at the end. */
export function multipartOf(
  parts: readonly ByteRange[],
  size: number,
  partType: string,
  open: (part: ByteRange) => ContentSource,
  close: () => void,
): Multipart {
  // Random, so that no file can hold it on purpose.
  const boundary = crypto.randomUUID();
  const heads = parts.map(({ start, byteLength }, index) =>
    Buffer.from(
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${partType}\r\nContent-Range: bytes ${start}-${start + byteLength - 1}/${size}\r\n\r\n`,
      'latin1',
    ),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  const pieces: (Buffer | ByteRange)[] = [...parts.flatMap((part, index) => [heads[index] ?? tail, part]), tail];
  const byteLength = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  let current: ContentSource | undefined;
  let index = 0;
  const read = async (into: Uint8Array): Promise<number> => {
    for (;;) {
      if (current !== undefined) {
        const readBytes = await current.read(into);
        if (readBytes > 0) return readBytes;
        current = undefined;
      }
      const piece = pieces[index];
      if (piece === undefined) return 0;
      if (!Buffer.isBuffer(piece)) {
        index += 1;
        current = open(piece);
        continue;
      }
      // Heads are short, but the reader may want even less at the end.
      const taken = piece.subarray(0, into.length);
      into.set(taken);
      if (taken.length === piece.length) index += 1;
      else pieces[index] = piece.subarray(taken.length);
      return taken.length;
    }
  };
  return { contentType: `multipart/byteranges; boundary=${boundary}`, content: { byteLength, read, close } };
}
