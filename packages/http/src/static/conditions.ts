// Preconditions of a request (RFC 9110 §13.2.2), decided from what is known of the file. Order matters and is the
// RFC's.

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
  // One tag, as most have it, is seen at once.
  if (list.trim() === '*' || matches(list)) return true;
  for (const [tag] of list.matchAll(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g)) if (matches(tag)) return true;
  return false;
}

// The three date forms of RFC 9110 §5.6.7. Only the first is ever written.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = '([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)';
const IMF_FIXDATE = new RegExp(`^[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ${TIME} GMT$`);
const RFC_850 = new RegExp(`^[A-Z][a-z]+day, ([0-9]{2})-([A-Z][a-z]{2})-([0-9]{2}) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ 0-9][0-9]) ${TIME} ([0-9]{4})$`);

/**
 * Milliseconds since 1970, or undefined. A two-digit year that seems more than 50 years ahead of `nowMs` is one of the
 * last century.
 */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed !== null) return utc(fixed[3], fixed[2], fixed[1], fixed.slice(4, 7));
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) return utc(asctime[6], asctime[1], asctime[2], asctime.slice(3, 6));
  const old = RFC_850.exec(text);
  if (old === null) return undefined;
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = Math.floor(thisYear / 100) * 100 + Number(old[3]);
  return utc(String(year > thisYear + 50 ? year - 100 : year), old[2], old[1], old.slice(4, 7));
}

function utc(
  year: string | undefined,
  monthName: string | undefined,
  day: string | undefined,
  time: readonly string[],
): number | undefined {
  const month = MONTHS.indexOf(monthName ?? '');
  const [hours, minutes, seconds] = time.map(Number);
  if (month < 0 || hours === undefined || minutes === undefined || seconds === undefined) return undefined;
  const date = new Date(0);
  // Not `Date.UTC`, to which a year below 100 is one of the last century.
  date.setUTCFullYear(Number(year), month, Number(day));
  // A day that its month does not have is no date, and no condition (RFC 9110 §13.1.3).
  if (date.getUTCDate() !== Number(day)) return undefined;
  return date.setUTCHours(hours, minutes, seconds);
}
