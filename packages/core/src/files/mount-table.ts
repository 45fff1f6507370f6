// The table of mounts, as Linux shows it to a process: what hangs in the tree may be another machine's.

import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import { mountPointsOf } from './mount-points.ts';

// To read the table takes as long as ten other questions.
const TABLE_MS = 60_000;

/** The directories that something is mounted in. What was read holds for a minute. */
export class MountTable {
  #holders: Promise<ReadonlySet<string> | undefined> | undefined;
  #readAtMs = 0;

  /** Whether something is mounted right below a directory, given by its real path; undefined where the system does not tell. */
  async holdsMount(directory: string): Promise<boolean | undefined> {
    const nowMs = performance.now();
    if (this.#holders === undefined || nowMs - this.#readAtMs >= TABLE_MS) {
      this.#readAtMs = nowMs;
      this.#holders = readHolders().catch(() => undefined);
    }
    return (await this.#holders)?.has(directory);
  }
}

const readHolders = async (): Promise<ReadonlySet<string>> =>
  new Set(mountPointsOf((await fs.readFile('/proc/self/mountinfo')).toString()).map((point) => dirname(point)));
