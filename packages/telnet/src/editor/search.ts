// ^R: an incremental search backwards through the history.

import type { Key } from '../keys/key.ts';
import { erasedBack, type EditState, type Search } from './edit-state.ts';

export const startSearch = (state: EditState): EditState => ({
  ...state,
  search: { query: '', place: 0, from: { before: state.before, after: state.after } },
});

/** The prompt while a search goes on, in the words of GNU readline. */
export const searchPrompt = ({ query, place }: Search): string =>
  `(${query !== '' && place === 0 ? 'failed ' : ''}reverse-i-search)\`${query}': `;

/**
 * A key in a search. `isDone`: the search is over with the line that it has found, and the key is to be read as any
 * other.
 */
export function searchKey(
  state: EditState,
  search: Search,
  key: Key,
  history: readonly string[],
): { readonly state: EditState; readonly isDone: boolean } {
  const ended = { ...state, search: undefined };
  if (key.text !== undefined)
    return { state: found(state, search, search.query + key.text, 1, history), isDone: false };
  switch (key.name) {
    case 'ctrl-r':
      return { state: found(state, search, search.query, search.place + 1, history), isDone: false };
    case 'backspace': {
      const query = erasedBack({ ...state, before: search.query }).before;
      return { state: found(state, search, query, 1, history), isDone: false };
    }
    case 'ctrl-g':
    case 'escape':
      return { state: { ...ended, ...search.from }, isDone: false };
    case 'ctrl-c':
      return { state: { ...ended, ...search.from }, isDone: true };
    default:
      return { state: ended, isDone: true };
  }
}

// A longer one finds nothing that a shorter would not have shown.
const MAX_QUERY_LENGTH = 128;

/** The newest line at or before `fromPlace` that holds the query. */
function found(
  state: EditState,
  search: Search,
  query: string,
  fromPlace: number,
  history: readonly string[],
): EditState {
  if (query.length > MAX_QUERY_LENGTH) return state;
  if (query === '') return { ...state, ...search.from, search: { ...search, query, place: 0 } };
  for (let place = fromPlace; place <= history.length; place += 1) {
    const line = history[history.length - place] ?? '';
    const at = line.indexOf(query);
    if (at >= 0)
      return {
        ...state,
        before: line.slice(0, at),
        after: line.slice(at),
        historyPlace: place,
        draft: search.from.before + search.from.after,
        search: { ...search, query, place },
      };
  }
  // What is shown stays; the prompt says that no more was found.
  return { ...state, search: { ...search, query, place: 0 } };
}
