// Lines that were entered before. One history may serve many sessions of the same user.

export interface History {
  /** The lines, the oldest first. */
  readonly lines: readonly string[];
  /** Adds a line. Empty lines, and a line like the one before it, are left out. */
  add(line: string): void;
}

/** What bash keeps by default is 500; a line of this package is at most some kilobytes. */
export const DEFAULT_MAX_HISTORY_LINES = 500;
// In UTF-16 units: beyond, the oldest lines go, however few they are. A search looks at all of it for each key.
const MAX_HISTORY_LENGTH = 64 * 1024;

/** A history in memory. Of `lines`, the oldest first, as many are kept as there is room for. */
export function createHistory(
  lines: readonly string[] = [],
  { maxLines = DEFAULT_MAX_HISTORY_LINES }: { readonly maxLines?: number } = {},
): History {
  const kept: string[] = [];
  let length = 0;
  const add = (line: string): void => {
    if (line.trim() === '' || line === kept.at(-1)) return;
    kept.push(line);
    length += line.length;
    while (kept.length > maxLines || length > MAX_HISTORY_LENGTH) length -= kept.shift()?.length ?? 0;
  };
  for (const line of lines) add(line);
  return { lines: kept, add };
}
