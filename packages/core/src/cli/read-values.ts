// Single values of the command line: what was given, or what is allowed.

import { fail, ok, type Result } from '../result.ts';
import type { OptionValues } from './server-command.ts';

interface NumberRange {
  readonly whole?: boolean;
  readonly min: number;
  readonly max?: number;
  /** What else is allowed, for the message. */
  readonly also?: string;
}

/** A number in a range, or undefined where the option was not given. For the options of protocol packages too. */
export function readNumber(values: OptionValues, name: string, range: NumberRange): Result<number | undefined, string> {
  const text = values.text(name);
  if (text === undefined) return ok(undefined);
  const number = /^[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
  if (
    number >= range.min &&
    number <= (range.max ?? Number.MAX_SAFE_INTEGER) &&
    (range.whole !== true || Number.isInteger(number))
  )
    return ok(number);
  const bounds = range.max === undefined ? `from ${range.min}` : `from ${range.min} to ${range.max}`;
  return fail(
    `--${name} is '${text}', allowed is a ${range.whole === true ? 'whole ' : ''}number ${bounds}${range.also === undefined ? '' : ` or ${range.also}`}`,
  );
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
  return choice === undefined ? fail(`--${name} is '${text}', allowed is ${choices.join(', ')}`) : ok(choice);
}
