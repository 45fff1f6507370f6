// Round trips, counted in steps of less than one percent: any number of them in a few kilobytes. The least and the
// greatest are exact.

// 128 steps for each doubling.
const STEPS = 128;
const STEP_BITS = 7;
// 2^27 µs, more than two minutes: beyond any timeout of a probe.
const MAX_MICROSECONDS = 2 ** 27 - 1;

/** All in milliseconds. */
export interface RttSummary {
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Below 128 each value has a step of its own; above, the first eight bits choose it. */
function stepOf(microseconds: number): number {
  const excess = Math.max(0, 31 - STEP_BITS - Math.clz32(microseconds));
  return excess * STEPS + (microseconds >> excess);
}

/** The middle of a step. */
function middleOf(step: number): number {
  const excess = Math.max(0, Math.floor(step / STEPS) - 1);
  const low = (step - excess * STEPS) * 2 ** excess;
  return excess === 0 ? low : low + 2 ** (excess - 1);
}

export class RttHistogram {
  readonly #counts = new Uint32Array(stepOf(MAX_MICROSECONDS) + 1);
  #count = 0;
  #sumMs = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  add(milliseconds: number): void {
    const step = stepOf(Math.min(MAX_MICROSECONDS, Math.max(0, Math.round(milliseconds * 1000))));
    this.#counts[step] = (this.#counts[step] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += milliseconds;
    this.#minMs = Math.min(this.#minMs, milliseconds);
    this.#maxMs = Math.max(this.#maxMs, milliseconds);
  }

  /** Undefined before the first. */
  summary(): RttSummary | undefined {
    if (this.#count === 0) return undefined;
    return {
      min: this.#minMs,
      mean: this.#sumMs / this.#count,
      p50: this.#percentile(50),
      p99: this.#percentile(99),
      max: this.#maxMs,
    };
  }

  /** By the nearest rank; never outside of what was measured. */
  #percentile(percent: number): number {
    let left = Math.ceil((this.#count * percent) / 100);
    const step = this.#counts.findIndex((count) => (left -= count) <= 0);
    return Math.min(this.#maxMs, Math.max(this.#minMs, middleOf(step) / 1000));
  }
}
