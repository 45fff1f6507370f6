// What --handler says of every file that can't be used. Node loads the modules here, in a process of its own: the
// runner of these tests has a loader with other messages. One process for all, since each takes a second to start.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/testing/index.ts';
import { ROOT } from '../../../../test/programs.ts';

const LOADER = fileURLToPath(new URL('../../src/cli/handler-module.ts', import.meta.url));
const OTHER_USER = 65_534;
const TIMEOUT_MS = 200;

const MODULES = {
  'function.mjs': 'export default () => "function";',
  'awaits.mjs': 'await new Promise((resolve) => setTimeout(resolve, 20)); export default () => "awaits";',
  'common.cjs': 'module.exports = () => "common";',
  'compiled.cjs': 'exports.__esModule = true; exports.default = () => "compiled";',
  'number.mjs': 'export default 7;',
  'null-export.mjs': 'export default null;',
  'array.mjs': 'export default [];',
  'object.mjs': 'export default {};',
  'itself.cjs': 'exports.__esModule = true; exports.default = exports;',
  'compiled-number.cjs': 'exports.__esModule = true; exports.default = 7;',
  'names.mjs': 'export const handler = 1; export const other = 2;',
  'empty.mjs': '',
  'broken.mjs': 'const a = 1;\nthrow new Error("broken on purpose");',
  'throws-null.mjs': 'throw null;',
  'unfinished.mjs': 'export default (',
  'imports.mjs': 'import "./absent.mjs"; export default () => "imports";',
  'waiting.mjs': 'await new Promise(() => {}); export default () => "waiting";',
  'late.mjs': `await new Promise((resolve) => setTimeout(resolve, ${10 * TIMEOUT_MS})); export default () => "late";`,
  'text.unknown': 'export default () => "text";',
  'secret.mjs': 'export default () => "secret";',
  'imports-secret.mjs': 'import "./secret.mjs"; export default () => "imports";',
} as const;

// The other user is one for whom the file's mode counts; by then the program itself has been read.
const SCRIPT = `
  const { loadHandlerModule } = await import(${JSON.stringify(LOADER)});
  if (process.getuid() === 0) { process.setgroups([]); process.setgid(${OTHER_USER}); process.setuid(${OTHER_USER}); }
  const pick = (exported) => (typeof exported === 'function' ? exported : undefined);
  const outcomes = {};
  for (const file of JSON.parse(process.env.FILES)) {
    const loaded = await loadHandlerModule(file, { expected: 'a function', pick, timeoutMs: ${TIMEOUT_MS} });
    outcomes[file] = loaded.ok ? { handler: loaded.value() } : { error: loaded.error };
  }
  process.stdout.write(JSON.stringify(outcomes), () => process.exit());
`;

let directory = '';
let outcomes: Readonly<Record<string, { readonly handler?: string; readonly error?: string }>> = {};
let stderr = '';

beforeAll(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-handler-module-'));
  fs.chmodSync(directory, 0o755);
  for (const [name, text] of Object.entries(MODULES)) fs.writeFileSync(path.join(directory, name), text);
  fs.chmodSync(path.join(directory, 'secret.mjs'), 0o000);
  fs.mkdirSync(path.join(directory, 'closed'), 0o700);
  fs.writeFileSync(path.join(directory, 'closed', 'inside.mjs'), '');
  fs.chmodSync(path.join(directory, 'closed'), 0o000);
  const names = [...Object.keys(MODULES), 'absent.mjs', 'function.mjs/x', 'closed/inside.mjs'];
  const files = [...names.map((name) => path.join(directory, name)), directory, '/dev/null'];
  const program = await runProgram(
    ['--conditions=@wellknown/source', '--import', 'tsx', '--input-type=module', '-e', SCRIPT],
    { cwd: ROOT, env: { FILES: JSON.stringify(files) } },
  );
  stderr = program.stderr;
  outcomes = JSON.parse(program.stdout) as typeof outcomes;
}, 30_000);
afterAll(() => {
  fs.chmodSync(path.join(directory, 'closed'), 0o700);
  fs.rmSync(directory, { recursive: true });
});

test.each([
  ['function.mjs', 'function'],
  ['awaits.mjs', 'awaits'],
  ['common.cjs', 'common'],
  ['compiled.cjs', 'compiled'],
])('the handler of %s is found', (name, handler) => {
  expect(outcomes[path.join(directory, name)]).toEqual({ handler });
});

describe('a file that can not be used is told by its name, what was found and what is expected', () => {
  test.each([
    ['absent.mjs', 'there is no such file'],
    ['function.mjs/x', 'there is no such file'],
    ['', 'it is a directory, expected a JavaScript file'],
    ['/dev/null', 'it is not a regular file, expected a JavaScript file'],
    ['secret.mjs', "it can't be read by this user (EACCES)"],
    ['closed/inside.mjs', "it can't be read by this user (EACCES)"],
    ['number.mjs', 'its default export is a number, expected a function'],
    ['null-export.mjs', 'its default export is null, expected a function'],
    ['array.mjs', 'its default export is an array, expected a function'],
    ['object.mjs', 'its default export is an object, expected a function'],
    ['itself.cjs', 'its default export is an object, expected a function'],
    ['compiled-number.cjs', 'its default export is a number, expected a function'],
    ['names.mjs', 'its default export is missing (the module exports handler, other), expected a function'],
    ['empty.mjs', 'its default export is missing, expected a function'],
    ['throws-null.mjs', "it can't be loaded: null"],
    ['waiting.mjs', "it can't be loaded: after 0.2 seconds it still loads, or a top-level await in it waits"],
    ['late.mjs', "it can't be loaded: after 0.2 seconds it still loads, or a top-level await in it waits"],
  ])('%s: %s', (name, problem) => {
    const file = path.resolve(directory, name);
    expect(outcomes[file]).toEqual({ error: `--handler ${file}: ${problem}` });
  });

  test.each([
    ['broken.mjs', /it can't be loaded: broken on purpose \(at .*broken\.mjs:2:7\)$/],
    ['unfinished.mjs', /it can't be loaded: Unexpected .*; 'node --check .*unfinished\.mjs' shows where$/],
    ['imports.mjs', /it can't be loaded: Cannot find module '.*absent\.mjs' imported from .*imports\.mjs$/],
    [
      'text.unknown',
      /it can't be loaded: Unknown file extension "\.unknown" for .*text\.unknown; expected a JavaScript file, whose name ends in \.js, \.mjs or \.cjs$/,
    ],
    ['imports-secret.mjs', /it can't be loaded: .*EACCES.*secret\.mjs/],
  ])('%s', (name, problem) => {
    const { error = '' } = outcomes[path.join(directory, name)] ?? {};
    expect(error).toMatch(problem);
    expect(error.startsWith(`--handler ${path.join(directory, name)}: `)).toBe(true);
    // One sentence, and nothing of this package in it.
    expect(error).not.toMatch(/\n|handler-module\.ts/);
  });

  test('and nothing else is printed', () => {
    expect(stderr).toBe('');
  });
});
