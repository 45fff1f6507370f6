// What hooks are told by a session, and what their refusals lead to. Over memory: nothing here waits for a clock.

import { silentLog } from '@wellknown/core';
import { describe, expect, test, vi } from 'vitest';
import type { FileSystem } from '../src/file-system.ts';
import type { FtpHooks } from '../src/hooks.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { codes, play, playLoggedIn, turn } from './memory-session.ts';

/** Hooks that note what they are told, by name; those given here answer. */
function noting(answers: Partial<FtpHooks> = {}) {
  const told: (readonly [string, Record<string, unknown>])[] = [];
  const note =
    (name: keyof FtpHooks) =>
    (event: unknown): never => {
      told.push([name, event as Record<string, unknown>]);
      return answers[name]?.(event as never) as never;
    };
  const names = ['login', 'upload', 'download', 'delete', 'rename', 'mkdir', 'list', 'disconnect'] as const;
  const hooks: FtpHooks = Object.fromEntries(names.map((name) => [name, note(name)]));
  return { told, hooks: answers.command === undefined ? hooks : { ...hooks, command: answers.command } };
}

async function upload(session: Awaited<ReturnType<typeof playLoggedIn>>, line: string, text: string): Promise<string> {
  const data = await session.openData();
  session.peer.send(`TYPE I\r\n${line}\r\n`);
  data.send(text);
  data.end();
  for (let turns = 0; turns < 5; turns += 1) await turn();
  session.clock.advance(5);
  return session.say('', 3);
}

describe('hooks', () => {
  test('hear of what was done, by whom and to what', async () => {
    const { told, hooks } = noting();
    const session = await playLoggedIn({ hooks });
    await session.say('MKD new\r\nRNFR a.txt\r\nRNTO new/b\r\nDELE new/b\r\nRMD new\r\nDELE none\r\n', 6);
    session.peer.reset();
    await turn();
    expect(told.map(([name, { path, from, to, type, reason }]) => [name, path ?? from ?? reason, to ?? type])).toEqual([
      ['login', undefined, undefined],
      ['mkdir', '/new', undefined],
      ['rename', '/a.txt', '/new/b'],
      ['delete', '/new/b', 'file'],
      ['delete', '/new', 'directory'],
      ['disconnect', 'peer-reset', undefined],
    ]);
    expect(told[1]?.[1].session).toMatchObject({ remoteAddress: '127.0.0.1', secure: false });
    expect(told[1]?.[1].session).toBe(told[5]?.[1].session);
  });

  test('hear of every upload that was begun, and before its last reply of one that is whole', async () => {
    const { told, hooks } = noting();
    const session = await playLoggedIn({ hooks });
    expect(codes(await upload(session, 'STOR up', 'hello'))).toEqual([200, 150, 226]);
    expect(told.at(-1)).toMatchObject([
      'upload',
      { user: 'ann', path: '/up', bytes: 5, startBytes: 0, complete: true, aborted: false, how: 'store' },
    ]);
    await upload(session, 'APPE up', '!');
    expect(told.at(-1)).toMatchObject(['upload', { how: 'append', bytes: 1 }]);
    const data = await session.openData();
    await session.say('STOR cut\r\n');
    data.send('half');
    expect(codes(await session.say('ABOR\r\n', 2))).toEqual([426, 226]);
    expect(told.at(-1)).toMatchObject(['upload', { path: '/cut', complete: false, aborted: true }]);
  });

  test('an upload that is refused is answered in the words of the hook, and removed', async () => {
    const fileSystem = memoryFileSystem();
    const { hooks } = noting({ upload: () => Promise.resolve({ refuse: 'It is infected.', code: 554 }) });
    const session = await playLoggedIn({ hooks, fileSystem });
    expect(await upload(session, 'STOR up', 'x')).toContain('554 It is infected.');
    expect(await fileSystem.stat('/up')).toEqual({ ok: false, error: 'not-found' });
  });

  test('a refused upload that the file system can not remove is logged', async () => {
    const fileSystem: FileSystem = { ...memoryFileSystem() };
    delete fileSystem.removeFile;
    const log = { ...silentLog, warn: vi.fn() };
    const { hooks } = noting({ upload: () => ({ refuse: 'No.' }) });
    expect(await upload(await playLoggedIn({ hooks, fileSystem }, log), 'STOR up', 'x')).toContain('550 No.');
    expect(log.warn).toHaveBeenCalledWith({ path: '/up', problem: 'unsupported' }, expect.any(String));
  });

  test('a refused upload stays where the hook says so, and where it continued another', async () => {
    const fileSystem = memoryFileSystem({ files: { '/old': 'a' } });
    const kept = noting({ upload: () => ({ refuse: 'No.', keep: true }) });
    await upload(await playLoggedIn({ ...kept, fileSystem }), 'STOR up', 'x');
    const refused = noting({ upload: () => ({ refuse: 'No.' }) });
    await upload(await playLoggedIn({ ...refused, fileSystem }), 'APPE old', 'b');
    expect(await fileSystem.stat('/up')).toMatchObject({ value: { sizeBytes: 1 } });
    expect(await fileSystem.stat('/old')).toMatchObject({ value: { sizeBytes: 2 } });
  });

  test('a login that is refused is no failed one, and the session goes on', async () => {
    const { hooks } = noting({ login: () => ({ refuse: 'Come back tomorrow.' }) });
    const session = play({ hooks });
    expect(await session.say('USER ann\r\nPASS secret\r\n', 3)).toContain('530 Come back tomorrow.');
    expect(codes(await session.say('PWD\r\nUSER ann\r\n', 2))).toEqual([530, 331]);
  });

  test('a command may be refused, and what comes behind it waits; passwords are not told', async () => {
    const seen: string[] = [];
    const session = play({
      hooks: {
        async command({ verb, argument }) {
          seen.push(`${verb} ${argument}`);
          await turn();
          return verb === 'DELE' ? { refuse: 'Nothing is deleted here.' } : undefined;
        },
      },
    });
    const said = await session.say('USER ann\r\nPASS secret\r\nDELE a.txt\r\nPWD\r\n', 5);
    expect(codes(said)).toEqual([220, 331, 230, 550, 257]);
    expect(seen).toEqual(['USER ann', 'PASS ', 'DELE a.txt', 'PWD ']);
  });

  test('one that throws refuses with 451 where it may refuse, and changes nothing elsewhere', async () => {
    const fails = (): never => {
      throw new Error('/srv/hook is broken');
    };
    const session = await playLoggedIn({
      hooks: { command: ({ verb }) => (verb === 'PWD' ? fails() : undefined), mkdir: fails },
    });
    expect(await session.say('PWD\r\n')).toBe('451 A local error occurred.\r\n');
    expect(codes(await session.say('MKD x\r\n'))).toEqual([257]);
  });
});

