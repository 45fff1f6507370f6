// What a configuration comes to, for people and programs to read: secrets are not in it.

import {
  configKey,
  GLOBAL_KEYS,
  isProgramWide,
  keyOfOption,
  POSITIONAL,
  serviceKeys,
  type ConfigKey,
} from './config-keys.ts';
import type { LoadedConfig } from './load-config.ts';
import type { OptionTexts } from './option-texts.ts';
import { commandOf } from './protocols.ts';

export interface DescribedConfig {
  readonly services: readonly {
    readonly name: string;
    readonly protocol: string;
    readonly listen: readonly string[];
    /** Those that were given, by their keys: all others have their defaults. */
    readonly options: Readonly<Record<string, unknown>>;
  }[];
  readonly program: Readonly<Record<string, unknown>>;
}

const HIDDEN = '(hidden)';

export function describeConfig({ config, services }: Pick<LoadedConfig, 'config' | 'services'>): DescribedConfig {
  const shown = (texts: OptionTexts, keys: readonly ConfigKey[]): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      Object.entries(texts)
        .filter(([option]) => option !== 'listen')
        .map(([option, values = []]) => {
          const key = keys.find((one) => one.option === option) ?? configKey({ name: option, help: '' });
          const visible = values.map((value) => hiddenIn(value, config.hidden, key));
          const one = key.kind === 'switch' ? true : key.isList ? visible : visible[0];
          return [option === POSITIONAL ? 'root' : keyOfOption(option), one] as const;
        }),
    );
  return {
    services: services.flatMap(({ name, protocol, options, services: all }) =>
      all.map((service, index) => ({
        name: service.name ?? name,
        protocol: index === 0 ? protocol : service.protocol.name,
        listen: [service.listen ?? []].flat().map(String),
        options: index === 0 ? shown(options.texts, serviceKeys(commandOf(protocol))) : {},
      })),
    ),
    program: shown(
      Object.fromEntries(
        GLOBAL_KEYS.filter(isProgramWide).flatMap(({ option }) =>
          config.program[option] === undefined ? [] : [[option, config.program[option]]],
        ),
      ),
      GLOBAL_KEYS,
    ),
  };
}

/** `NAME:PASSWORD` shows its name: of several accounts one knows which is meant. */
function hiddenIn(value: string, hidden: ReadonlySet<string>, { parts }: ConfigKey): string {
  if (!hidden.has(value)) return value;
  return parts === undefined ? HIDDEN : `${value.split(':', 1)[0] ?? ''}:${HIDDEN}`;
}
