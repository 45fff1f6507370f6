// What a server may do that is not root, asked of the program as a user of the system without rights runs it. Root
// reads everything, so no test inside this process could tell.

import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { lacks, startProgram, type Program } from '@wellknown/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programArguments } from '../../../../test/programs.ts';

const run = promisify(execFile);
const MAIN = programArguments('packages/cli/src/main.ts');
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
// By the program itself: Node may lie where only root gets to.
const DROP = isRoot
  ? ['--import', `data:text/javascript,process.setgroups([]);process.setgid(${NOBODY});process.setuid(${NOBODY})`]
  : [];
// Not where the checkout or the folder for temporary files lies in a user's home.
const mayRead =
  spawnSync(process.execPath, [
    ...DROP,
    '-e',
    `fs.readFileSync(${JSON.stringify(MAIN.at(-1))}); fs.accessSync(${JSON.stringify(os.tmpdir())}, fs.constants.X_OK)`,
  ]).status === 0;
if (!mayRead)
  process.stderr.write(
    'tests of rights are skipped here: they need a checkout and a folder for temporary files that others may read\n',
  );

describe.skipIf(lacks('curl') ?? !mayRead)('wellknown http, run as nobody', () => {
  let base = '';
  let site = '';
  let program: Program;
  let origin = '';
  const closed: string[] = [];

  /** Makes a file or directory, whose rights are taken once everything is there. */
  function put(name: string, mode: number, content?: string): void {
    const file = path.join(site, name);
    if (content === undefined) fs.mkdirSync(file);
    else fs.writeFileSync(file, content);
    fs.chmodSync(file, content === undefined ? 0o755 : mode);
    if (content === undefined && mode !== 0o755) closed.push(file);
    modes.set(file, mode);
  }
  const modes = new Map<string, number>();

  beforeAll(async () => {
    base = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-rights-'));
    fs.chmodSync(base, 0o755);
    site = path.join(base, 'site');
    put('.', 0o111);
    put('readable.txt', 0o444, 'readable');
    put('secret.txt', 0o000, 'SECRET');
    put('secret.txt.gz', 0o444, 'SECRET');
    put('plain.txt', 0o444, 'plain');
    put('plain.txt.gz', 0o000, 'SECRET');
    put('page', 0o111);
    put('page/index.html', 0o444, '<p>page');
    put('page/a.txt', 0o444, 'a');
    put('names', 0o111);
    put('names/a.txt', 0o444, 'a');
    put('hidden', 0o755);
    put('hidden/index.html', 0o000, 'SECRET');
    put('locked', 0o444);
    put('locked/index.html', 0o444, 'SECRET');
    put('open', 0o755);
    put('open/closed', 0o000);
    put('open/secret.txt', 0o000, 'SECRET');
    put('outside', 0o755);
    fs.symlinkSync('/root', path.join(site, 'outside', 'link'));
    for (const directory of closed) fs.chmodSync(directory, modes.get(directory) ?? 0);
    program = await startProgram([...DROP, ...MAIN, 'http', site, '--workers', '0', '--listen', 'tcp://127.0.0.1:0']);
    origin = (program.endpoints.http?.[0] ?? '').replace('tcp:', 'http:');
  });
  afterAll(async () => {
    await program.stop();
    for (const directory of closed) fs.chmodSync(directory, 0o755);
    fs.rmSync(base, { recursive: true });
  });

  test('is nobody', () => {
    expect(fs.readFileSync(`/proc/${program.pid}/status`, 'utf8')).toMatch(
      new RegExp(`^Uid:\\s+${isRoot ? NOBODY : process.getuid?.()}\\s`, 'm'),
    );
  });

  test.each<readonly [target: string, status: number, body: string]>([
    ['/readable.txt', 200, 'readable'],
    ['/secret.txt', 403, 'The file may not be read.\n'],
    ['/open/secret.txt', 403, 'The file may not be read.\n'],
    ['/open/closed/', 403, 'The file may not be read.\n'],
    // A directory that may be entered and not read, as homes are: what is in it is served, which names there are is not
    // said.
    ['/page/', 200, '<p>page'],
    ['/page/a.txt', 200, 'a'],
    ['/page/nothing', 404, 'Not found.\n'],
    ['/names/a.txt', 200, 'a'],
    ['/names/', 403, 'The file may not be read.\n'],
    ['/', 403, 'The file may not be read.\n'],
    // One that may be read and not entered.
    ['/locked/', 403, 'The file may not be read.\n'],
    ['/locked/index.html', 403, 'The file may not be read.\n'],
    ['/hidden/', 403, 'The file may not be read.\n'],
    // Neither readable nor to be found.
    ['/outside/link/', 404, 'Not found.\n'],
    ['/plain.txt', 200, 'plain'],
  ])('%s: %i', async (target, status, body) => {
    for (const fields of [[], ['-H', 'Accept-Encoding: gzip']]) {
      const { stdout } = await run('curl', [
        '-sS',
        '--max-time',
        '10',
        '--path-as-is',
        ...fields,
        '-w',
        '%{http_code}',
        origin + target,
      ]);
      expect(stdout).toBe(`${body}${status}`);
    }
  });

  test('leads from a directory that it may only enter to its page', async () => {
    const { stdout } = await run('curl', ['-sSL', '--max-time', '10', '-w', ' %{num_redirects}', `${origin}/page`]);
    expect(stdout).toBe('<p>page 1');
  });
});
