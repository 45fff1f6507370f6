import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OptionValues } from '@wellknown/core/cli';
import { silentLog } from '@wellknown/core';
import { serveInMemory } from '@wellknown/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { telnetCommand } from '../src/cli.ts';
import { settle } from './session-fixture.ts';

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
  expect(telnetCommand.options.map(({ name }) => name)).toEqual(['handler', 'exec', 'login', 'line-mode']);
});
