// Completion: what the program offers for a line, and what becomes of the line.

import { replaced, type EditState } from './edit-state.ts';
import { graphemesOf } from './graphemes.ts';

export interface Completions {
  /** What could stand there. Each is the whole word, not only what is missing of it. */
  readonly candidates: readonly string[];
  /** Where in the line the word begins. By default after the last space before the cursor. */
  readonly from?: number;
}

/** Says what could stand before the cursor. `line` is the text up to there. May take its time. */
export type Completer = (line: string) => readonly string[] | Completions | Promise<readonly string[] | Completions>;

export interface CompletionOutcome {
  readonly state: EditState;
  /** To be listed: there are several, and nothing could be added. Empty otherwise. */
  readonly choices: readonly string[];
  /** Nothing was added. */
  readonly bell: boolean;
}

// What is listed is for people to read.
const MAX_CHOICES = 200;
// A line break or an escape sequence in a candidate would act on the screen.
const isUsable = (candidate: string): boolean => candidate !== '' && !/[\u0000-\u001f\u007f-\u009f]/.test(candidate);

/** Puts in what the candidates have in common; one that stands alone is finished by a space. */
export function applyCompletions(state: EditState, offered: readonly string[] | Completions): CompletionOutcome {
  const { candidates, from } = 'candidates' in offered ? offered : { candidates: offered, from: undefined };
  const start = Math.min(Math.max(0, from ?? state.before.lastIndexOf(' ') + 1), state.before.length);
  const head = state.before.slice(0, start);
  const word = state.before.slice(start);
  const usable = [...new Set(candidates.filter(isUsable))];
  const common = commonPrefix(usable);
  const [only] = usable;
  if (only === undefined) return { state, choices: [], bell: true };
  if (usable.length === 1) {
    const space = /[\s/=]$/.test(only) || state.after.startsWith(' ') ? '' : ' ';
    const before = `${head}${only}${space}`;
    return { state: withBefore(state, before), choices: [], bell: before === state.before };
  }
  // A prefix that is shorter than what stands there would take something away.
  if (common.length > word.length) return { state: withBefore(state, head + common), choices: [], bell: false };
  return { state, choices: usable.slice(0, MAX_CHOICES), bell: true };
}

const withBefore = (state: EditState, before: string): EditState => ({
  ...replaced(state, before),
  after: state.after,
});

/** By whole graphemes. */
function commonPrefix(texts: readonly string[]): string {
  const [clusters = [], ...others] = texts.map(graphemesOf);
  const differs = clusters.findIndex((cluster, index) => others.some((other) => other[index] !== cluster));
  return (differs < 0 ? clusters : clusters.slice(0, differs)).join('');
}
