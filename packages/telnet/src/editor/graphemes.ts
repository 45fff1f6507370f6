// Text as people see it: what the cursor steps over is a grapheme cluster (a letter with its combining marks, an emoji
// of several code points), and its place on the screen is none, one or two columns wide.

import { textLibraries } from '../text-libraries.ts';

// Made with the first text that needs one: it loads the tables of ICU.
let segmenter: Intl.Segmenter | undefined;
const segmentsOf = (text: string): Iterable<Intl.SegmentData> =>
  (segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })).segment(text);

// A cluster longer than this is taken apart. No script needs it, and without it one step could cost the whole line.
const MAX_CLUSTER_LENGTH = 64;

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const isPrintableAscii = (code: number): boolean => code >= 0x20 && code < 0x7f;

/** The grapheme clusters of a text. */
export function graphemesOf(text: string): string[] {
  // Most lines are ASCII, where each character is one.
  if (PRINTABLE_ASCII.test(text)) return Array.from(text);
  return Array.from(segmentsOf(text), ({ segment }) => segment);
}

/** The last cluster of a text; empty when the text is. */
export function lastGrapheme(text: string): string {
  const { length } = text;
  if (length > 0 && isPrintableAscii(text.charCodeAt(length - 1))) return text.slice(-1);
  return graphemesOf(text.slice(-MAX_CLUSTER_LENGTH)).at(-1) ?? '';
}

/** The first cluster of a text; empty when the text is. */
export function firstGrapheme(text: string): string {
  const head = text.slice(0, MAX_CLUSTER_LENGTH);
  for (const { segment } of segmentsOf(head)) return segment;
  return '';
}

/** How many columns a text takes on one line. Escape sequences of colours take none. */
export const columnsOf = (text: string): number =>
  PRINTABLE_ASCII.test(text) ? text.length : textLibraries.stringWidth(text);

/** The columns of one grapheme cluster. */
export function clusterColumns(cluster: string): number {
  return cluster.length === 1 && isPrintableAscii(cluster.charCodeAt(0)) ? 1 : textLibraries.stringWidth(cluster);
}
