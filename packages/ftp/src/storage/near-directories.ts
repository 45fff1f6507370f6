// In which directories calls to the system may be made at once: those that lie on the disk of the root, which is local, with
// nothing of another disk mounted in them. What was looked at holds for a minute.

import { MountTable, type DiskPace } from '@wellknown/core/files';
import { BY_POOL, DiskCalls, type Descriptor } from './disk-calls.ts';

export class NearDirectories {
  readonly #pace: DiskPace;
  readonly #calls: DiskCalls;
  readonly #mounts = new MountTable();

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
    const [{ dev }, holdsMount] = await Promise.all([BY_POOL.fstat(opened.number), this.#mounts.holdsMount(real)]);
    if (holdsMount === false) this.#pace.wasSeen(directory, dev);
    return this.callsIn(directory);
  }
}
