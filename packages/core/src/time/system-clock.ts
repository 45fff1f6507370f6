import type { Clock } from './clock.ts';

/** The machine's clock and timers. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  every(intervalMs, run, options) {
    const timer = setInterval(run, intervalMs);
    if (options?.keepAlive !== true) timer.unref();
    return { cancel: () => clearInterval(timer) };
  },
};
