// Patterns of one name, as a shell has them: `*`, `?`, `[abc]`, `[a-z]`, `[!a-z]`, and `\` before a character that
// stands for itself. No braces and no `**`.
//
// The matcher goes back only to the last `*`, so that its time is at most the product of both lengths, whatever the
// pattern: matchers that try every way were how servers were brought to a halt (CVE-2010-2632, CVE-2011-0418).

/** What one place of a pattern takes. */
type Place =
  { readonly any: 'one' | 'many' } | { readonly codes: readonly (readonly [number, number])[]; readonly not: boolean };

/** True for text that is a pattern and not a plain name. */
export const isPattern = (text: string): boolean => /[*?[]/.test(text);

/** A matcher of whole names. As in a shell, a wildcard does not match a dot that a name begins with. */
export function compilePattern(pattern: string): (name: string) => boolean {
  const places = placesOf(pattern);
  const first = places[0];
  const takesDot = first !== undefined && 'codes' in first && !first.not;
  return (name) => (takesDot || !name.startsWith('.')) && matches(places, name);
}

function placesOf(pattern: string): Place[] {
  const places: Place[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const letter = pattern.charAt(at);
    if (letter === '*') {
      const last = places.at(-1);
      // Two stars say no more than one.
      if (last === undefined || !('any' in last) || last.any !== 'many') places.push({ any: 'many' });
      continue;
    }
    if (letter === '?') {
      places.push({ any: 'one' });
      continue;
    }
    const set = letter === '[' ? readSet(pattern, at) : undefined;
    if (set !== undefined) {
      places.push(set.place);
      at = set.end;
      continue;
    }
    if (letter === '\\' && at + 1 < pattern.length) at += 1;
    const code = pattern.charCodeAt(at);
    places.push({ codes: [[code, code]], not: false });
  }
  return places;
}

/** The set that begins at `at`; undefined when no bracket closes it, and then the bracket is an ordinary letter. */
function readSet(pattern: string, at: number): { readonly place: Place; readonly end: number } | undefined {
  let next = at + 1;
  const not = pattern[next] === '!' || pattern[next] === '^';
  if (not) next += 1;
  const codes: [number, number][] = [];
  // A bracket that comes first closes nothing.
  for (let isFirst = true; next < pattern.length; isFirst = false) {
    if (pattern[next] === ']' && !isFirst) return { place: { codes, not }, end: next };
    const from = pattern.charCodeAt(next);
    const isRange = pattern[next + 1] === '-' && next + 2 < pattern.length && pattern[next + 2] !== ']';
    codes.push([from, isRange ? pattern.charCodeAt(next + 2) : from]);
    next += isRange ? 3 : 1;
  }
  return undefined;
}

const takes = (place: Place, code: number): boolean =>
  'any' in place ? place.any === 'one' : place.codes.some(([from, to]) => code >= from && code <= to) !== place.not;

function matches(places: readonly Place[], name: string): boolean {
  let place = 0;
  let at = 0;
  /** Where the last star stands, and the first letter that it has not taken yet. */
  let star = -1;
  let untaken = 0;
  while (at < name.length) {
    const current = places[place];
    if (current !== undefined && 'any' in current && current.any === 'many') {
      star = place;
      untaken = at;
      place += 1;
    } else if (current !== undefined && takes(current, name.charCodeAt(at))) {
      place += 1;
      at += 1;
    } else if (star >= 0) {
      untaken += 1;
      at = untaken;
      place = star + 1;
    } else return false;
  }
  const rest = places[place];
  return rest === undefined || (place === places.length - 1 && 'any' in rest && rest.any === 'many');
}
