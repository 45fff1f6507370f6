// One byte range (RFC 9110 §14). What is not exactly one valid range may be ignored, and is: the whole file is never wrong.

export type RangeOutcome =
  /** Send everything, with 200. */
  | { readonly at: 'whole' }
  /** Send `byteLength` bytes from `start`, with 206. */
  | { readonly at: 'part'; readonly start: number; readonly byteLength: number }
  /** Nothing of what is asked for exists: 416. */
  | { readonly at: 'unsatisfiable' };

const WHOLE: RangeOutcome = { at: 'whole' };

/** Reads the value of Range against a file of `size` bytes. */
export function decideRange(text: string | null, size: number): RangeOutcome {
  // Of an empty file there is no part.
  if (text === null || size === 0) return WHOLE;
  const equals = text.indexOf('=');
  // Units that are not understood must be ignored (§14.2).
  if (equals < 0 || text.slice(0, equals).toLowerCase() !== 'bytes') return WHOLE;
  const specs = text.slice(equals + 1).split(',').map((spec) => spec.trim()).filter((spec) => spec !== '');
  const match = /^([0-9]*)-([0-9]*)$/.exec(specs[0] ?? '');
  if (specs.length !== 1 || match === null) return WHOLE;
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return WHOLE;
    const suffix = Math.min(Number(last), size);
    return suffix === 0 ? { at: 'unsatisfiable' } : { at: 'part', start: size - suffix, byteLength: suffix };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return WHOLE;
  return start >= size ? { at: 'unsatisfiable' } : { at: 'part', start, byteLength: end - start + 1 };
}
