import { describe, expect, test } from 'vitest';
import { parseOptions, readNumber } from '../../src/cli/index.ts';

const SPECS = [
  { name: 'time', argument: 'SECONDS', help: '' },
  { name: 'size', argument: 'BYTES', help: '' },
  { name: 'count', argument: 'N', help: '' },
];

function read(name: string, text: string, range = { min: 0, max: 2e9 }) {
  const values = parseOptions([`--${name}`, text], SPECS, undefined);
  return values.ok && typeof values.value === 'object' ? readNumber(values.value, name, range) : values;
}

describe('a number with a unit', () => {
  test.each([
    ['time', '5', 5],
    ['time', '0.5', 0.5],
    ['time', '500ms', 0.5],
    ['time', '5s', 5],
    ['time', '5 s', 5],
    ['time', '2m', 120],
    ['time', '2min', 120],
    ['time', '1.5h', 5_400],
    ['time', '1d', 86_400],
    ['time', '0.1ms', 0.0001],
    ['size', '10', 10],
    ['size', '64k', 65_536],
    ['size', '10MB', 10_000_000],
    ['size', '10MiB', 10_485_760],
    ['size', '10mib', 10_485_760],
    ['size', '0.3KB', 300],
    ['size', '1G', 2 ** 30],
  ])('--%s %s is %d', (name, text, number) => {
    expect(read(name, text)).toEqual({ ok: true, value: number });
  });

  test.each([
    ['time', '5x', 'allowed is a number from 0 to 2000000000 (seconds, or with a unit as in 500ms, 5s, 2m, 1h or 1d)'],
    ['time', '10MB', '(seconds, or with a unit as in 500ms, 5s, 2m, 1h or 1d)'],
    ['time', 'toString', '(seconds, or'],
    ['size', '5s', '(bytes, or with a unit as in 64k, 10MB (10 × 1000²) or 10MiB (10 × 1024²))'],
    ['count', '5k', "--count is '5k', allowed is a number from 0 to 2000000000"],
    ['time', '-5s', "--time is '-5s'"],
    ['time', '', "--time is ''"],
  ])('--%s %s is refused, and the units are named where there are any', (name, text, words) => {
    const result = read(name, text);
    expect(result).toMatchObject({ ok: false, error: expect.stringContaining(words) as string });
  });

  test('the range holds for what it comes to, at its end and one past it', () => {
    expect(read('size', '1KiB', { min: 0, max: 1024 })).toEqual({ ok: true, value: 1024 });
    expect(read('size', '1KiB', { min: 0, max: 1023 })).toMatchObject({ ok: false });
    expect(read('time', '100ms', { min: 0.1, max: 9 })).toEqual({ ok: true, value: 0.1 });
    expect(read('time', '99ms', { min: 0.1, max: 9 })).toMatchObject({ ok: false });
  });
});
