// How many requests of a process may keep more content than their readers asked for, to hear the end of a client behind
// it.

// Each keeps 1 MiB at most: 64 MiB in all.
export const MAX_LOOK_AHEADS = 64;

export class LookAheads {
  #running = 0;

  /** The function to call once at its end; undefined where there are too many. */
  begin(): (() => void) | undefined {
    if (this.#running >= MAX_LOOK_AHEADS) return undefined;
    this.#running += 1;
    return () => (this.#running -= 1);
  }
}
