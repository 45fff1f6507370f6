// Files that are made from the tables of options, committed and compared: `vitest -u` writes them again.

import path from 'node:path';
import { Ajv } from 'ajv';
import prettier from 'prettier';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../../../../test/programs.ts';
import { serviceKeys } from '../../src/config/config-keys.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import { PROTOCOLS } from '../../src/config/protocols.ts';
import { configTypesText } from './config-types-text.ts';

const formatted = async (text: string, file: string): Promise<string> =>
  prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file });

test('the types of defineConfig are those of the options', async () => {
  const file = path.join(ROOT, 'packages/cli/src/config/config-types.ts');
  await expect(await formatted(configTypesText(), file)).toMatchFileSnapshot(file);
});

const validate = new Ajv({ allowUnionTypes: true, strictTypes: false }).compile(configSchema());
const isValid = (value: unknown): boolean => validate(value);

describe('the JSON Schema', () => {
  test.each(PROTOCOLS.flatMap((command) => serviceKeys(command).map((key) => ({ protocol: command.name, key }))))(
    'takes $key.key of $protocol as it is read',
    ({ protocol, key: { key, kind, isList } }) => {
      const value = kind === 'switch' ? true : kind === 'number' ? 5 : isList ? ['x', { env: 'X' }] : { file: 'x' };
      expect(isValid({ services: { one: { protocol, [key]: value } } })).toBe(true);
      expect(isValid({ services: { one: { protocol, [`${key}s`]: value } } })).toBe(false);
      expect(isValid({ services: { one: { protocol, [key]: null } } })).toBe(false);
    },
  );

  test.each([
    [{ services: { echo: {} } }, true],
    [{ services: { echo: { protocol: 'telnet', lineMode: true } } }, true],
    [{ services: { other: {} } }, false],
    [{ services: {} }, false],
    [{}, false],
    [{ services: { echo: {} }, workers: 'auto', maxConnections: 5, $schema: 'x' }, true],
    [{ services: { echo: {} }, worker: 1 }, false],
    [{ services: { f: { protocol: 'ftp', account: [{ name: 'a', password: { env: 'PW' } }] } } }, true],
    [{ services: { f: { protocol: 'ftp', account: [{ name: 'a' }] } } }, false],
  ])('%j: %s', (value, expected) => {
    expect(isValid(value)).toBe(expected);
  });
});

test('the JSON Schema that is published is that of the options', async () => {
  const file = path.join(ROOT, 'packages/cli/wellknown.schema.json');
  await expect(`${JSON.stringify(configSchema(), undefined, 2)}\n`).toMatchFileSnapshot(file);
});
