import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/time/system-clock.ts';

// As Node's own, these timers make a millisecond of a delay that is too long.
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DAY_MS = 24 * 60 * 60 * 1000;

test.each([2 ** 31 - 1, 2 ** 31, 100 * DAY_MS])('a timer of %i ms fires then, and not before', (delayMs) => {
  const run = vi.fn();
  systemClock.after(delayMs, run);
  vi.advanceTimersByTime(delayMs - 1);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(run).toHaveBeenCalledOnce();
});

test('a timer of Infinity never fires, and one that is cancelled late neither', () => {
  const run = vi.fn();
  systemClock.after(Number.POSITIVE_INFINITY, run);
  const timer = systemClock.after(100 * DAY_MS, run);
  vi.advanceTimersByTime(60 * DAY_MS);
  timer.cancel();
  vi.advanceTimersByTime(300 * DAY_MS);
  expect(run).not.toHaveBeenCalled();
});

test('what is done every so often is done at the longest every 24 days', () => {
  const run = vi.fn();
  systemClock.every(365 * DAY_MS, run).cancel();
  const timer = systemClock.every(365 * DAY_MS, run);
  vi.advanceTimersByTime(25 * DAY_MS);
  expect(run).toHaveBeenCalledOnce();
  timer.cancel();
});
