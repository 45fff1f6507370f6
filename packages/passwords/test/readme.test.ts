import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import * as passwords from '../src/index.ts';

test('the README imports nothing that is not there', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, names = ''] = /import \{ ([^}]+) \} from '@wellknown\/passwords'/.exec(readme) ?? [];
  expect(names.split(', ')).toEqual(['PasswordChecker', 'PasswordFile']);
  for (const name of names.split(', ')) expect(passwords).toHaveProperty(name);
});
