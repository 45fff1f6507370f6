import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWheelEntry, TimerWheel } from '../../src/time/timer-wheel.ts';
import { createFakeClock } from '../../src/testing/index.ts';

describe('the timer wheel', () => {
  test('an entry fires never early and at most two ticks late, whatever the delays', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 99 }),
        (delays, phaseMs) => {
          const clock = createFakeClock();
          clock.advance(phaseMs);
          const wheel = new TimerWheel(clock);
          clock.advance(phaseMs);
          const firedAt = new Map<number, number>();
          const startMs = clock.nowMs();
          for (const [index, delay] of delays.entries())
            wheel.schedule(
              createWheelEntry(() => firedAt.set(index, clock.nowMs() - startMs)),
              delay,
            );
          clock.advance(201_000);
          for (const [index, delay] of delays.entries()) {
            expect(firedAt.get(index)).toBeGreaterThanOrEqual(delay);
            expect(firedAt.get(index)).toBeLessThanOrEqual(delay + 200);
          }
          expect(wheel.size).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('a cancelled entry does not fire, and an empty wheel lets its timer go', () => {
    const clock = createFakeClock();
    const wheel = new TimerWheel(clock);
    let fired = 0;
    const entry = createWheelEntry(() => (fired += 1));
    wheel.schedule(entry, 500);
    wheel.cancel(entry);
    wheel.cancel(entry);
    clock.advance(10_000);
    expect([fired, wheel.size]).toEqual([0, 0]);
  });

  test('scheduling again moves the entry, in both directions', () => {
    const clock = createFakeClock();
    const wheel = new TimerWheel(clock);
    const fired: number[] = [];
    const entry = createWheelEntry(() => fired.push(clock.nowMs()));
    wheel.schedule(entry, 10_000);
    wheel.schedule(entry, 1_000);
    clock.advance(2_000);
    wheel.schedule(entry, 1_000);
    wheel.schedule(entry, 10_000);
    clock.advance(5_000);
    expect(fired).toHaveLength(1);
    clock.advance(6_000);
    expect(fired).toHaveLength(2);
  });

  test('an entry may schedule itself and cancel another that is due in the same tick', () => {
    const clock = createFakeClock();
    const wheel = new TimerWheel(clock);
    const fired: string[] = [];
    const second = createWheelEntry(() => fired.push('second'));
    const first = createWheelEntry(() => {
      fired.push('first');
      wheel.cancel(second);
      wheel.schedule(first, 100);
    });
    wheel.schedule(first, 100);
    wheel.schedule(second, 100);
    clock.advance(450);
    expect(fired).toEqual(['first', 'first']);
  });

  test('after a stall longer than a whole round every entry that is due fires once', () => {
    let nowMs = 0;
    let run: () => void = () => undefined;
    const wheel = new TimerWheel({
      nowMs: () => nowMs,
      wallMs: () => 0,
      after: () => ({ cancel: () => undefined }),
      every: (_ms, tick) => ((run = tick), { cancel: () => undefined }),
    });
    let fired = 0;
    for (let delay = 0; delay < 60_000; delay += 500)
      wheel.schedule(
        createWheelEntry(() => (fired += 1)),
        delay,
      );
    nowMs = 3_600_000;
    run();
    expect([fired, wheel.size]).toEqual([120, 0]);
  });

  test('after stalls of any length an entry fires never before its delay has passed since it was scheduled', () => {
    const step = fc.record({
      delayMs: fc.integer({ min: 0, max: 120_000 }),
      // The clock goes on and no timer runs.
      stallMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200_000 })),
      thenMs: fc.integer({ min: 0, max: 1_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        const clock = createFakeClock();
        let stalledMs = 0;
        const nowMs = (): number => clock.nowMs() + stalledMs;
        const wheel = new TimerWheel({ ...clock, nowMs });
        const early: number[] = [];
        for (const { delayMs, stallMs, thenMs } of steps) {
          stalledMs += stallMs;
          const beganAtMs = nowMs();
          expect(beganAtMs - wheel.nowMs).toBeLessThan(100);
          const fire = (): void => {
            if (nowMs() - beganAtMs < delayMs) early.push(delayMs);
          };
          wheel.schedule(createWheelEntry(fire), delayMs);
          clock.advance(thenMs);
        }
        clock.advance(121_000);
        expect([early, wheel.size]).toEqual([[], 0]);
      }),
    );
  });
});
