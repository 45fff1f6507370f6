// What is said of a connection in the words of its protocol, which are its peer's in part, and read by people on terminals
// and in logs.

// A line of a table. A path that is longer is known by its beginning.
export const MAX_DOING_CHARACTERS = 160;

// Control and format characters, what ends a line, halves of a pair: they would move the cursor or turn the line around.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** One short line of it that is safe to print. */
export function shortText(text: string): string {
  const first = text.slice(0, MAX_DOING_CHARACTERS).replace(UNPRINTABLE, '');
  return text.length > MAX_DOING_CHARACTERS ? `${first}…` : first;
}
