// Signals that come before the server is there. The handler's module sends them to the process that loads it, so they come
// at that moment whatever the speed of the machine.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { eventually, runProgram, startProgram, type Program } from '@wellknown/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { programArguments, ROOT } from '../../../test/programs.ts';

const HTTP = programArguments('packages/http/src/main.ts');

let folder = '';
const running: Program[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'wellknown-early-'));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.stop()));
  rmSync(folder, { recursive: true });
});

/** A program that is sent the signals while it loads its handler, in this process alone. */
function sentWhileLoading(...signals: readonly NodeJS.Signals[]): readonly string[] {
  const handler = path.join(folder, 'handler.mjs');
  const sends = signals.map((signal) => `process.kill(process.pid, '${signal}');`).join('\n');
  writeFileSync(
    handler,
    `${sends}\nawait new Promise((resolve) => setTimeout(resolve, 100));\nexport default () => new Response('served');\n`,
  );
  return [...HTTP, '--handler', handler, '--workers', '0', '--listen', 'tcp://127.0.0.1:0', '--log-format', 'json'];
}

describe('a signal while the program loads', () => {
  test('is taken once it is ready: none ends it, stops it or opens the debugger', async () => {
    const program = await startProgram(
      sentWhileLoading('SIGUSR1', 'SIGHUP', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU', 'SIGHUP'),
    );
    running.push(program);
    const told = (): string[] =>
      program
        .stderr()
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { msg: string }).msg);
    await eventually(() => told().length >= 5);
    // Each line by one signal: HUP once for both.
    expect(told().sort()).toEqual([
      'a server without workers cannot be reloaded: give it workers',
      'a server without workers cannot be scaled: give it workers',
      'a server without workers cannot be scaled: give it workers',
      'a server without workers cannot be upgraded: give it workers',
      'logs are opened again',
    ]);
    const url = program.endpoints.http?.[0]?.replace('tcp:', 'http:') ?? '';
    expect(await (await fetch(url, { headers: { connection: 'close' } })).text()).toBe('served');
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)(
    '%s ends it with status 0, and nothing was begun',
    async (name) => {
      expect(await runProgram(sentWhileLoading(name))).toEqual({ status: 0, stdout: '', stderr: '' });
    },
  );

  test('TERM of a program that has failed already leaves the status of the failure', async () => {
    const args = sentWhileLoading('SIGTERM');
    const handler = path.join(folder, 'handler.mjs');
    writeFileSync(handler, `process.exitCode = 2;\n${readFileSync(handler, 'utf8')}`);
    expect(await runProgram(args)).toEqual({ status: 2, stdout: '', stderr: '' });
  });
});

test('every program has its listeners before it loads anything else', () => {
  const programs = readdirSync(path.join(ROOT, 'packages'))
    .filter((name) => name !== 'core')
    .map((name) => path.join(ROOT, 'packages', name, 'src/main.ts'))
    .filter((file) => existsSync(file));
  expect(programs).toHaveLength(5);
  for (const file of programs) {
    const text = readFileSync(file, 'utf8');
    // Types are none at run time, and what is Node's own is loaded already.
    const imports = text.match(/^import (?!type )(?!.* from 'node:).*$/gm);
    expect(imports, file).toEqual(["import { holdSignals } from '@wellknown/core/early-signals';"]);
    expect(text, file).toMatch(/'@wellknown\/core\/early-signals';\n\nholdSignals\(\);\n/);
  }
  // What it imports itself is loaded before the listeners are there.
  const early = readFileSync(path.join(ROOT, 'packages/core/src/cli/early-signals.ts'), 'utf8');
  expect(early.match(/^import (?!.* from 'node:).*$/gm)).toBeNull();
});
