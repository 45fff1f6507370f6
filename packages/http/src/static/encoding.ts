// Which of a file's representations a client takes (RFC 9110 §12.5.3). Text in, a choice out.

/**
 * A content coding with the extension of the file beside the original that holds it. Smallest result first, as a rule.
 */
export const SIDECARS = [
  { coding: 'br', extension: '.br' },
  { coding: 'zstd', extension: '.zst' },
  { coding: 'gzip', extension: '.gz' },
] as const;

export type Coding = (typeof SIDECARS)[number]['coding'];

/**
 * The coding with the highest weight among `available`; undefined means the file as it is. Of equals, the first in
 * `available`.
 */
export function chooseCoding(acceptEncoding: string | null, available: readonly Coding[]): Coding | undefined {
  if (acceptEncoding === null || available.length === 0) return undefined;
  const weights = knownWeightsOf(acceptEncoding);
  const anyWeight = weights.get('*');
  // Unnamed, `identity` is acceptable, but nothing asks for it before a coding that is named.
  let bestWeight = weights.get('identity') ?? 0;
  let best: Coding | undefined;
  for (const coding of available) {
    const weight = weights.get(coding) ?? anyWeight ?? 0;
    if (weight > 0 && (weight > bestWeight || (best === undefined && weight === bestWeight))) {
      bestWeight = weight;
      best = coding;
    }
  }
  return best;
}

// Browsers and proxies have a few values between them; others, or longer ones, are read each time.
const MAX_KEPT_VALUES = 32;
const MAX_KEPT_VALUE_LENGTH = 128;
const kept = new Map<string, ReadonlyMap<string, number>>();

/**
 * As `weightsOf`, from memory where it may be: the value is asked for with every request of a file that has compressed
 * forms.
 */
function knownWeightsOf(list: string): ReadonlyMap<string, number> {
  const known = kept.get(list);
  if (known !== undefined) return known;
  const weights = weightsOf(list);
  if (list.length > MAX_KEPT_VALUE_LENGTH) return weights;
  if (kept.size === MAX_KEPT_VALUES) kept.clear();
  kept.set(list, weights);
  return weights;
}

function weightsOf(list: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  const aliases = new Map<string, number>();
  for (const item of list.split(',')) {
    const match = /^[ \t]*([^ \t;]+)[ \t]*(?:;[ \t]*q=([01](?:\.[0-9]{0,3})?)[ \t]*)?$/i.exec(item);
    // A weight that is malformed is no acceptance.
    if (match === null) continue;
    const name = (match[1] ?? '').toLowerCase();
    const weight = Math.min(1, Number(match[2] ?? '1'));
    // `x-gzip` is `gzip` (RFC 9110 §8.4.1.3), whose own weight counts where it is named too.
    if (name.startsWith('x-')) aliases.set(name.slice(2), weight);
    else weights.set(name, weight);
  }
  for (const [name, weight] of aliases) if (!weights.has(name)) weights.set(name, weight);
  return weights;
}
