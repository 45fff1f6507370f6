// Nothing that a client says about itself may reach a terminal or a log as it came: an escape sequence in a terminal
// type would act on the screen of the log's reader.

/** Takes out C0, DEL, C1, line separators and the marks that reorder text, and cuts at `maxCharacters`. */
export function cleanClientText(text: string, maxCharacters: number): string {
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '');
  // By code points, so that no character is cut in half.
  return Array.from(clean.slice(0, 2 * maxCharacters))
    .slice(0, maxCharacters)
    .join('');
}

const utf8 = new TextDecoder();

/** The same for bytes: read as UTF-8, with U+FFFD for what is none. */
export const cleanClientBytes = (bytes: Uint8Array, maxCharacters: number): string =>
  cleanClientText(utf8.decode(bytes.subarray(0, 4 * maxCharacters)), maxCharacters);
