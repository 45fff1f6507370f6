// Whether an open file still holds what was announced, from two looks at it: one before its head was sent, one before
// its last bytes are.
//
// No look tells an append from a rewriting that ends up longer: both are a new size and a new time. So growth is a
// change, unless the server's options say that the file is only ever appended to.

/** What the kernel says of an open file. Its times, as floats, are finer than any clock that sets them. */
export interface FileState {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly nlink: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** `append`: the first bytes are those that they were. */
export type Growth = 'change' | 'append';

/**
 * What happened to the content, as a log tells it; undefined where it is what it was. A file without a name any more is
 * the same file: it was removed, or another took its place. `isStillThere` is asked, seldom, whether the name still
 * leads to it.
 */
export function changeOf(
  before: FileState,
  now: FileState,
  growth: Growth,
  isStillThere: () => boolean,
): string | undefined {
  if (now.size < before.size) return `it was cut from ${before.size} to ${now.size} bytes`;
  if (now.size > before.size)
    return growth === 'append' ? undefined : `it grew from ${before.size} to ${now.size} bytes`;
  if (now.mtimeMs !== before.mtimeMs) return 'it was written to';
  // The change time tells of writes that set the modification time back, but also of links, owners and renames, which
  // leave the content alone.
  const isExplained =
    now.ctimeMs === before.ctimeMs ||
    now.nlink !== before.nlink ||
    now.mode !== before.mode ||
    now.uid !== before.uid ||
    now.gid !== before.gid;
  return isExplained || !isStillThere() ? undefined : 'it was written to, and its modification time set back';
}
