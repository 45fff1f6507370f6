// Which ports of a range are worth a try, and who waits for one.
//
// A try is a bind. A range that is taken from end to end is not walked for every session that wants a port: what this
// process holds it knows, and that others hold the rest is found out once in a while for all who wait.

import { randomInt } from 'node:crypto';
import type { Clock } from '../time/clock.ts';

/** Both are included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

// Where another process has the ports nothing tells that one is free again.
const FOREIGN_PORT_WAIT_MS = 200;

// A bind in vain costs some 20 µs: these hold up the process for 5 ms, five times in a second. In a larger range that is
// nearly all taken, other ports are tried each time.
const MAX_TRIES = 256;

interface RangeState {
  /** Of this process. */
  readonly held: Set<number>;
  /** Until then it is known that others hold the rest. */
  busyUntilMs: number;
  /** Those who wait, the longest first; each is told of a port, or to look for itself. */
  readonly waiting: Set<(port?: number) => void>;
}

export class SecondaryPorts {
  readonly #clock: Clock;
  readonly #states = new Map<string, RangeState>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * What to try now. Who can wait tries nothing while all are known to be taken. Running to its end means that all were.
   */
  *candidates(address: string, range: PortRange | undefined, canWait: boolean): Generator<number> {
    if (range === undefined) {
      yield* portsToTry(range);
      return;
    }
    const state = this.#stateOf(address, range);
    if (state.held.size > range.to - range.from) return;
    if (canWait && this.#clock.nowMs() < state.busyUntilMs) return;
    let tries = 0;
    for (const port of portsToTry(range)) {
      if (state.held.has(port)) continue;
      if (tries === MAX_TRIES) break;
      tries += 1;
      yield port;
    }
    state.busyUntilMs = this.#clock.nowMs() + FOREIGN_PORT_WAIT_MS;
  }

  took(address: string, range: PortRange | undefined, port: number): void {
    if (range !== undefined) this.#stateOf(address, range).held.add(port);
  }

  /** The port is free again. One is told: each that gets it tells the next when it gives it up. */
  gaveUp(address: string, range: PortRange | undefined, port: number): void {
    if (range === undefined) return;
    const state = this.#stateOf(address, range);
    state.held.delete(port);
    const [next] = state.waiting;
    if (next === undefined) state.busyUntilMs = Number.NEGATIVE_INFINITY;
    else next(port);
  }

  /** Resolves with a port that was given up, or with none when it is time to look again, `maxMs` later at the latest. */
  freed(address: string, range: PortRange, maxMs: number): Promise<number | undefined> {
    const { waiting } = this.#stateOf(address, range);
    return new Promise((resolve) => {
      const done = (port?: number): void => {
        timer.cancel();
        waiting.delete(done);
        resolve(port);
      };
      const timer = this.#clock.after(Math.min(maxMs, FOREIGN_PORT_WAIT_MS), done);
      waiting.add(done);
    });
  }

  #stateOf(address: string, { from, to }: PortRange): RangeState {
    const key = `${address} ${from}-${to}`;
    const state = this.#states.get(key) ?? {
      held: new Set(),
      busyUntilMs: Number.NEGATIVE_INFINITY,
      waiting: new Set(),
    };
    this.#states.set(key, state);
    return state;
  }
}

/**
 * Every port of the range once, in an order that a peer cannot guess (RFC 2577 §8); 0 lets the system choose. As long a
 * range may be, what is not asked for costs nothing.
 */
export function* portsToTry(range: PortRange | undefined): Generator<number> {
  if (range === undefined) {
    yield 0;
    return;
  }
  // A shuffle of which only what has moved is kept.
  const moved = new Map<number, number>();
  for (let left = range.to - range.from + 1; left > 0; left -= 1) {
    const at = randomInt(left);
    const last = moved.get(left - 1) ?? left - 1;
    yield range.from + (moved.get(at) ?? at);
    moved.set(at, last);
  }
}
