// Whether options have the names that are known: a JavaScript caller gets no compile error for `maxConections`.

import { WellknownError } from './errors.ts';

/** Names of other libraries, and what is written here instead. */
const INSTEAD: Readonly<Partial<Record<string, Readonly<Partial<Record<string, string>>>>>> = {
  option: {
    port: "'listen' takes a port, or { port, host }",
    host: "'listen' takes { port, host }",
    listen: 'it stands beside the protocol: { protocol, listen }',
    hostname: "'listen' takes { port, host }",
    cert: "it is in 'tls'",
    key: "it is in 'tls'",
    logger: "meant is 'log'",
    timeout: "meant is 'idleTimeoutMs' of 'limits'",
  },
  'option of tls': {
    ca: "it is in 'clientCertificates'",
    requestCert: "'clientCertificates' asks for them",
    rejectUnauthorized: "'clientCertificates' has 'required'",
    SNICallback: "meant is 'byServerName'",
  },
};

/**
 * Throws OPTION_INVALID for the first name of `given` that is not among `known`, and says which one may be meant. `what`
 * is the kind of thing that is named: 'option', 'limit'.
 */
export function requireKnownNames(what: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    throw new WellknownError('OPTION_INVALID', `the ${what} '${name}' is unknown`, {
      fault: 'local',
      hint: hintFor(what, name, known),
    });
  }
}

/**
 * The same where a caller may give an object that has more in it, such as all that made a certificate: refused is a name
 * that is near to a known one, or that means something under another.
 */
export function requireNoMisspeltNames(what: string, given: object, known: readonly string[]): void {
  const mistaken = Object.keys(given).filter(
    (name) => INSTEAD[what]?.[name] !== undefined || misspelt(name, known) !== undefined,
  );
  requireKnownNames(what, Object.fromEntries(mistaken.map((name) => [name, true])), known);
}

function hintFor(what: string, name: string, known: readonly string[]): string {
  const instead = INSTEAD[what]?.[name];
  if (instead !== undefined) return instead;
  const near = nearestName(name, known);
  return near === undefined ? `known are ${known.join(', ')}` : `meant may be '${near}'`;
}

/** The name with the fewest changed letters, case aside, if no more than two of five would change; else undefined. */
function misspelt(name: string, known: readonly string[]): string | undefined {
  const measured = known.map((candidate) => ({
    candidate,
    changed: editDistance(name.toLowerCase(), candidate.toLowerCase()) / Math.max(name.length, candidate.length),
  }));
  const best = measured.sort((one, other) => one.changed - other.changed)[0];
  return best !== undefined && best.changed <= 0.4 ? best.candidate : undefined;
}

/** The same; else one that is the begin of the other, such as `warn` of `warning`; else undefined. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const near = misspelt(name, known);
  if (near !== undefined) return near;
  const [text, least] = [name.toLowerCase(), 3];
  return known.find(
    (candidate) =>
      Math.min(text.length, candidate.length) >= least && (candidate.startsWith(text) || text.startsWith(candidate)),
  );
}

/**
 * Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment), one row of
 * the table at a time.
 */
function editDistance(one: string, other: string): number {
  let previous: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let index = 0; index < one.length; index += 1) {
    const next = [index + 1];
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (one[index] === other[column - 1] ? 0 : 1);
      const isSwap = column > 1 && one[index] === other[column - 2] && one[index - 1] === other[column - 1];
      const swapped = isSwap ? (previous[column - 2] ?? Infinity) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    [previous, row] = [row, next];
  }
  return row[other.length] ?? 0;
}
