// A line that is being edited, and the edits, as values.

import { firstGrapheme, lastGrapheme } from './graphemes.ts';

export interface EditState {
  /** The text on both sides of the cursor. */
  readonly before: string;
  readonly after: string;
  /** Which line of the history is shown, counted from the newest as 1; 0 is the line that is being written. */
  readonly historyPlace: number;
  /** That line, while another is shown. */
  readonly draft: string;
  /** What was killed last, for yank. */
  readonly killed: string;
  /** What the last key did, where the next one asks. */
  readonly last: 'kill-forward' | 'kill-back' | 'complete' | 'other';
  /** A search backwards through the history. */
  readonly search: Search | undefined;
  /** Something did not fit: the line is not what was typed. Until a key takes something away. */
  readonly overflowed: boolean;
}

export interface Search {
  readonly query: string;
  /** Where in the history the match stands, counted as `historyPlace`; 0 when there is none yet. */
  readonly place: number;
  /** The line as it was before. */
  readonly from: { readonly before: string; readonly after: string };
}

export const EMPTY_LINE: EditState = {
  before: '',
  after: '',
  historyPlace: 0,
  draft: '',
  killed: '',
  last: 'other',
  search: undefined,
  overflowed: false,
};

export const textOf = ({ before, after }: EditState): string => before + after;

const encoder = new TextEncoder();
/** True when `text` can be added to the line without its UTF-8 becoming longer than `maxBytes`. */
function fits({ before, after }: EditState, text: string, maxBytes: number): boolean {
  const length = before.length + after.length + text.length;
  // A UTF-16 unit is at least one byte and at most three.
  if (length > maxBytes) return false;
  return 3 * length <= maxBytes || encoder.encode(before + text + after).length <= maxBytes;
}

/** Undefined when there is no room. After the first that had none, nothing fits: asking costs the length of the line. */
export const inserted = (state: EditState, text: string, maxBytes: number): EditState | undefined =>
  !state.overflowed && fits(state, text, maxBytes) ? { ...state, before: state.before + text } : undefined;

/** The cursor at the end of `text`. */
export const replaced = (state: EditState, text: string): EditState => ({ ...state, before: text, after: '' });

export function movedLeft(state: EditState, count = lastGrapheme(state.before).length): EditState {
  const at = state.before.length - count;
  return { ...state, before: state.before.slice(0, at), after: state.before.slice(at) + state.after };
}

export function movedRight(state: EditState, count = firstGrapheme(state.after).length): EditState {
  return { ...state, before: state.before + state.after.slice(0, count), after: state.after.slice(count) };
}

export const erasedBack = (state: EditState): EditState => ({
  ...state,
  before: state.before.slice(0, state.before.length - lastGrapheme(state.before).length),
  overflowed: false,
});

export const erasedForward = (state: EditState): EditState => ({
  ...state,
  after: state.after.slice(firstGrapheme(state.after).length),
  overflowed: false,
});

/** Takes `count` units before the cursor away and keeps them for yank, with what the key before this one killed. */
export function killedBack(state: EditState, count: number): EditState {
  if (count === 0) return state;
  const at = state.before.length - count;
  const earlier = state.last === 'kill-back' || state.last === 'kill-forward' ? state.killed : '';
  return {
    ...state,
    before: state.before.slice(0, at),
    killed: state.before.slice(at) + earlier,
    last: 'kill-back',
    overflowed: false,
  };
}

export function killedForward(state: EditState, count: number): EditState {
  if (count === 0) return state;
  const earlier = state.last === 'kill-back' || state.last === 'kill-forward' ? state.killed : '';
  return {
    ...state,
    after: state.after.slice(count),
    killed: earlier + state.after.slice(0, count),
    last: 'kill-forward',
    overflowed: false,
  };
}

/** The grapheme before the cursor and the one at it change places; at the end of the line, the last two. */
export function transposed(state: EditState): EditState {
  const at = state.after === '' ? movedLeft(state) : state;
  const left = lastGrapheme(at.before);
  const right = firstGrapheme(at.after);
  if (left === '' || right === '') return state;
  const start = at.before.slice(0, at.before.length - left.length);
  return { ...state, before: start + right + left, after: at.after.slice(right.length) };
}

const WORD = /[\p{L}\p{N}\p{M}_]/u;
const isWord = (character: string): boolean => WORD.test(character);
const isSpace = (character: string): boolean => character === ' ' || character === '\t';

/** How many units back to the beginning of the word before the cursor. */
export function wordLengthBefore({ before }: EditState): number {
  const at = skipBack(before, before.length, (character) => !isWord(character));
  return before.length - skipBack(before, at, isWord);
}

/** How many units on to the end of the word after the cursor. */
export function wordLengthAfter({ after }: EditState): number {
  const at = skipForward(after, 0, (character) => !isWord(character));
  return skipForward(after, at, isWord);
}

/** The same for what spaces divide, as ^W of a terminal has it. */
export function blankWordLengthBefore({ before }: EditState): number {
  const at = skipBack(before, before.length, isSpace);
  return before.length - skipBack(before, at, (character) => !isSpace(character));
}

function skipBack(text: string, from: number, skipped: (character: string) => boolean): number {
  let at = from;
  while (at > 0) {
    const isPair = at > 1 && text.charCodeAt(at - 1) >= 0xdc00 && text.charCodeAt(at - 1) <= 0xdfff;
    const start = at - (isPair ? 2 : 1);
    if (!skipped(text.slice(start, at))) break;
    at = start;
  }
  return at;
}

function skipForward(text: string, from: number, skipped: (character: string) => boolean): number {
  let at = from;
  while (at < text.length) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (!skipped(character)) break;
    at += character.length;
  }
  return at;
}
