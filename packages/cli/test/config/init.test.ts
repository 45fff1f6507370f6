// `wellknown init`: what it writes is right, and it writes over nothing.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runHere } from '../../../../test/command-line.ts';
import { CONFIG_TEMPLATES } from '../../src/config/config-templates.ts';
import { run } from '../../src/run.ts';

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-init-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe.each(Object.keys(CONFIG_TEMPLATES).filter((ending) => ending !== '.ts'))('wellknown.config%s', (ending) => {
  test('passes check as it is written', async () => {
    const file = path.join(newFolder(), `wellknown.config${ending}`);
    expect(await runHere(() => run(['init', file]))).toMatchObject({ status: 0, stderr: '' });
    const { status, stdout } = await runHere(() => run(['check', '--config', file, '--json']));
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      services: [
        { name: 'web', listen: ['tcp://127.0.0.1:8080'] },
        { name: 'files', listen: ['tcp://127.0.0.1:8021'] },
        { name: 'shell', listen: ['tcp://127.0.0.1:8023'] },
        { name: 'echo', listen: ['udp://127.0.0.1:8007'] },
      ],
    });
  });
});

test.each(['.yaml', '.toml'])('what is commented out in %s is right too', async (ending) => {
  const file = path.join(newFolder(), `all${ending}`);
  const text = (CONFIG_TEMPLATES[ending] ?? '')
    .replace(/^.*bob.*\n/m, '')
    .replace(/, home.*ann"?/, '')
    .replace(
      /^( *)# ((?:account|write|time|\[services\.time\]|admin|idleTimeout|protocol|listen = "|program|args| {2}|\]).*)$/gm,
      '$1$2',
    );
  writeFileSync(file, text);
  process.env.ANN_PASSWORD = 'secret';
  onTestFinished(() => {
    delete process.env.ANN_PASSWORD;
  });
  const { status, stderr, stdout } = await runHere(() => run(['check', '--config', file]));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const shown of ['ann:(hidden)', 'time (exec) on tcp://127.0.0.1:8013', 'admin ', 'idleTimeout ', 'write '])
    expect(stdout).toContain(shown);
});

test('a file that is there stays, unless it is told otherwise', async () => {
  const file = path.join(newFolder(), 'wellknown.config.yaml');
  writeFileSync(file, 'mine');
  const refused = await runHere(() => run(['init', file]));
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toContain('is there already, --force writes over it');
  expect(readFileSync(file, 'utf8')).toBe('mine');
  expect(await runHere(() => run(['init', file, '--force']))).toMatchObject({ status: 0 });
  expect(readFileSync(file, 'utf8')).toBe(CONFIG_TEMPLATES['.yaml']);
});

test('a format that is none is told, with those that there are', async () => {
  const { status, stderr } = await runHere(() => run(['init', 'x.ini']));
  expect(status).toBe(2);
  expect(stderr).toContain("FILE is 'x.ini', allowed are names that end in .yaml, .yml, .toml, .json, .ts, .mjs");
});

test('TypeScript is what the compiler takes, and a misprint is not', async () => {
  const { default: ts } = await import('typescript');
  const folder = newFolder();
  const types = path.resolve(import.meta.dirname, '../../src/config/config-types.ts');
  const text = (CONFIG_TEMPLATES['.ts'] ?? '').replace('@wellknown/cli', types);
  const files = { 'right.ts': text, 'wrong.ts': text.replace('noListing: true', 'noListng: true') };
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  const options = { noEmit: true, strict: true, allowImportingTsExtensions: true, skipLibCheck: true, types: [] };
  const program = ts.createProgram(
    Object.keys(files).map((name) => path.join(folder, name)),
    options,
  );
  const problems = ts.getPreEmitDiagnostics(program);
  expect(problems.map(({ file }) => path.basename(file?.fileName ?? ''))).toEqual(['wrong.ts']);
  expect(JSON.stringify(problems[0]?.messageText)).toContain('noListng');
});
