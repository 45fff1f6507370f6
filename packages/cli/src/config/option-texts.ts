// What a configuration comes to: for each service and for the program the same texts that a command line would have. They
// are plain data, so that a supervisor can give them to its workers.

import type { OptionSpec, OptionValues } from '@wellknown/core/cli';
import { POSITIONAL } from './config-keys.ts';

/** The values of options by name; of a switch that is on, one empty text. */
export type OptionTexts = Readonly<Partial<Record<string, readonly string[]>>>;

export interface ServiceTexts {
  readonly name: string;
  readonly protocol: string;
  readonly options: OptionTexts;
  /** Options whose values could not be read: what depends on them is not known either. */
  readonly unread?: readonly string[];
}

export interface ConfigTexts {
  readonly program: OptionTexts;
  readonly services: readonly ServiceTexts[];
}

/** The same as the readers of options want it. */
export function valuesOf(texts: OptionTexts, specs: readonly OptionSpec[]): OptionValues {
  const given = (name: string): readonly string[] => (Object.hasOwn(texts, name) ? (texts[name] ?? []) : []);
  return {
    positional: given(POSITIONAL)[0],
    argument: (name) => specs.find((spec) => spec.name === name)?.argument,
    text: (name) => given(name)[0],
    list: given,
    has: (name) => Object.hasOwn(texts, name),
  };
}