describe('limits of a user', () => {
  test('so many sessions at once, and the next when one has ended', async () => {
    const options = { accounts: [{ name: 'ann', password: 'secret', limits: { maxSessions: 1 } }] };
    const session = await playLoggedIn(options);
    expect(codes(await session.say('USER ann\r\nPASS secret\r\n', 2))).toEqual([331, 230]);
    await session.say('REIN\r\n');
    expect(codes(await session.say('USER ann\r\nPASS secret\r\n', 2))).toEqual([331, 230]);
  });

  test('an idle limit of their own', async () => {
    const session = await playLoggedIn({
      accounts: [{ name: 'ann', password: 'secret', limits: { idleTimeoutMs: 10_000 } }],
    });
    session.clock.advance(9_000);
    expect(session.peer.take()).toBe('');
    session.clock.advance(1_200);
    expect(codes(await session.say(''))).toEqual([421]);
  });
});

test('a download that is slowed down takes its time', async () => {
  const session = await playLoggedIn({
    fileSystem: memoryFileSystem({ files: { '/f': 'x'.repeat(4096) } }),
    userLimits: { downloadBytesPerSecond: 1024 },
  });
  const data = await session.openData();
  await session.say('TYPE I\r\nRETR f\r\n', 2);
  for (let second = 1; second <= 3; second += 1) {
    for (let turns = 0; turns < 5; turns += 1) await turn();
    expect(data.take()).toHaveLength(1024);
    session.clock.advance(1000);
  }
  for (let turns = 0; turns < 5; turns += 1) await turn();
  session.clock.advance(1000);
  expect(codes(await session.say(''))).toEqual([226]);
  expect(data.take()).toHaveLength(1024);
});
