// From the sentence of a reader of options to the key of the file that it is about: the readers speak of `--max-rate`.

import { keyOfOption, POSITIONAL, worded } from './config-keys.ts';
import type { EffectiveOptions } from './effective-options.ts';
import type { Path, Problem } from './places.ts';

const ROOT = /\bROOT\b/;
const MENTIONED = /(?<![\w-])--([a-z][a-z0-9-]*)|\bROOT\b/g;

export interface Blame {
  readonly problem: Problem;
  /** The options that it names. */
  readonly mentioned: readonly string[];
  /** Of these, those that were given. */
  readonly options: readonly string[];
}

/** `at` is the path of the service. */
export function blame(message: string, { texts, originOf }: EffectiveOptions, at: Path): Blame {
  // The first is the one that the sentence is about.
  const mentioned = [...message.matchAll(MENTIONED)].map(([, name = POSITIONAL]) => name);
  const options = mentioned.filter((name) => Object.hasOwn(texts, name));
  const [first] = options;
  const told = worded(message).replace(ROOT, 'root');
  if (first === undefined) return { problem: { path: at, message: told }, mentioned, options };
  const key = first === POSITIONAL ? 'root' : keyOfOption(first);
  const path = originOf(first) === 'global' ? [key] : [...at, key];
  const values = texts[first] ?? [];
  const index = values.length < 2 ? -1 : values.findIndex((value) => message.includes(`'${value}'`));
  return { problem: { path: index < 0 ? path : [...path, index], message: told }, mentioned, options };
}
