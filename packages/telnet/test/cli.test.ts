import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OptionValues } from '@wellknown/core/cli';
import { silentLog } from '@wellknown/core';
import { serveInMemory } from '@wellknown/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { telnetCommand } from '../src/cli.ts';
import { settle, WILL_ECHO } from './session-fixture.ts';

const values = (given: Readonly<Record<string, string | true>>): OptionValues => ({
  positional: undefined,
  text: (name) => (typeof given[name] === 'string' ? given[name] : undefined),
  list: () => [],
  has: (name) => given[name] !== undefined,
});
const build = (given: Readonly<Record<string, string | true>>): ReturnType<typeof telnetCommand.build> =>
  telnetCommand.build(values(given), { log: silentLog, portOffset: 0, isServing: true });

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wellknown-telnet-'));
  await writeFile(
    join(folder, 'good.mjs'),
    'export default async (session) => { await session.print("from a file"); };\n',
  );
  await writeFile(join(folder, 'number.mjs'), 'export default 7;\n');
  await writeFile(join(folder, 'nothing.mjs'), 'export const handler = async () => {};\n');
  await writeFile(join(folder, 'broken.mjs'), 'throw new Error("broken on purpose");\n');
});
afterAll(() => rm(folder, { recursive: true }));

const greetingOf = async (given: Readonly<Record<string, string | true>>): Promise<string> => {
  const built = await build(given);
  if (!built.ok) throw new Error(built.error);
  const { peer, clock } = serveInMemory(built.value);
  clock.advance(150);
  await settle();
  return peer.take();
};

test('without options the demonstration is served', async () =>
  expect(await greetingOf({})).toContain('demonstration'));
test('line mode is accepted', async () => expect(await greetingOf({ 'line-mode': true })).toContain('demonstration'));
test('a mode is asked for as the option says', async () => {
  expect(await greetingOf({})).not.toContain(WILL_ECHO);
  expect(await greetingOf({ mode: 'character' })).toContain(WILL_ECHO);
  expect(await greetingOf({ mode: 'character', handler: join(folder, 'good.mjs') })).toContain(WILL_ECHO);
  expect(await greetingOf({ handler: join(folder, 'good.mjs') })).not.toContain(WILL_ECHO);
});
test('a handler is loaded from its file', async () =>
  expect(await greetingOf({ handler: join(folder, 'good.mjs') })).toContain('from a file'));

describe('a handler that cannot be used is a sentence that names the option, the file and what is allowed', () => {
  test.each([
    { file: 'number.mjs', says: 'its default export is a number, expected async (session) => {}' },
    {
      file: 'nothing.mjs',
      says: 'its default export is missing (the module exports handler), expected async (session) => {}',
    },
    { file: 'broken.mjs', says: "it can't be loaded: broken on purpose" },
    { file: 'absent.mjs', says: 'there is no such file' },
    { file: '.', says: 'it is a directory, expected a JavaScript file' },
  ])('$file', async ({ file, says }) => {
    const path = join(folder, file);
    const built = await build({ handler: path });
    expect(built.ok ? '' : built.error).toMatch(new RegExp(`^--handler ${path.replaceAll('.', '\\.')}: `));
    expect(built.ok ? '' : built.error).toContain(says);
  });
});

test.each([
  { given: { exec: '/nonexistent/program' }, says: "--exec '/nonexistent/program': there is no such file" },
  { given: { exec: '/etc' }, says: "--exec '/etc': it is not a regular file, expected a program" },
  {
    given: { mode: 'auto', 'line-mode': true } as const,
    says: '--mode and --line-mode were both given: one of them says it',
  },
  { given: { mode: 'keys' }, says: "--mode 'keys': allowed are line, character, auto" },
  {
    given: { mode: 'line', exec: '/bin/sh' },
    says: '--mode is of no use with --exec: a program gets keys wherever it can',
  },
  {
    given: { 'line-mode': true, login: true } as const,
    says: '--line-mode is of no use with --login: a program gets keys wherever it can',
  },
  { given: { record: '/nonexistent' }, says: "--record '/nonexistent': there is no such folder" },
  { given: { record: '/etc/passwd' }, says: "--record '/etc/passwd': there is no such folder" },
  {
    given: { exec: '/bin/sh', handler: 'x.mjs' },
    says: '--handler and --exec were both given: a session is one of them',
  },
  {
    given: { exec: '/bin/sh', login: true } as const,
    says: '--exec and --login were both given: a session is one of them',
  },
])('$says', async ({ given, says }) => {
  const built = await build(given);
  expect(built.ok ? '' : built.error).toBe(says);
});

test('--login with --run-as is refused, for login needs root', async () => {
  const runAs = { name: 'nobody', uid: 65_534, gid: 65_534 } as unknown as NonNullable<
    Parameters<typeof telnetCommand.build>[1]['runAs']
  >;
  const built = await telnetCommand.build(values({ login: true }), {
    log: silentLog,
    portOffset: 0,
    isServing: false,
    runAs,
  });
  expect(built.ok ? '' : built.error).toMatch(/^--login needs root/);
});

test('only the options that do something are offered', () => {
  expect(telnetCommand.options.map(({ name }) => name)).toEqual([
    'handler',
    'exec',
    'login',
    'mode',
    'line-mode',
    'record',
  ]);
});
