// Lines that wait for a reader who is slow.

// Up to so many bytes (PIPE_BUF of pipe(7)) a pipe takes a write whole, or not at all, also with several processes on it.
export const MAX_WRITE_BYTES = 4_096;
// 50,000 lines of an access log, more than a burst; and what a reader that has gone for good may cost.
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** A bounded queue of lines, taken out as many at once as a pipe takes whole. */
export class WaitingLines {
  #lines: string[] = [];
  #first = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** False where there is no room. */
  add(line: string): boolean {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > MAX_WAITING_BYTES) return false;
    this.#lines.push(line);
    this.#bytes += bytes;
    return true;
  }

  /** Undefined when it is empty. */
  take(): string | undefined {
    let taken: string | undefined;
    let takenBytes = 0;
    for (let line = this.#lines[this.#first]; line !== undefined; line = this.#lines[this.#first]) {
      const bytes = Buffer.byteLength(line);
      if (taken !== undefined && takenBytes + bytes > MAX_WRITE_BYTES) break;
      taken = (taken ?? '') + line;
      takenBytes += bytes;
      this.#first += 1;
    }
    this.#bytes -= takenBytes;
    // What was taken goes as soon as it is half of the array: with a reader that is always a little behind, the queue is
    // never empty, and would keep every line that has ever waited.
    if (this.#first * 2 >= this.#lines.length) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
    return taken;
  }
}
