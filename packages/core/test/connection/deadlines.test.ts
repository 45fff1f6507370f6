// When a deadline is told of, without a connection. What a connection does then is in connection.test.ts and
// connection-opening.test.ts.

import { expect, test } from 'vitest';
import { ConnectionDeadlines, type DeadlineOwner, type PassedDeadline } from '../../src/connection/deadlines.ts';
import { DEFAULT_CONNECTION_LIMITS, type ConnectionLimits } from '../../src/connection/limits.ts';
import { createFakeClock, type FakeClock } from '../../src/testing/index.ts';
import { TimerWheel } from '../../src/time/timer-wheel.ts';

const TICK_MS = 100;

class Owner implements DeadlineOwner {
  receivedBytes = 0;
  sentBytes = 0;
  unsentBytes = 0;
  readonly told: PassedDeadline[] = [];
  passed = (what: PassedDeadline): void => void this.told.push(what);
}

function start(limits: Partial<ConnectionLimits> = {}): {
  owner: Owner;
  clock: FakeClock;
  wheel: TimerWheel;
  deadlines: ConnectionDeadlines;
} {
  const clock = createFakeClock();
  const wheel = new TimerWheel(clock, TICK_MS);
  const owner = new Owner();
  return {
    owner,
    clock,
    wheel,
    deadlines: new ConnectionDeadlines(owner, wheel, { ...DEFAULT_CONNECTION_LIMITS, ...limits }),
  };
}

test('a lifetime that ends while an upgrade is under way is told of after it', () => {
  const { owner, clock, deadlines } = start({ lifetimeMs: 10_000, idleTimeoutMs: 0 });
  deadlines.startOpen(true);
  clock.advance(9_000);
  deadlines.startOpening(60_000);
  clock.advance(5_000);
  expect(owner.told).toEqual([]);
  deadlines.startOpen(false);
  clock.advance(3 * TICK_MS);
  expect(owner.told).toEqual(['lifetime']);
});

test('each deadline is told of at its time, not before, and the earliest first', () => {
  const { owner, clock, deadlines } = start({ idleTimeoutMs: 5_000, lifetimeMs: 8_000 });
  deadlines.startOpen(true);
  deadlines.setProtocol(2_000);
  clock.advance(2_000 - 1);
  expect(owner.told).toEqual([]);
  clock.advance(3 * TICK_MS);
  expect(owner.told).toEqual(['protocol']);
  deadlines.active();
  clock.advance(4_700);
  expect(owner.told).toEqual(['protocol']);
  clock.advance(600);
  expect(owner.told).toEqual(['protocol', 'idle-timeout']);
});

test('activity moves the idle deadline and touches no timer', () => {
  const { owner, clock, wheel, deadlines } = start({ idleTimeoutMs: 1_000 });
  deadlines.startOpen(true);
  for (let round = 0; round < 20; round += 1) {
    clock.advance(900);
    deadlines.active();
    expect(wheel.size).toBe(1);
  }
  expect(owner.told).toEqual([]);
  clock.advance(1_300);
  expect(owner.told).toEqual(['idle-timeout']);
});

test("a peer's time to close begins when it has the last word, and until then the write limit holds", () => {
  const { owner, clock, deadlines } = start({ lingerTimeoutMs: 2_000, writeTimeoutMs: 30_000, idleTimeoutMs: 0 });
  owner.unsentBytes = 1_000_000;
  deadlines.noteStall();
  deadlines.startLinger();
  for (let second = 0; second < 20; second += 1) {
    owner.sentBytes += 10_000;
    clock.advance(1_000);
  }
  expect(owner.told).toEqual([]);
  owner.unsentBytes = 0;
  deadlines.endStall();
  clock.advance(4_500);
  expect(owner.told).toEqual(['linger-timeout']);
});

test('after the end nothing is told, and the wheel is empty', () => {
  const { owner, clock, wheel, deadlines } = start({ idleTimeoutMs: 1_000 });
  deadlines.startOpen(true);
  deadlines.cancel();
  deadlines.setProtocol(500);
  expect(wheel.size).toBe(0);
  clock.advance(60_000);
  expect(owner.told).toEqual([]);
});

test('while nothing is read the peer is asked for every two seconds', () => {
  const { owner, clock, deadlines } = start({ idleTimeoutMs: 0 });
  deadlines.startOpen(true);
  deadlines.notePause();
  clock.advance(1_900);
  expect(owner.told).toEqual([]);
  clock.advance(4_500);
  expect(owner.told).toEqual(['pause', 'pause', 'pause']);
  deadlines.endPause();
  clock.advance(10_000);
  expect(owner.told).toHaveLength(3);
});
