// The three date forms of RFC 9110 §5.6.7. Only the first is ever written.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = '([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)';
const IMF_FIXDATE = new RegExp(`^[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ${TIME} GMT$`);
const RFC_850 = new RegExp(`^[A-Z][a-z]+day, ([0-9]{2})-([A-Z][a-z]{2})-([0-9]{2}) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ 0-9][0-9]) ${TIME} ([0-9]{4})$`);

export const formatHttpDate = (atMs: number): string => new Date(atMs).toUTCString();

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
  return Date.UTC(Number(year), month, Number(day), hours, minutes, seconds);
}
