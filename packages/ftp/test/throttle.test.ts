import { createFakeClock } from '@wellknown/core/testing';
import { expect, test, vi } from 'vitest';
import { Pace, Throttle } from '../src/throttle.ts';
import { turn } from './memory-session.ts';

const never = new AbortController().signal;

test('what has moved is paid for before the next may move', () => {
  const clock = createFakeClock();
  const throttle = new Throttle(() => 1000, clock);
  expect(throttle.moved(500)).toBe(500);
  expect(throttle.moved(500)).toBe(1000);
  clock.advance(1000);
  expect(throttle.moved(100)).toBe(100);
});

test('a pause gives no credit', () => {
  const clock = createFakeClock();
  const throttle = new Throttle(() => 1000, clock);
  throttle.moved(100);
  clock.advance(60_000);
  expect(throttle.moved(1000)).toBe(1000);
});

test('of several throttles the slowest decides, and a shared one is divided', async () => {
  const clock = createFakeClock();
  const shared = new Throttle(() => 1000, clock);
  const one = new Pace([shared, new Throttle(() => 1_000_000, clock)], clock);
  const other = new Pace([shared], clock);
  const done: string[] = [];
  void one.moved(1000, never).then(() => done.push('one'));
  void other.moved(1000, never).then(() => done.push('other'));
  clock.advance(1000);
  await turn();
  expect(done).toEqual(['one']);
  clock.advance(1000);
  await turn();
  expect(done).toEqual(['one', 'other']);
});

test('waiting ends at once when the transfer is given up', async () => {
  const clock = createFakeClock();
  const stop = new AbortController();
  const waiting = new Pace([new Throttle(() => 1, clock)], clock).moved(1000, stop.signal);
  stop.abort();
  await waiting;
  expect(clock.nowMs()).toBe(createFakeClock().nowMs());
});

test('what costs less than a millisecond, and what was given up, is not waited for', async () => {
  const clock = createFakeClock();
  const after = vi.spyOn(clock, 'after');
  const free = new Pace([], clock);
  expect([free.isFree, new Pace([new Throttle(() => 1, clock)], clock).isFree]).toEqual([true, false]);
  await free.moved(1_000_000, never);
  const pace = new Pace([new Throttle(() => 1000, clock)], clock);
  await pace.moved(0.5, never);
  await pace.moved(1000, AbortSignal.abort());
  expect(after).not.toHaveBeenCalled();
  void new Pace([new Throttle(() => 1000, clock)], clock).moved(1, never);
  expect(after).toHaveBeenCalledTimes(1);
});

test('a slow rate moves in small portions, and no rate in portions of any size', () => {
  const clock = createFakeClock();
  expect(new Pace([], clock).portionBytes).toBe(Number.POSITIVE_INFINITY);
  expect(new Pace([new Throttle(() => 80_000, clock)], clock).portionBytes).toBe(10_000);
  expect(new Pace([new Throttle(() => 1, clock)], clock).portionBytes).toBe(1024);
});
