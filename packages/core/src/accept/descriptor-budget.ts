// How many file descriptors are left. libuv meets the kernel's limit by accepting what waits and closing it without a
// word to its peer, so connections must be refused before it, with the protocol's own words.
//
// No counting: the kernel gives the lowest free number (POSIX open, accept), so a new descriptor n says that all below
// n are in use.

import { openFilesLimit } from '../kernel/process-limits.ts';

export interface DescriptorBudget {
  readonly limit: number;
  /**
   * What a connection with this descriptor may expect. `refuse`: say why, close lingeringly. `drop`: not even that is
   * left.
   */
  verdict(descriptor: number): 'serve' | 'refuse' | 'drop';
}

// As nginx, which stops accepting at an eighth: files, logs and data channels of those already served need some too.
const RESERVED_SHARE = 8;
// Below this not even a log file and a name lookup are safe.
const MIN_RESERVED = 16;

/** A budget for a process that may open `limit` descriptors. */
export function createDescriptorBudget(limit: number): DescriptorBudget {
  const reserved = Math.max(MIN_RESERVED, Math.floor(limit / RESERVED_SHARE));
  // Those that are turned away linger for a while; half of the reserve is theirs.
  const refuseFrom = limit - reserved;
  const dropFrom = limit - Math.ceil(reserved / 2);
  return {
    limit,
    verdict: (descriptor) => (descriptor < refuseFrom ? 'serve' : descriptor < dropFrom ? 'refuse' : 'drop'),
  };
}

/** The budget of this process; undefined where the system tells no limit. */
export function systemDescriptorBudget(): DescriptorBudget | undefined {
  const limit = openFilesLimit();
  return limit === undefined ? undefined : createDescriptorBudget(limit);
}
