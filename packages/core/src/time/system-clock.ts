import type { Clock } from './clock.ts';

// 24.8 days. Of anything longer, Infinity among it, Node makes a millisecond.
const MAX_NODE_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock and timers. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, run) {
    let timer: NodeJS.Timeout | undefined;
    const wait = (leftMs: number): void => {
      const isLast = leftMs <= MAX_NODE_TIMER_MS;
      timer = setTimeout(
        () => (isLast ? run() : wait(leftMs - MAX_NODE_TIMER_MS)),
        isLast ? leftMs : MAX_NODE_TIMER_MS,
      ).unref();
    };
    wait(delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  every(intervalMs, run, options) {
    const timer = setInterval(run, Math.min(intervalMs, MAX_NODE_TIMER_MS));
    if (options?.keepAlive !== true) timer.unref();
    return { cancel: () => clearInterval(timer) };
  },
};
