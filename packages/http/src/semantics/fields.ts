// Field lines that a parser has already checked, read on demand. A request keeps its header section as one string; most
// handlers look at none of it.

/** One field: its name in lower case, and its value without surrounding whitespace. */
export type Field = readonly [name: string, value: string];

/** The fields of checked field lines, each ending in CR LF, in order. */
export function readFields(lines: string): Field[] {
  const fields: Field[] = [];
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    if (end < 0 || colon < 0) break;
    fields.push([lines.slice(start, colon).toLowerCase(), trimOws(lines, colon + 1, end)]);
    start = end + 2;
  }
  return fields;
}

/**
 * The value of one field, or null. Lines of one name are one list; cookies have their own separator (RFC 9110 §5.3, RFC
 * 6265 §5.4).
 */
export function findField(lines: string, lowerName: string): string | null {
  const { length } = lowerName;
  let found: string | null = null;
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf('\r\n', start);
    if (end < 0) break;
    // The colon decides first: no name holds one, so a line of another length is none of ours.
    if (lines.charCodeAt(start + length) === COLON && lines.slice(start, start + length).toLowerCase() === lowerName) {
      const value = trimOws(lines, start + length + 1, end);
      found = found === null ? value : found + (lowerName === 'cookie' ? '; ' : ', ') + value;
    }
    start = end + 2;
  }
  return found;
}

const COLON = 0x3a;

/** Only SP and HTAB are optional whitespace (RFC 9110 §5.6.3); `trim` would also take 0xa0. */
function trimOws(text: string, start: number, end: number): string {
  let first = start;
  let last = end;
  while (first < last && isOws(text.charCodeAt(first))) first += 1;
  while (last > first && isOws(text.charCodeAt(last - 1))) last -= 1;
  return text.slice(first, last);
}

const isOws = (octet: number): boolean => octet === 0x20 || octet === 0x09;
