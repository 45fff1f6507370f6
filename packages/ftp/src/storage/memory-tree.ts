// The tree of a file system in memory, and where its paths lead.

import { partsOf, type AbsolutePath } from '../path.ts';

export interface MemoryFile {
  readonly type: 'file';
  bytes: Uint8Array;
  mtimeMs: number;
  mode: number;
}

export interface MemoryDirectory {
  readonly type: 'directory';
  readonly entries: Map<string, MemoryNode>;
  mtimeMs: number;
  mode: number;
  /** It was removed, and what is put into it would be nowhere. */
  isGone?: true;
}

export interface MemoryLink {
  readonly type: 'link';
  /** Relative to the directory that the link is in, or absolute. */
  readonly target: string;
  mtimeMs: number;
  mode: number;
}

export type MemoryNode = MemoryFile | MemoryDirectory | MemoryLink;

/** Where a path leads. */
export interface MemoryPlace {
  /** The directories that it is in, the root first; none for the root itself. */
  readonly directories: readonly MemoryDirectory[];
  readonly name: string;
  readonly node: MemoryNode | undefined;
}

// As Linux has it: more are a circle.
const MAX_LINKS = 40;

/**
 * Follows a path from the root, and the links on its way; one at the last name only if that is asked for. Undefined where
 * a directory on the way is not there.
 */
export function findPlace(root: MemoryDirectory, path: AbsolutePath, followLast: boolean): MemoryPlace | undefined {
  const left = partsOf(path).toReversed();
  const way = [{ name: '', node: root }];
  let links = 0;
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    // These are in the targets of links only. Above the root is the root.
    if (name === '.') continue;
    if (name === '..') {
      if (way.length > 1) way.pop();
      continue;
    }
    const directories = way.map(({ node }) => node);
    const node = directories.at(-1)?.entries.get(name);
    if (node?.type === 'directory') way.push({ name, node });
    else if (node?.type === 'link' && (followLast || left.length > 0)) {
      links += 1;
      if (links > MAX_LINKS) return undefined;
      left.push(...partsOf(node.target).toReversed());
      if (node.target.startsWith('/')) way.splice(1);
    } else return left.length > 0 ? undefined : { directories, name, node };
  }
  const last = way.at(-1) ?? { name: '', node: root };
  return { directories: way.slice(0, -1).map(({ node }) => node), ...last };
}
