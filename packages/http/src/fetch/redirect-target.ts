// The Location of a redirect.

// What the URL parser leaves alone in one part of a URL or another; `%` too, which may stand for an octet.
const NOT_IN_URL = /[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+/gu;

/**
 * As the URL parser writes it, and where it is relative with everything percent-encoded that may not stand in a URL. A
 * `\` is encoded too: browsers would read `/\host` as another host.
 */
export function redirectTarget(location: string): string {
  if (URL.canParse(location)) return new URL(location).href;
  // The URL parser takes white space away from the ends, and line ends from everywhere.
  const text = location.replace(/^[\0-\x20]+|[\0-\x20]+$|[\t\n\r]+/g, '');
  return text.replace(NOT_IN_URL, (part) => encodeURIComponent(Buffer.from(part).toString()));
}
