// How the event loop of this process is: how much of its time it is busy, and how late it comes to what is due. What a
// user feels as slowness is the delay; a loop can be half idle and still make every client wait whenever one long task
// runs.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../time/clock.ts';
import { IDLE_EVENT_LOOP, type EventLoopStatus } from './status.ts';

// A native timer looks at the clock so often, without a line of JavaScript: two thousandths of a core. A timer of our
// own would cost three times that. Shorter stalls are not seen, nor is one that begins before the first look of a new
// second.
const RESOLUTION_MS = 20;
/** How often a watch calls, and so how often a worker sends a beat. */
export const SAMPLE_MS = 1_000;
const NANOSECONDS_IN_MS = 1e6;

export interface EventLoopWatch {
  /** How it was in the last whole second. */
  readonly last: EventLoopStatus;
  stop(): void;
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

/** Starts watching. `sampled` is called with each second. Does not keep the process alive. */
export function watchEventLoop(clock: Clock, sampled: (status: EventLoopStatus) => void): EventLoopWatch {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let utilization = performance.eventLoopUtilization();
  let last = IDLE_EVENT_LOOP;
  // It holds the time between two looks, not by how much that was too long.
  const lateMs = (nanoseconds: number): number =>
    delays.count === 0 ? 0 : rounded(Math.max(0, nanoseconds / NANOSECONDS_IN_MS - RESOLUTION_MS));
  const sample = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization: busy } = performance.eventLoopUtilization(now, utilization);
    utilization = now;
    last = { busy: rounded(busy), delayMs: { mean: lateMs(delays.mean), max: lateMs(delays.max) } };
    delays.reset();
    sampled(last);
  };
  // After a stall both timers are due, and this one may be first: the other one looks before the loop gets to an
  // immediate.
  const timer = clock.every(SAMPLE_MS, () => void setImmediate(sample).unref());
  return {
    get last() {
      return last;
    },
    stop() {
      timer.cancel();
      delays.disable();
    },
  };
}
