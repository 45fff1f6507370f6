// The examples of docs/configuration.md are right, and what it says of mistakes is what is said.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runHere } from '../../../../test/command-line.ts';
import { ROOT } from '../../../../test/programs.ts';
import { run } from '../../src/run.ts';

const DOC = readFileSync(path.join(ROOT, 'docs/configuration.md'), 'utf8');
const examples = [...DOC.matchAll(/^```(?:yaml|toml|ts)\n(?:#|\/\/) (\S+)\n(.*?)^```$/gms)].map(
  ([, name = '', text = '']) => ({
    name,
    text,
  }),
);

function folderWith(name: string, text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'site'));
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

test('there is one of each format', () => {
  expect(examples.map(({ name }) => path.extname(name))).toEqual(['.yaml', '.ts', '.toml']);
});

test.each(examples)('$name is right', async ({ name, text }) => {
  process.env.ANN_PASSWORD = 'secret';
  onTestFinished(() => {
    delete process.env.ANN_PASSWORD;
  });
  // Nobody needs TypeScript to be read for this: nothing in it but what JavaScript has.
  const module = text.replace(/^import .*$/m, 'const defineConfig = (config) => config;');
  const file = folderWith(name.replace('.ts', '.mjs'), module);
  const { status, stderr } = await runHere(() => run(['check', '--config', file]));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('mistakes are told as it shows', async () => {
  const [, shown = ''] = /^\$ wellknown check\n(.*?)^```$/ms.exec(DOC) ?? [];
  const file = folderWith(
    'wellknown.config.yaml',
    'services:\n  site:\n    protocol: http\n    rot: ./site\n    maxRate: -1\n',
  );
  const { stderr } = await runHere(() => run(['check', '--config', file]));
  expect(stderr.replaceAll(`${path.dirname(file)}/`, '')).toBe(shown);
});
