// Single values of the command line: what was given, or what is allowed.

import { nearestName } from '../option-names.ts';
import { fail, ok, type Result } from '../result.ts';
import type { OptionValues } from './server-command.ts';

interface NumberRange {
  readonly whole?: boolean;
  readonly min: number;
  readonly max?: number;
  /** What else is allowed, for the message. */
  readonly also?: string;
}

interface Units {
  readonly factors: Readonly<Record<string, number>>;
  /** For the message. */
  readonly examples: string;
}

/** By the placeholder of the option. A number alone is in its unit. */
const UNITS: Readonly<Partial<Record<string, Units>>> = {
  SECONDS: {
    factors: { ms: 0.001, s: 1, m: 60, min: 60, h: 3_600, d: 86_400 },
    examples: 'seconds, or with a unit as in 500ms, 5s, 2m, 1h or 1d',
  },
  // IEC 80000-13: kB is 1000 bytes, KiB 1024. A bare letter means what nginx and Apache mean by it.
  BYTES: {
    factors: {
      b: 1,
      k: 1024,
      kb: 1000,
      kib: 1024,
      m: 1024 ** 2,
      mb: 1000 ** 2,
      mib: 1024 ** 2,
      g: 1024 ** 3,
      gb: 1000 ** 3,
      gib: 1024 ** 3,
    },
    examples: 'bytes, or with a unit as in 64k, 10MB (10 × 1000²) or 10MiB (10 × 1024²)',
  },
};

/**
 * A number in a range, or undefined where the option was not given; an option of SECONDS or BYTES takes units. For the
 * options of protocol packages too.
 */
export function readNumber(values: OptionValues, name: string, range: NumberRange): Result<number | undefined, string> {
  const text = values.text(name);
  if (text === undefined) return ok(undefined);
  const units = UNITS[values.argument?.(name) ?? ''];
  const number = numberOf(text, units);
  if (
    number >= range.min &&
    number <= (range.max ?? Number.MAX_SAFE_INTEGER) &&
    (range.whole !== true || Number.isInteger(number))
  )
    return ok(number);
  const max = range.max ?? (number > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : undefined);
  const bounds = `from ${range.min}${max === undefined ? '' : ` to ${max}`}`;
  const unit = units === undefined || /^[0-9.]+$/.test(text) ? '' : ` (${units.examples})`;
  return fail(
    `--${name} is '${text}', allowed is a ${range.whole === true ? 'whole ' : ''}number ${bounds}${unit}${range.also === undefined ? '' : ` or ${range.also}`}`,
  );
}

function numberOf(text: string, units: Units | undefined): number {
  const [, digits = '', unit = ''] = /^([0-9]+(?:\.[0-9]+)?) ?([a-z]*)$/i.exec(text) ?? [];
  if (digits === '') return Number.NaN;
  if (unit === '') return Number(digits);
  const factor =
    units !== undefined && Object.hasOwn(units.factors, unit.toLowerCase())
      ? units.factors[unit.toLowerCase()]
      : undefined;
  // To a millionth: 0.1 + 0.2 is no reason to refuse a whole number.
  return factor === undefined ? Number.NaN : Math.round(Number(digits) * factor * 1e6) / 1e6;
}

/**
 * One of the given words, or undefined where the option was not given. `aliases` are words of former versions, which
 * still mean what they meant.
 */
export function readChoice<Choice extends string>(
  values: OptionValues,
  name: string,
  choices: readonly Choice[],
  aliases: Readonly<Partial<Record<string, Choice>>> = {},
): Result<Choice | undefined, string> {
  const text = values.text(name);
  if (text === undefined) return ok(undefined);
  const choice =
    choices.find((candidate) => candidate === text) ?? (Object.hasOwn(aliases, text) ? aliases[text] : undefined);
  if (choice !== undefined) return ok(choice);
  const near = nearestName(text, choices);
  return fail(
    `--${name} is '${text}', allowed is ${choices.join(', ')}${near === undefined ? '' : `; meant may be '${near}'`}`,
  );
}
