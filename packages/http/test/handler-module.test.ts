import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { eventually, runProgram, startProgram, type Program } from '@wellknown/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lacksOtherUser } from '../../../test/other-user.ts';
import { programArguments } from '../../../test/programs.ts';

const HTTP = programArguments('packages/http/src/main.ts');
const NOBODY = 65_534;

let folder = '';
let handler = '';
const running: Program[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'wellknown-handler-'));
  // Workers that run as another user write here too.
  chmodSync(folder, 0o777);
  handler = path.join(folder, 'handler.mjs');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.stop()));
  rmSync(folder, { recursive: true });
});

/** In one step: a worker that starts meanwhile reads the old text or the new one. */
function install(text: string): void {
  writeFileSync(`${handler}.new`, text);
  renameSync(`${handler}.new`, handler);
}

const args = (...more: readonly string[]): readonly string[] => [
  ...HTTP,
  '--handler',
  handler,
  '--listen',
  'tcp://127.0.0.1:0',
  '--drain-timeout',
  '1',
  ...more,
];

async function start(...more: readonly string[]): Promise<Program> {
  const program = await startProgram(args(...more));
  running.push(program);
  return program;
}

const ask = async (program: Program): Promise<string> => {
  const response = await fetch(program.endpoints.http?.[0]?.replace('tcp:', 'http:') ?? '', {
    headers: { connection: 'close' },
  });
  return response.text();
};

const workersOf = ({ pid }: Program): string[] =>
  spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .stdout.trim()
    .split(/\s+/);

/** Leaves a line for each process that loads it. */
const TELLS_WHO_LOADS = (file: string): string => `
  import { appendFileSync } from 'node:fs';
  appendFileSync(${JSON.stringify(file)}, process.pid + ' ' + process.getuid() + '\\n');
  export default () => new Response('served by ' + process.pid);
`;
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n');

const noOtherUser = lacksOtherUser(HTTP.at(-1) ?? '');
if (noOtherUser !== undefined) console.log(`skipped: ${noOtherUser}`);

describe('the module of --handler', () => {
  test('is loaded by the workers only', async () => {
    const file = path.join(folder, 'who');
    install(TELLS_WHO_LOADS(file));
    const program = await start('--workers', '2');
    const pids = linesOf(file).map((line) => line.split(' ')[0]);
    expect(pids.sort()).toEqual(workersOf(program).sort());
  });

  test.skipIf(noOtherUser)('is loaded with the rights of --run-as', async () => {
    const file = path.join(folder, 'who');
    install(TELLS_WHO_LOADS(file));
    chmodSync(handler, 0o644);
    const program = await start('--workers', '2', '--run-as', 'nobody');
    const [first, second] = workersOf(program);
    expect(linesOf(file).sort()).toEqual([`${first} ${NOBODY}`, `${second} ${NOBODY}`].sort());
  });

  test('is loaded by the one process where there are no workers', async () => {
    const file = path.join(folder, 'who');
    install(TELLS_WHO_LOADS(file));
    const program = await start('--workers', '0');
    expect(linesOf(file).map((line) => Number(line.split(' ')[0]))).toEqual([program.pid]);
  });

  test.each([
    ['throws in a timer', `setTimeout(() => { throw new Error('late'); }, 0);`],
    ['rejects without a catch', `Promise.resolve().then(() => { throw new Error('late'); });`],
  ])('ends a worker, not the program, when it %s', async (_, body) => {
    install(`export default (request) => {
      if (request.method === 'POST') ${body}
      return new Response('served by ' + process.pid);
    };`);
    const program = await start('--workers', '1');
    const [first] = workersOf(program);
    const url = program.endpoints.http?.[0]?.replace('tcp:', 'http:') ?? '';
    await fetch(url, { method: 'POST', headers: { connection: 'close' } }).catch(() => undefined);
    await eventually(() => program.stderr().includes('a worker has ended'));
    const answer = await ask(program);
    expect(answer).toMatch(/^served by \d+$/);
    expect(answer).not.toBe(`served by ${first}`);
    expect(await program.stop()).toBe(0);
  });

  test.each([
    ['is missing', undefined, 'there is no such file'],
    ['has no default export', 'export const x = 1;', 'its default export is missing (the module exports x), expected '],
    ['throws', `throw new Error('no database');`, `it can't be loaded: no database`],
  ])('that %s ends the start with status 2 and one sentence', async (_, text, reason) => {
    if (text !== undefined) install(text);
    const pidFile = path.join(folder, 'pid');
    const ended = await runProgram(args('--workers', '2', '--pid-file', pidFile));
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr.startsWith(`wellknown-http: --handler ${handler}: ${reason}`)).toBe(true);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(pidFile)).toBe(false);
  });

  test('that is broken at a reload fails it with the reason, and the old workers serve on', async () => {
    install(`export default () => new Response('old');`);
    const program = await start('--workers', '2');
    const before = workersOf(program);
    install('export const x = 1;');
    program.signal('SIGHUP');
    await eventually(() => program.stderr().includes('the reload failed'));
    expect(program.stderr()).toContain(`--handler ${handler}: its default export is missing (the module exports x)`);
    expect(workersOf(program)).toEqual(before);
    expect(await ask(program)).toBe('old');
    install(`export default () => new Response('new');`);
    program.signal('SIGHUP');
    await eventually(() => program.stderr().includes('"msg":"reloaded"'));
    expect(await ask(program)).toBe('new');
  });

  test('finds faster classes under the platform’s names, and Node’s own with --platform-classes', async () => {
    // Node's source speaks of Web IDL.
    install(`export default async (request) => {
      const copy = new Request(request);
      return Response.json([/webidl/.test(String(Response)), copy.url.endsWith('/'), request instanceof Request]);
    };`);
    expect(JSON.parse(await ask(await start()))).toEqual([false, true, true]);
    install(`export default () => new Response(String(/webidl/.test(String(Response))));`);
    expect(await ask(await start('--platform-classes'))).toBe('true');
  });
});
