// What became of each probe. Pure: sequence numbers and times in, counts out.
//
// A probe that is not answered within the timeout is lost, and stays lost when its answer comes later (RFC 7680 §2.5).
// An answer is reordered when one to a later probe came before it (RFC 4737 §3.3). At any time sent = received + lost +
// waiting.

import { RttHistogram, type RttSummary } from './rtt-histogram.ts';

/**
 * How many of the last probes are remembered: more than can be waiting, at the shortest interval and the longest
 * timeout.
 */
export const PROBE_WINDOW = 65_536;

export interface ProbeCounts {
  readonly sent: number;
  /** Answered in time. */
  readonly received: number;
  readonly lost: number;
  readonly waiting: number;
  /** Answers after the first one to the same probe. */
  readonly duplicates: number;
  readonly reordered: number;
  /** Answers to probes that were lost already. */
  readonly late: number;
  readonly roundTripMs: RttSummary | undefined;
}

const WAITING = 1;
const ANSWERED = 2;
const LOST = 3;

export class ProbeCounters {
  readonly #timeoutMs: number;
  readonly #sentAtMs = new Float64Array(PROBE_WINDOW);
  readonly #fates = new Uint8Array(PROBE_WINDOW);
  readonly #roundTrips = new RttHistogram();
  #next = 0;
  /** All before it are answered or lost. */
  #oldest = 0;
  #highestAnswered = -1;
  #received = 0;
  #lost = 0;
  #duplicates = 0;
  #reordered = 0;
  #late = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** The sequence number of the probe that is sent now. */
  send(nowMs: number): number {
    this.expire(nowMs);
    const sequence = this.#next;
    const place = sequence % PROBE_WINDOW;
    // Only where more probes are waiting than the window holds: its oldest is given up.
    if (sequence - this.#oldest >= PROBE_WINDOW) this.#giveUpOldest();
    this.#sentAtMs[place] = nowMs;
    this.#fates[place] = WAITING;
    this.#next += 1;
    return sequence;
  }

  /**
   * An answer. `inside` is the part of its round trip that the other end says it has spent on it. False for one to no
   * probe of ours.
   */
  receive(sequence: number, nowMs: number, insideMs = 0): boolean {
    this.expire(nowMs);
    if (sequence >= this.#next || sequence < this.#next - PROBE_WINDOW) return false;
    const place = sequence % PROBE_WINDOW;
    switch (this.#fates[place]) {
      case WAITING:
        this.#fates[place] = ANSWERED;
        this.#received += 1;
        this.#roundTrips.add(nowMs - (this.#sentAtMs[place] ?? nowMs) - insideMs);
        if (sequence < this.#highestAnswered) this.#reordered += 1;
        else this.#highestAnswered = sequence;
        return true;
      case LOST:
        this.#fates[place] = ANSWERED;
        this.#late += 1;
        return true;
      default:
        this.#duplicates += 1;
        return true;
    }
  }

  /** Gives up what has waited for longer than the timeout. */
  expire(nowMs: number): void {
    while (this.#oldest < this.#next) {
      const place = this.#oldest % PROBE_WINDOW;
      if (this.#fates[place] === WAITING && nowMs - (this.#sentAtMs[place] ?? 0) < this.#timeoutMs) return;
      this.#giveUpOldest();
    }
  }

  get waiting(): number {
    return this.#next - this.#received - this.#lost;
  }

  counts(): ProbeCounts {
    return {
      sent: this.#next,
      received: this.#received,
      lost: this.#lost,
      waiting: this.waiting,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
      late: this.#late,
      roundTripMs: this.#roundTrips.summary(),
    };
  }

  #giveUpOldest(): void {
    const place = this.#oldest % PROBE_WINDOW;
    if (this.#fates[place] === WAITING) {
      this.#fates[place] = LOST;
      this.#lost += 1;
    }
    this.#oldest += 1;
  }
}
