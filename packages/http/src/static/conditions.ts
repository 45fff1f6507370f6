// Preconditions of a request (RFC 9110 §13.2.2), decided from what is known of the file. Order matters and is the
// RFC's.

import { parseHttpDate } from './http-date.ts';

export interface Validators {
  /** As sent, `W/` included. */
  readonly etag: string;
  /** In whole seconds: that is all a date says. */
  readonly lastModifiedMs: number;
}

/** `proceed` says whether Range may be followed (If-Range). */
export type ConditionOutcome =
  { readonly at: 'failed' } | { readonly at: 'not-modified' } | { readonly at: 'proceed'; readonly mayRange: boolean };

interface Fields {
  get(name: string): string | null;
}

/** For GET and HEAD. */
export function evaluateConditions(
  fields: Fields,
  { etag, lastModifiedMs }: Validators,
  nowMs: number,
): ConditionOutcome {
  const ifMatch = fields.get('if-match');
  if (ifMatch !== null) {
    if (!listMatches(ifMatch, (candidate) => isStrong(etag) && candidate === etag)) return { at: 'failed' };
  } else {
    const unmodifiedSince = dateIn(fields.get('if-unmodified-since'), nowMs);
    if (unmodifiedSince !== undefined && lastModifiedMs > unmodifiedSince) return { at: 'failed' };
  }
  const ifNoneMatch = fields.get('if-none-match');
  if (ifNoneMatch !== null) {
    if (listMatches(ifNoneMatch, (candidate) => opaque(candidate) === opaque(etag))) return { at: 'not-modified' };
  } else {
    const modifiedSince = dateIn(fields.get('if-modified-since'), nowMs);
    if (modifiedSince !== undefined && lastModifiedMs <= modifiedSince) return { at: 'not-modified' };
  }
  const ifRange = fields.get('if-range');
  return { at: 'proceed', mayRange: ifRange === null || rangeValidatorMatches(ifRange, etag, lastModifiedMs, nowMs) };
}

const isStrong = (etag: string): boolean => !etag.startsWith('W/');
const opaque = (etag: string): string => (isStrong(etag) ? etag : etag.slice(2));

/** Only a strong validator may put a range onto a part that the client has (RFC 9110 §13.1.5). */
function rangeValidatorMatches(text: string, etag: string, lastModifiedMs: number, nowMs: number): boolean {
  if (text.includes('"')) return isStrong(etag) && text === etag;
  // A date is strong only where the tag is: the file has rested for more than the second that a date can tell.
  return isStrong(etag) && dateIn(text, nowMs) === lastModifiedMs;
}

const dateIn = (text: string | null, nowMs: number): number | undefined =>
  text === null ? undefined : parseHttpDate(text, nowMs);

/** `*`, or any tag of the list that `matches`. A tag may hold a comma, so the list is read tag by tag. */
function listMatches(list: string, matches: (etag: string) => boolean): boolean {
  if (list.trim() === '*') return true;
  for (const [tag] of list.matchAll(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g)) if (matches(tag)) return true;
  return false;
}
