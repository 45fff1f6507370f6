import { createFakeClock } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { portsToTry, SecondaryPorts } from '../../src/accept/secondary-ports.ts';

const HOST = '127.0.0.1';
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the ports of a range are tried in an order that differs from time to time', () => {
  const range = { from: 10, to: 40 };
  const orders = Array.from({ length: 5 }, () => [...portsToTry(range)].join());
  expect(new Set(orders).size).toBe(5);
  expect([...portsToTry(range)].sort((a, b) => a - b)).toEqual(Array.from({ length: 31 }, (_, index) => 10 + index));
  expect([...portsToTry(undefined)]).toEqual([0]);
});

test('the ports of any range come once each, and as few as are asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_000 }), fc.nat(300), fc.nat(400), (from, more, asked) => {
      const range = { from, to: from + more };
      const ports = [...portsToTry(range)];
      expect(ports.length).toBe(more + 1);
      expect(new Set(ports).size).toBe(more + 1);
      expect(ports.every((port) => port >= range.from && port <= range.to)).toBe(true);
      let seen = 0;
      for (const port of portsToTry({ from: 1, to: 65_535 })) {
        seen += Number(port > 0);
        if (seen > asked) break;
      }
      expect(seen).toBe(asked + 1);
    }),
  );
});

describe('a range whose ports are all taken', () => {
  const RANGE = { from: 50_000, to: 50_009 };

  test('by others is looked through once for all who want one, and again a moment later', () => {
    const clock = createFakeClock();
    const ports = new SecondaryPorts(clock);
    const tries = (): number => [...ports.candidates(HOST, RANGE, true)].length;
    expect([tries(), tries(), tries()]).toEqual([10, 0, 0]);
    // Who has no time to wait looks for itself.
    expect([...ports.candidates(HOST, RANGE, false)].length).toBe(10);
    clock.advance(199);
    expect(tries()).toBe(0);
    clock.advance(1);
    expect([tries(), tries()]).toEqual([10, 0]);
  });

  test('is tried at no port that is known to be held here', () => {
    const clock = createFakeClock();
    const ports = new SecondaryPorts(clock);
    for (let port = 50_000; port < 50_009; port += 1) ports.took(HOST, RANGE, port);
    expect([...ports.candidates(HOST, RANGE, true)]).toEqual([50_009]);
    clock.advance(200);
    ports.took(HOST, RANGE, 50_009);
    expect([...ports.candidates(HOST, RANGE, true)]).toEqual([]);
    // Nobody was found to hold a port besides, so nothing has to be waited for.
    ports.gaveUp(HOST, RANGE, 50_004);
    expect([...ports.candidates(HOST, RANGE, true)]).toEqual([50_004]);
    expect([...ports.candidates('::1', RANGE, true)].length).toBe(10);
  });

  test('is not, once one is given up here that nobody waits for', () => {
    const ports = new SecondaryPorts(createFakeClock());
    ports.took(HOST, RANGE, 50_004);
    expect([...ports.candidates(HOST, RANGE, true)].length).toBe(9);
    ports.gaveUp(HOST, RANGE, 50_004);
    expect([...ports.candidates(HOST, RANGE, true)]).toContain(50_004);
  });

  test('and large is tried at 256 ports, and at others next time', () => {
    const clock = createFakeClock();
    const ports = new SecondaryPorts(clock);
    const tried = new Set<number>();
    for (let time = 0; time < 4; time += 1) {
      const now = [...ports.candidates(HOST, { from: 10_000, to: 60_000 }, true)];
      expect(now.length).toBe(256);
      for (const port of now) tried.add(port);
      clock.advance(200);
    }
    expect(tried.size).toBeGreaterThan(256);
    expect([...ports.candidates(HOST, { from: 1, to: 256 }, true)].length).toBe(256);
  });

  test('gives one that is given up to who waits longest', async () => {
    const clock = createFakeClock();
    const ports = new SecondaryPorts(clock);
    const heard: (readonly [string, number | undefined])[] = [];
    for (const name of ['one', 'other']) void ports.freed(HOST, RANGE, 100).then((port) => heard.push([name, port]));
    ports.gaveUp(HOST, RANGE, 50_003);
    await settle();
    expect(heard).toEqual([['one', 50_003]]);
    clock.advance(100);
    await settle();
    expect(heard[1]).toEqual(['other', undefined]);
  });
});
