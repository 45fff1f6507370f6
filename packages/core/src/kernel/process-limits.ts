// What the system allows this process, and what it has of it.

import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

let limit: number | undefined;
let isKnown = false;

/** How many files it may have open; undefined where the system does not tell: not Linux, or there is no limit. */
export function openFilesLimit(): number | undefined {
  if (!isKnown) {
    isKnown = true;
    try {
      // Node has raised the soft limit to the hard one by now.
      limit = readOpenFilesLimit(readFileSync('/proc/self/limits', 'latin1'));
    } catch {
      limit = undefined;
    }
  }
  return limit;
}

/** The soft limit in the text of /proc/self/limits; undefined where there is none or the text is another system's. */
export function readOpenFilesLimit(limitsText: string): number | undefined {
  const soft = /^Max open files\s+(\d+)\s/m.exec(limitsText)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** The memory of the machine, or of the container (cgroup) where that has less. */
export const memoryBytes = (): number => Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);

/** What the system counts as memory of this process; 0 where it does not tell: Linux without /proc, as in some jails. */
export function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return 0;
  }
}
