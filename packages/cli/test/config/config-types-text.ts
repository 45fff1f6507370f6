// The types of a configuration as source text, made from the same keys that it is read by.

import { GLOBAL_KEYS, serviceKeys, type ConfigKey } from '../../src/config/config-keys.ts';
import { PROTOCOLS } from '../../src/config/protocols.ts';

const HEAD = `// The types of a configuration. Generated from the tables of options: 'npx vitest run packages/cli/test/config/generated.test.ts -u'
// writes it again.

/** A value that does not stand in the file: a variable of the environment, or the contents of a file without its last line end. */
export type Secret = { readonly env: string } | { readonly file: string };
export type Text = string | Secret;
/** A number, or one with a unit: '90s', '10MiB'. */
export type Quantity = number | Text;
export type OneOrMore<Value> = Value | readonly Value[];
`;

function typeOf({ kind, parts, isList }: ConfigKey): string {
  if (kind === 'switch') return 'boolean';
  const object = parts?.map(({ key, isOptional }) => `readonly ${key}${isOptional ? '?' : ''}: Text`).join('; ');
  const one = object !== undefined ? `Text | { ${object} }` : kind === 'number' ? 'Quantity' : 'Text';
  return isList ? `OneOrMore<${one}>` : one;
}

const field = (key: ConfigKey): string =>
  `  /** ${key.help.replaceAll('*/', '* /')} */\n  readonly ${key.key}?: ${typeOf(key)};\n`;

const nameOf = (protocol: string): string => `${protocol.charAt(0).toUpperCase()}${protocol.slice(1)}Service`;

/** What all servers take alike; a program that is run takes less. */
function sharedFields(): ReadonlySet<string> {
  const [first = [], ...others] = PROTOCOLS.filter(({ name }) => name !== 'exec').map((command) =>
    serviceKeys(command).map(field),
  );
  return new Set(first.filter((one) => others.every((fields) => fields.includes(one))));
}

export function configTypesText(): string {
  const shared = sharedFields();
  const services = PROTOCOLS.map((command) => {
    const fields = serviceKeys(command).map(field);
    const isServer = command.name !== 'exec';
    const own = isServer ? fields.filter((one) => !shared.has(one)) : fields;
    return `\nexport interface ${nameOf(command.name)}${isServer ? ' extends EveryServer' : ''} {\n  readonly protocol: '${command.name}';\n${own.join('')}}\n`;
  });
  const union = PROTOCOLS.map(({ name }) => nameOf(name)).join(' | ');
  return `${HEAD}
/** What every service takes but those that run programs. */
export interface EveryServer {
${[...shared].join('')}}
${services.join('')}
export interface Config {
  /** What is served, by names of your choice. */
  readonly services: Readonly<Record<string, ${union}>>;
${GLOBAL_KEYS.map(field).join('')}}
`;
}
