// Which options a service really has: its own, under them those that stand beside `services`, and above both those of the
// command line.

import { optionsOf, type ServerCommand } from '@wellknown/core/cli';
import { isProgramWide, configKey, POSITIONAL } from './config-keys.ts';
import type { ConfigTexts, OptionTexts, ServiceTexts } from './option-texts.ts';

export type Origin = 'service' | 'global' | 'command line';

export interface EffectiveOptions {
  readonly texts: OptionTexts;
  readonly originOf: (option: string) => Origin;
}

const TLS_OPTIONS: readonly string[] = ['tls-cert', 'tls-key', 'tls-client-ca', 'tls-client-cert'];

const schemeOf = (endpoint: string): string => endpoint.split(':', 1)[0] ?? '';

const isOfProgram = (name: string): boolean => isProgramWide(configKey({ name, help: '' }));

/** Those of the whole program: the command line's before the file's. */
export const programOptions = ({ program }: Pick<ConfigTexts, 'program'>, commandLine: OptionTexts): OptionTexts =>
  Object.fromEntries(Object.entries({ ...program, ...commandLine }).filter(([name]) => isOfProgram(name)));

/** Those that stand beside the services for each of them. */
export const sharedOptions = ({ program }: Pick<ConfigTexts, 'program'>): OptionTexts =>
  Object.fromEntries(Object.entries(program).filter(([name]) => !isOfProgram(name)));

export function effectiveOptions(
  { program }: Pick<ConfigTexts, 'program'>,
  { options }: ServiceTexts,
  command: ServerCommand,
  commandLine: OptionTexts,
): EffectiveOptions {
  const { own, shared } = optionsOf(command);
  const isTaken = (name: string): boolean =>
    [...own, ...shared].some((spec) => spec.name === name) && !isOfProgram(name);
  const listen = options.listen?.map((text) =>
    /^\d+$/.test(text) ? `${command.defaultScheme}://127.0.0.1:${text}` : text,
  );
  // What of the shared options would be a mistake here although it is none elsewhere.
  const speaksTls = command.upgradesToTls === true || listen?.some((text) => schemeOf(text) === 'tls') === true;
  const hasOwnTls = TLS_OPTIONS.some((name) => Object.hasOwn(options, name));
  const hasStreams =
    listen === undefined ? command.defaultScheme !== 'udp' : listen.some((text) => schemeOf(text) !== 'udp');
  const isOfUse = (name: string): boolean =>
    TLS_OPTIONS.includes(name) ? speaksTls && !hasOwnTls : name === 'proxy-protocol' ? hasStreams : true;
  const given = (texts: OptionTexts): OptionTexts =>
    Object.fromEntries(Object.entries(texts).filter(([name]) => isTaken(name) && isOfUse(name)));
  const above = given(commandLine);
  const texts = { ...given(program), ...options, ...(listen === undefined ? {} : { listen }), ...above };
  return {
    texts,
    originOf: (name) =>
      Object.hasOwn(above, name)
        ? 'command line'
        : Object.hasOwn(options, name) || name === POSITIONAL
          ? 'service'
          : 'global',
  };
}
