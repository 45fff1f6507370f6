// The keys of a configuration, made from the tables of options that the command line has: `--max-connections N` is
// `maxConnections`. Reading, the schema and the types of `defineConfig` all come from here.

import { COMMON_OPTIONS, optionsOf, PROGRAM_OPTIONS, type OptionSpec, type ServerCommand } from '@wellknown/core/cli';

/** A part of a text with colons, `NAME:PASSWORD[:HOME]`, which may be written as an object. */
export interface Part {
  readonly key: string;
  readonly isOptional: boolean;
  readonly isSecret: boolean;
}

export interface ConfigKey {
  readonly key: string;
  /** Of the command line. */
  readonly option: string;
  /** The placeholder of its value; undefined for a switch. */
  readonly argument: string | undefined;
  readonly help: string;
  /** A number may be written as one. */
  readonly kind: 'switch' | 'number' | 'text';
  readonly isList: boolean;
  readonly parts: readonly Part[] | undefined;
  /** The value is a path, relative to the folder of the configuration. */
  readonly isPath: boolean;
}

export const keyOfOption = (name: string): string =>
  name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

// What is a number, or a number with a unit, or a port.
const NUMBERS: ReadonlySet<string> = new Set(['N', 'SECONDS', 'BYTES', 'PORT', 'ENDPOINT']);
const PATHS: ReadonlySet<string> = new Set(['FILE', 'PATH', 'DIR', 'ROOT']);

function partsOf(argument: string): readonly Part[] | undefined {
  if (!/^[A-Z]+(?::[A-Z]+|\[:[A-Z]+\])+$/.test(argument)) return undefined;
  return [...argument.matchAll(/(\[:)?([A-Z]+)/g)].map(([, optional, name = '']) => ({
    key: name.toLowerCase(),
    isOptional: optional !== undefined,
    isSecret: name === 'PASSWORD',
  }));
}

/** A help speaks of other options: here they are keys. */
export const worded = (text: string): string =>
  text.replace(/(?<![\w-])--([a-z][a-z0-9-]*)/g, (_, name: string) => keyOfOption(name));

export function configKey({ name, argument, repeatable, help }: OptionSpec): ConfigKey {
  const isNames = argument === 'NAMES';
  return {
    key: keyOfOption(name),
    option: name,
    argument,
    help: worded(help),
    kind: argument === undefined ? 'switch' : NUMBERS.has(argument) ? 'number' : 'text',
    isList: repeatable === true || isNames,
    parts: argument === undefined ? undefined : partsOf(argument),
    isPath: argument !== undefined && PATHS.has(argument),
  };
}

// The connection on standard input is no service of several; a configuration is not named in itself.
const NOT_IN_FILES: ReadonlySet<string> = new Set(['inetd', 'config']);
const PROGRAM_WIDE: ReadonlySet<string> = new Set(PROGRAM_OPTIONS);

/** What stands beside `services`: what is for the whole program, and what goes for each service that does not say it. */
export const GLOBAL_KEYS: readonly ConfigKey[] = COMMON_OPTIONS.filter(
  ({ name }) => !NOT_IN_FILES.has(name) && name !== 'listen',
).map(configKey);

export const isProgramWide = ({ option }: ConfigKey): boolean => PROGRAM_WIDE.has(option);

/** What a service of this command takes. */
export function serviceKeys(command: ServerCommand): readonly ConfigKey[] {
  const { own, shared } = optionsOf(command);
  const options = [...shared, ...own].filter(({ name }) => !PROGRAM_WIDE.has(name) && !NOT_IN_FILES.has(name));
  return [...(command.positional === undefined ? [] : [rootKey(command.positional)]), ...options.map(configKey)];
}

/** The positional argument. */
const rootKey = ({ name, help }: NonNullable<ServerCommand['positional']>): ConfigKey => ({
  ...configKey({ name: name.toLowerCase(), argument: name, help }),
  option: POSITIONAL,
});

/** The name among a service's options of what has no name on the command line. */
export const POSITIONAL = '';
