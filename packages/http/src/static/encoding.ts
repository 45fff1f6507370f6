// Which of a file's representations a client takes (RFC 9110 §12.5.3). Text in, a choice out.

/** A content coding with the extension of the file beside the original that holds it. Smallest result first, as a rule. */
export const SIDECARS = [
  { coding: 'br', extension: '.br' },
  { coding: 'zstd', extension: '.zst' },
  { coding: 'gzip', extension: '.gz' },
] as const;

export type Coding = (typeof SIDECARS)[number]['coding'];

/** The coding with the highest weight among `available`; undefined means the file as it is. Of equals, the first in `available`. */
export function chooseCoding(acceptEncoding: string | null, available: readonly Coding[]): Coding | undefined {
  if (acceptEncoding === null || available.length === 0) return undefined;
  const weights = weightsOf(acceptEncoding);
  const anyWeight = weights.get('*');
  // Unnamed, `identity` is acceptable, but nothing asks for it before a coding that is named.
  let bestWeight = weights.get('identity') ?? 0;
  let best: Coding | undefined;
  for (const coding of available) {
    const weight = weights.get(coding) ?? weights.get(`x-${coding}`) ?? anyWeight ?? 0;
    if (weight > 0 && (weight > bestWeight || (best === undefined && weight === bestWeight))) {
      bestWeight = weight;
      best = coding;
    }
  }
  return best;
}

function weightsOf(list: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const item of list.split(',')) {
    const match = /^[ \t]*([^ \t;]+)[ \t]*(?:;[ \t]*q=([01](?:\.[0-9]{0,3})?)[ \t]*)?$/i.exec(item);
    // A weight that is malformed is no acceptance.
    if (match !== null) weights.set((match[1] ?? '').toLowerCase(), Math.min(1, Number(match[2] ?? '1')));
  }
  return weights;
}
