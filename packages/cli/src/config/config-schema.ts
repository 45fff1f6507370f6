// The configuration as JSON Schema (draft 7, which editors know), made from the same keys that it is read by.

import type { ServerCommand } from '@wellknown/core/cli';
import { GLOBAL_KEYS, serviceKeys, type ConfigKey } from './config-keys.ts';
import { PROTOCOLS } from './protocols.ts';

type Schema = Readonly<Record<string, unknown>>;

const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` });

const SECRET: Schema = {
  description: 'a value that does not stand here: a variable of the environment, or the contents of a file',
  oneOf: ['env', 'file'].map((name) => ({
    type: 'object',
    properties: { [name]: { type: 'string' } },
    required: [name],
    additionalProperties: false,
  })),
};

function valueSchema({ kind, parts, isList }: ConfigKey): Schema {
  if (kind === 'switch') return { type: 'boolean' };
  const one =
    parts === undefined
      ? ref(kind)
      : {
          anyOf: [
            ref('text'),
            {
              type: 'object',
              properties: Object.fromEntries(parts.map(({ key }) => [key, ref('text')])),
              required: parts.filter(({ isOptional }) => !isOptional).map(({ key }) => key),
              additionalProperties: false,
            },
          ],
        };
  return isList ? { anyOf: [one, { type: 'array', items: one }] } : one;
}

const keySchema = (key: ConfigKey): Schema => ({
  description: key.help,
  // Beside a $ref draft 7 reads nothing else.
  allOf: [valueSchema(key)],
});

const properties = (keys: readonly ConfigKey[]): Schema =>
  Object.fromEntries(keys.map((key) => [key.key, keySchema(key)]));

const serviceSchema = (command: ServerCommand): Schema => ({
  type: 'object',
  description: command.summary,
  properties: { protocol: { const: command.name }, ...properties(serviceKeys(command)) },
  additionalProperties: false,
});

/** The whole of it. */
export function configSchema(): Schema {
  const names = PROTOCOLS.map(({ name }) => name);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'The configuration of wellknown up',
    type: 'object',
    required: ['services'],
    properties: {
      $schema: { type: 'string' },
      services: {
        description: 'what is served, by names of your choice',
        type: 'object',
        minProperties: 1,
        // The name of a protocol says which it is.
        properties: Object.fromEntries(
          names.map((name) => [name, { if: { required: ['protocol'] }, then: ref('service'), else: ref(name) }]),
        ),
        additionalProperties: { allOf: [ref('service'), { required: ['protocol'] }] },
      },
      ...properties(GLOBAL_KEYS),
    },
    additionalProperties: false,
    definitions: {
      secret: SECRET,
      text: { anyOf: [{ type: 'string' }, ref('secret')] },
      number: { anyOf: [{ type: ['number', 'string'] }, ref('secret')] },
      service: {
        type: 'object',
        properties: { protocol: { description: 'what it speaks', enum: names } },
        allOf: names.map((name) => ({
          if: { properties: { protocol: { const: name } }, required: ['protocol'] },
          then: ref(name),
        })),
      },
      ...Object.fromEntries(PROTOCOLS.map((command) => [command.name, serviceSchema(command)])),
    },
  };
}
