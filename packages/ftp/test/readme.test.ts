import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import * as ftp from '../src/index.ts';

test('the README imports nothing that is not there', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, names = ''] = /import \{ ([^}]+) \} from '@wellknown\/ftp'/.exec(readme) ?? [];
  expect(names.split(', ')).not.toEqual(['']);
  for (const name of names.split(', ')) expect(ftp).toHaveProperty(name);
});
