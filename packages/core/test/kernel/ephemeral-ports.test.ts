import { expect, test } from 'vitest';
import { portOf, readEphemeralPorts } from '../../src/kernel/ephemeral-ports.ts';

test('the range and what is kept out of it are read as Linux writes them', () => {
  expect(readEphemeralPorts('32768\t60999\n', '\n')).toEqual({ from: 32_768, to: 60_999, reserved: new Set() });
  expect(readEphemeralPorts('40000 40010', '8080,40001-40003\n')).toEqual({
    from: 40_000,
    to: 40_010,
    reserved: new Set([8080, 40_001, 40_002, 40_003]),
  });
});

test.each(['', '1', '2 1', 'a b'])('%j is no range', (text) => {
  expect(readEphemeralPorts(text, '')).toBeUndefined();
});

test('a port is one of the range, never a reserved one', () => {
  const some = { from: 40_000, to: 40_003, reserved: new Set([40_001]) };
  const seen = new Set(Array.from({ length: 500 }, () => portOf(some)));
  seen.delete(0);
  expect([...seen].sort()).toEqual([40_000, 40_002, 40_003]);
});

test('where all are reserved the system has to choose', () => {
  expect(portOf({ from: 7, to: 8, reserved: new Set([7, 8]) })).toBe(0);
});
