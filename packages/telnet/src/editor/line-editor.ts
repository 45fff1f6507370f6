// A key and a line in, the next line and what it asks for out. No screen, no time, no promises: those are its carrier's.

import type { Key } from '../keys/key.ts';
import {
  blankWordLengthBefore,
  EMPTY_LINE,
  erasedBack,
  erasedForward,
  inserted,
  killedBack,
  killedForward,
  movedLeft,
  movedRight,
  replaced,
  textOf,
  transposed,
  wordLengthAfter,
  wordLengthBefore,
  type EditState,
} from './edit-state.ts';
import { searchKey, startSearch } from './search.ts';

/** What a key asks of the carrier, beside showing the line. */
export type EditEffect =
  | { readonly type: 'line'; readonly text: string }
  /** The line was entered, and is not what was typed: it did not fit. It is thrown away. */
  | { readonly type: 'overlong-line' }
  /** ^C: the line is thrown away. */
  | { readonly type: 'interrupt' }
  /** ^D on an empty line. */
  | { readonly type: 'end-of-input' }
  /** Tab. `again` when the key before it was one too. */
  | { readonly type: 'complete'; readonly again: boolean }
  | { readonly type: 'clear-screen' }
  | { readonly type: 'bell' };

export interface EditStep {
  readonly state: EditState;
  readonly effect?: EditEffect;
}

export interface EditContext {
  /** The lines of the history, the oldest first. */
  readonly history: readonly string[];
  /** The longest line, in bytes of UTF-8. */
  readonly maxLineBytes: number;
  /** Nothing of this line may be kept or found: no history, no kill, no completion. */
  readonly isSecret: boolean;
}

type Action = (state: EditState, context: EditContext) => EditStep;

const edit =
  (change: (state: EditState) => EditState): Action =>
  (state) => {
    const next = change(state);
    return textAndCursorAlike(next, state) ? { state, effect: { type: 'bell' } } : { state: next };
  };
/** The same, silent where nothing is to be done. */
const move =
  (change: (state: EditState) => EditState): Action =>
  (state) => ({ state: change(state) });

const textAndCursorAlike = (a: EditState, b: EditState): boolean => a.before === b.before && a.after === b.after;

const enter: Action = (state) => ({
  state: EMPTY_LINE,
  effect: state.overflowed ? { type: 'overlong-line' } : { type: 'line', text: textOf(state) },
});

/** Control characters but tab: a line has none, also when it was pasted. */
const UNPRINTABLE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

const insert =
  (text: string): Action =>
  (state, { maxLineBytes }) => {
    const next = inserted(state, text.replace(UNPRINTABLE, ''), maxLineBytes);
    return next === undefined ? { state: { ...state, overflowed: true }, effect: { type: 'bell' } } : { state: next };
  };

const deleteOrEnd: Action = (state, context) =>
  textOf(state) === '' && !state.overflowed
    ? { state, effect: { type: 'end-of-input' } }
    : edit(erasedForward)(state, context);

const yank: Action = (state, context) => insert(state.killed)(state, context);

const throughHistory =
  (step: 1 | -1): Action =>
  (state, { history, isSecret }) => {
    const place = state.historyPlace + step;
    if (isSecret || place < 0 || place > history.length) return { state, effect: { type: 'bell' } };
    const draft = state.historyPlace === 0 ? textOf(state) : state.draft;
    const text = place === 0 ? draft : (history[history.length - place] ?? '');
    return { state: { ...replaced(state, text), historyPlace: place, draft, overflowed: false } };
  };

const complete: Action = (state, { isSecret }) =>
  isSecret
    ? { state, effect: { type: 'bell' } }
    : { state: { ...state, last: 'complete' }, effect: { type: 'complete', again: state.last === 'complete' } };

const interrupt: Action = () => ({ state: EMPTY_LINE, effect: { type: 'interrupt' } });

const toStart = move((state) => movedLeft(state, state.before.length));
const toEnd = move((state) => movedRight(state, state.after.length));
const wordLeft = move((state) => movedLeft(state, wordLengthBefore(state)));
const wordRight = move((state) => movedRight(state, wordLengthAfter(state)));
const killWordBack = edit((state) => killedBack(state, wordLengthBefore(state)));

/** What a key does, as in Emacs mode of GNU readline. A key that is not here and types nothing does nothing. */
const ACTIONS: Readonly<Record<string, Action>> = {
  enter,
  'ctrl-c': interrupt,
  'ctrl-\\': interrupt,
  'ctrl-d': deleteOrEnd,
  tab: complete,
  backspace: edit(erasedBack),
  delete: edit(erasedForward),
  left: move((state) => movedLeft(state)),
  right: move((state) => movedRight(state)),
  'ctrl-b': move((state) => movedLeft(state)),
  'ctrl-f': move((state) => movedRight(state)),
  home: toStart,
  end: toEnd,
  'ctrl-a': toStart,
  'ctrl-e': toEnd,
  'ctrl-left': wordLeft,
  'ctrl-right': wordRight,
  'alt-left': wordLeft,
  'alt-right': wordRight,
  'alt-b': wordLeft,
  'alt-f': wordRight,
  up: throughHistory(1),
  down: throughHistory(-1),
  'ctrl-p': throughHistory(1),
  'ctrl-n': throughHistory(-1),
  'ctrl-k': edit((state) => killedForward(state, state.after.length)),
  'ctrl-u': edit((state) => killedBack(state, state.before.length)),
  'ctrl-w': edit((state) => killedBack(state, blankWordLengthBefore(state))),
  'alt-backspace': killWordBack,
  'ctrl-backspace': killWordBack,
  'alt-d': edit((state) => killedForward(state, wordLengthAfter(state))),
  'ctrl-delete': edit((state) => killedForward(state, wordLengthAfter(state))),
  'ctrl-y': yank,
  'ctrl-t': edit(transposed),
  'ctrl-l': (state) => ({ state, effect: { type: 'clear-screen' } }),
  'ctrl-r': (state, { isSecret }) => (isSecret ? { state, effect: { type: 'bell' } } : { state: startSearch(state) }),
};

/** A plain lookup would also find `constructor`. */
const actionOf = ({ name, text }: Key): Action | undefined => {
  if (text !== undefined) return insert(text);
  return Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
};

/** What `key` makes of the line. */
export function stepLine(state: EditState, key: Key, context: EditContext): EditStep {
  if (state.search !== undefined) {
    const { state: next, isDone } = searchKey(state, state.search, key, context.history);
    if (!isDone) return { state: next };
    return stepLine(next, key, context);
  }
  const action = actionOf(key);
  if (action === undefined) return { state };
  const { state: next, effect } = action(state, context);
  const after = {
    ...next,
    last: isChaining(key.name) ? next.last : 'other',
    killed: context.isSecret ? '' : next.killed,
  } as const;
  return effect === undefined ? { state: after } : { state: after, effect };
}

/** Keys that ask what the one before them did. */
const isChaining = (name: string): boolean =>
  ['tab', 'ctrl-k', 'ctrl-u', 'ctrl-w', 'alt-d', 'alt-backspace', 'ctrl-backspace', 'ctrl-delete'].includes(name);
