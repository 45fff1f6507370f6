// One line of an access log in the combined format of Apache and nginx. Whatever a client sent is escaped: a line stays
// a line.

/** What an access log may tell about one exchange. */
export interface AccessEntry {
  readonly client: string;
  /** Who has logged in by `basicAuth`. */
  readonly user?: string | undefined;
  /** Milliseconds since 1970, when the request was complete enough to be answered. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly method: string;
  readonly target: string;
  readonly httpVersion: '1.0' | '1.1' | '2.0';
  /** 499 where the client was gone before a response began, as nginx has it. */
  readonly status: number;
  /** Of the content, without the head. */
  readonly contentBytes: number;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  readonly requestId: string | undefined;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

let formattedSecond = -1;
let formatted = '';

/** `[22/Nov/2026:10:00:00 +0000]`, made once in a second. */
function stampOf(atMs: number): string {
  const second = Math.floor(atMs / 1000);
  if (second !== formattedSecond) {
    formattedSecond = second;
    const date = new Date(atMs);
    const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()] ?? ''}/${date.getUTCFullYear()}`;
    formatted = `[${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000]`;
  }
  return formatted;
}

/** Quotes, backslashes and everything that is not visible ASCII, as `\xhh`. */
const escapeText = (text: string): string =>
  text.replace(
    /[^\x20\x21\x23-\x5b\x5d-\x7e]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
const quoted = (text: string | undefined): string =>
  text === undefined || text === '' ? '"-"' : `"${escapeText(text)}"`;

// Readers of logs divide lines at spaces.
const word = (text: string): string => (text === '' ? '-' : escapeText(text).replaceAll(' ', ''));

/** The whole line with its line feed. */
export function combinedLine({
  client,
  user = '',
  atMs,
  method,
  target,
  httpVersion,
  status,
  contentBytes,
  referer,
  userAgent,
}: AccessEntry): string {
  return `${word(client)} - ${word(user)} ${stampOf(atMs)} "${escapeText(`${method} ${target} HTTP/${httpVersion}`)}" ${status} ${contentBytes === 0 ? '-' : contentBytes} ${quoted(referer)} ${quoted(userAgent)}\n`;
}
