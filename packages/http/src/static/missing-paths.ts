// What is not there, told at once where the kernel knows it: floods of wrong paths, and the compressed forms that most files
// don't have, are not to cost the way to a thread each. Nothing is remembered of the paths, only in which directories it is
// safe to ask: those on the root's disk, which is local, with nothing of another disk mounted in them.

import fs from 'node:fs';
import path from 'node:path';
import { MountTable, type DiskPace } from '@wellknown/core/files';

// A directory on another disk is found to be there again and again.
const SURVEY_PAUSE_MS = 100;

export class MissingPaths {
  readonly #root: string;
  readonly #pace: DiskPace;
  readonly #mounts = new MountTable();
  #surveyedAtMs = Number.NEGATIVE_INFINITY;

  constructor(root: string, pace: DiskPace) {
    this.#root = root;
    this.#pace = pace;
  }

  /** True where nothing lies at `segments` for certain. */
  has(segments: readonly string[]): boolean {
    if (!this.#pace.mayBlock()) return false;
    for (let depth = segments.length - 1; depth >= 0; depth -= 1) {
      const directory = path.join(this.#root, ...segments.slice(0, depth));
      if (!this.#pace.isNear(directory)) continue;
      const below = path.join(directory, segments[depth] ?? '');
      try {
        // Not what a link leads to: that may be anywhere.
        return this.#pace.timed(() => fs.lstatSync(below, { throwIfNoEntry: false })) === undefined;
      } catch {
        return false;
      }
    }
    return false;
  }

  /** A thread found nothing at `segments`. Looks whether it is safe to ask at once in that directory from now on. */
  note(segments: readonly string[]): void {
    const nowMs = performance.now();
    if (!this.#pace.isLocal || nowMs - this.#surveyedAtMs < SURVEY_PAUSE_MS) return;
    this.#surveyedAtMs = nowMs;
    void this.#survey(segments);
  }

  async #survey(segments: readonly string[]): Promise<void> {
    for (let depth = segments.length - 1; depth >= 0; depth -= 1) {
      const directory = path.join(this.#root, ...segments.slice(0, depth));
      try {
        const [real, { dev }] = await Promise.all([fs.promises.realpath(directory), fs.promises.stat(directory)]);
        if ((await this.#mounts.holdsMount(real)) === false) this.#pace.wasSeen(directory, dev);
        return;
      } catch {
        // Missing as well: what is above it is asked.
      }
    }
  }
}
