// In which directories calls to the system may be made at once: those that lie on the disk of the root, which is local, with
// nothing of another disk mounted in them. What was looked at holds for a minute.

import { promises as fs } from 'node:fs';
import { mountPointsOf, type DiskPace } from '@wellknown/core/files';
import { decodeName } from '../charset.ts';
import { parentOf } from '../path.ts';
import { BY_POOL, DiskCalls, type Descriptor } from './disk-calls.ts';

// To read the table of mounts takes as long as ten other questions.
const TABLE_MS = 60_000;

export class NearDirectories {
  readonly #pace: DiskPace;
  readonly #calls: DiskCalls;
  /** The directories that something is mounted in; undefined where the system does not tell. */
  #holders: Promise<ReadonlySet<string> | undefined> | undefined;
  #readAtMs = 0;

  constructor(pace: DiskPace) {
    this.#pace = pace;
    this.#calls = new DiskCalls(pace);
  }

  /** How to call about what is in this directory; undefined for one that was not looked at. */
  callsIn(directory: string | Buffer): DiskCalls | undefined {
    return typeof directory === 'string' && this.#pace.isNear(directory) ? this.#calls : undefined;
  }

  /** Looks where an open directory is, and says how to call about what is in it. */
  async look(directory: string | Buffer, real: string, opened: Descriptor): Promise<DiskCalls | undefined> {
    if (typeof directory !== 'string' || !this.#pace.isLocal) return undefined;
    const [{ dev }, holders] = await Promise.all([BY_POOL.fstat(opened.number), this.#holdersOfMounts()]);
    if (holders?.has(real) === false) this.#pace.wasSeen(directory, dev);
    return this.callsIn(directory);
  }

  #holdersOfMounts(): Promise<ReadonlySet<string> | undefined> {
    const nowMs = performance.now();
    if (this.#holders === undefined || nowMs - this.#readAtMs >= TABLE_MS) {
      this.#readAtMs = nowMs;
      this.#holders = holdersOfMounts().catch(() => undefined);
    }
    return this.#holders;
  }
}

async function holdersOfMounts(): Promise<ReadonlySet<string>> {
  return new Set(mountPointsOf(decodeName(await fs.readFile('/proc/self/mountinfo'))).map(parentOf));
}
